"""News of tasks that come by themselves. All of it raises `app.ports.failures` only."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from app.model.task import Task


class TaskEvent(msgspec.Struct, frozen=True):
    """One state change; `receipt` is what to give back once it is taken in."""

    task: Task
    receipt: str


class TaskEvents(Protocol):
    """ECS Task State Change events, at least once and in any order.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """

    async def receive(self) -> tuple[TaskEvent, ...]:
        """The next events; waits for the first up to 20 seconds, and is empty where none came."""
        ...

    async def done(self, events: Sequence[TaskEvent]) -> None:
        """These are taken in; what is not said to be comes again."""
        ...
