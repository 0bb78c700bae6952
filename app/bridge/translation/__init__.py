"""Pod → task: the task definition, RunTask's overrides, and what has to be brought along. Pure.

Never here: reading ConfigMaps, Secrets or images (`app.bridge.material` gathers them), or launching.

needs         what a pod refers to, from its spec alone; material is what was found of it
task_spec     the whole, and containers each container's definition
environment   a container's variables and words; volumes what it mounts, and the files in it
security      as whom a container runs; wrapping whether the helper goes before it; parts all that together
ordering      which container waits for which, and whose end is the task's
shares        the task's size; overrides what travels in RunTask's overrides; caveats what to tell people
standing      what namespace and annotations say: identity the role, network the security groups
"""
