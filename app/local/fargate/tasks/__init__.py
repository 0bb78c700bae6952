"""The life of a task from its launch until ECS has forgotten it, and what can be read about it meanwhile.

`record` is the task itself; `lifecycle` takes it up and `descent` down; `ordering` and `health` decide, and
are pure. Never here: what a request may ask for (`ecs`), or how a container is executed (`running`).
"""
