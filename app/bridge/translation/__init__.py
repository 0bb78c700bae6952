"""Pod → task: the task definition, RunTask's overrides, and what has to be brought along. Pure.

Never here: reading ConfigMaps, Secrets or images (`app.bridge.material` gathers them), or launching.
"""
