"""Whose task is whose: the tasks of an ECS cluster sorted by the pod they carry.

A task is ours only by its identity variable: other tasks of the cluster are never touched. Nothing here
compares definitions: a task that an older version of the bridge launched is as good as one of today's, so
an upgrade replaces nothing.
"""

from collections.abc import Sequence

from app.model.names import TaskArn
from app.model.task import Task


def is_ours(task: Task, *, cluster: str, node: str) -> bool:
    """Whether this bridge launched the task, or one before it for the same node of the same cluster."""
    identity = task.identity
    return identity is not None and identity.cluster == cluster and identity.node == node


def current(tasks: Sequence[Task], *, recorded: TaskArn | None = None) -> Task | None:
    """The task that carries the pod: the newest attempt.

    Of two with one number it is the one recorded on the pod, else a live one, else the older.
    """
    if not tasks:
        return None
    newest = max(task.attempt for task in tasks)
    rivals = [task for task in tasks if task.attempt == newest]
    return min(rivals, key=lambda task: (task.arn != recorded, task.is_stopped, _age(task), task.arn))


def duplicates(tasks: Sequence[Task], *, recorded: TaskArn | None = None) -> tuple[Task, ...]:
    """The pod's other tasks that still live."""
    kept = current(tasks, recorded=recorded)
    return tuple(task for task in tasks if task is not kept and not task.is_stopped)


def _age(task: Task) -> float:
    return task.created_at.timestamp() if task.created_at is not None else float("inf")
