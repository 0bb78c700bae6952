"""ECS's operations on clusters and tasks, and what RunTask makes of a request: refusals, a new task.

Never here: task definitions and their operations (`definitions`), or the life of a task once there is one
(`tasks`).
"""
