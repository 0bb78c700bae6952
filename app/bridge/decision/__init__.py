"""What to do about one pod: facts in, commands out. Pure; `app.bridge.apply` alone carries commands out.

Never here: a clock, a port, or the translation of a pod into a task.
"""
