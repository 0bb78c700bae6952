"""What each container of a pod becomes in the task definition. Pure.

Never here: its variables and words (`app.bridge.translation.environment`), or what it mounts.

definitions   the container definition, in ECS's words
parts         what it is made of, for every container of the pod
wrapping      whether the in-task helper goes before the command; helper what the helper is told
security      as whom it runs and with which rights; users whether that is root
health        its exec probes; ordering what waits for what, and whose end is the task's
"""
