"""Whose task is whose: the tasks of an ECS cluster sorted by the pod they carry.

A task is ours only by its identity variable: other tasks of the cluster are never touched. Nothing here
compares definitions: a task that an older version of the bridge launched is as good as one of today's, so
an upgrade replaces nothing.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from app.model.names import PodUid, TaskArn
from app.model.task import Task


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """A complete listing, sorted.

    Attributes:
        carried: the newest attempt of every pod that is there, live or stopped.
        duplicates: live tasks of those pods beside the newest attempt: to be stopped.
        orphans: live tasks whose pod is gone: to be stopped, after asking Kubernetes again.
        foreign: how many tasks are somebody else's.
    """

    carried: tuple[Task, ...]
    duplicates: tuple[Task, ...]
    orphans: tuple[Task, ...]
    foreign: int


def adopt(tasks: Iterable[Task], *, pods: Collection[PodUid], cluster: str, node: str) -> Adoption:
    """Sort a complete listing (RUNNING and STOPPED) of tasks; a partial one must never come here."""
    by_uid: dict[PodUid, list[Task]] = {}
    foreign = 0
    for task in tasks:
        if task.identity is not None and is_ours(task, cluster=cluster, node=node):
            by_uid.setdefault(task.identity.uid, []).append(task)
        else:
            foreign += 1
    here = [found for uid, found in by_uid.items() if uid in pods]
    gone = [found for uid, found in by_uid.items() if uid not in pods]
    return Adoption(
        carried=tuple(newest for newest in map(current, here) if newest is not None),
        duplicates=tuple(task for found in here for task in duplicates(found)),
        orphans=tuple(task for found in gone for task in found if not task.is_stopped),
        foreign=foreign,
    )


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
