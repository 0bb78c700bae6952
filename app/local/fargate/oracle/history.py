"""The journal sorted by pods: each launch with what became of it and of its containers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.local.fargate.journal import (
    OVER,
    Call,
    ContainerChange,
    ContainerState,
    Entry,
    SessionChange,
    Transition,
)


@dataclass(kw_only=True)
class TaskHistory:
    """One task, as the journal leaves it.

    Attributes:
        last: its last version.
        ran: whether it ever was RUNNING.
        stopped_by_call: whether a StopTask request named it; else AWS, a user or the task itself ended it.
        containers: each container's last state, by its name; one that is absent has not begun.
        ends: every end of each container that had started, by its name.
    """

    last: Transition
    ran: bool = False
    stopped_by_call: bool = False
    containers: dict[str, ContainerState] = field(default_factory=dict)
    ends: dict[str, list[ContainerState]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it is STOPPED, or vanished."""
        return self.last.status in OVER

    @property
    def is_lost(self) -> bool:
        """Whether it vanished while nobody wanted it stopped; else its end may have been seen coming."""
        return self.last.status == "DELETED" and self.last.desired == "RUNNING"

    def starts(self, container: str) -> int:
        """How often a container of it was started."""
        state = self.containers.get(container)
        return 1 + state.restarts if state is not None and has_run(state) else 0

    def has_started(self, containers: Iterable[str]) -> bool:
        """Whether any of these containers was started."""
        return any(map(self.starts, containers))


def has_run(state: ContainerState) -> bool:
    """Whether a container ever ran; one that could not be started, or never was to be, did not."""
    return state.started and not state.reason.startswith("CannotStart")


def histories(entries: Iterable[Entry]) -> dict[str, list[TaskHistory]]:
    """The launches of every pod by its uid, in the order in which they came into being."""
    tasks: dict[str, TaskHistory] = {}
    for entry in entries:
        _take(entry, tasks)
    found: dict[str, list[TaskHistory]] = {}
    for task in tasks.values():
        if task.last.pod is not None:
            found.setdefault(task.last.pod.uid, []).append(task)
    return found


def _take(entry: Entry, tasks: dict[str, TaskHistory]) -> None:
    match entry:
        case Transition():
            task = tasks.setdefault(entry.task, TaskHistory(last=entry))
            task.last = entry
            task.ran = task.ran or entry.status == "RUNNING"
        case ContainerChange():
            task = tasks[entry.task]
            task.containers[entry.container] = entry
            if entry.status == "STOPPED" and has_run(entry):
                task.ends.setdefault(entry.container, []).append(entry)
        case Call(operation="StopTask", outcome="ok"):
            for name in entry.tasks:
                if name in tasks:
                    tasks[name].stopped_by_call = True
        case Call() | SessionChange():
            return
