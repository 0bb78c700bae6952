"""A queue of task events: at least once, in any order, and late."""

from collections.abc import Sequence
from typing import Final

from app.ports.task_events import TaskEvent
from tests.bridge.door import Door
from tests.bridge.fake_ecs import FakeEcs
from tests.fakes import VirtualClock

LONG_POLL: Final = 20
"""Seconds."""


class FakeTaskEvents:
    """Tells of every change of the fake ECS's tasks that `tell` finds; the newest first, and some twice."""

    def __init__(self, ecs: FakeEcs, clock: VirtualClock, door: Door) -> None:
        self._ecs = ecs
        self._clock = clock
        self._door = door
        self._versions: dict[str, int] = {}
        self.waiting: list[TaskEvent] = []
        self.twice = True

    def tell(self) -> None:
        """Queue what has changed since the last time."""
        for run in self._ecs.runs.values():
            task = run.task(self._clock.now())
            if task.version != self._versions.get(run.arn):
                self._versions[run.arn] = task.version
                event = TaskEvent(task, f"{task.arn} {task.version}")
                self.waiting[:0] = [event, event] if self.twice else [event]

    async def receive(self) -> tuple[TaskEvent, ...]:
        for _ in range(LONG_POLL):
            if self.waiting:
                break
            await self._clock.sleep(1)
        return await self._door.call("receive", self._received)

    async def done(self, events: Sequence[TaskEvent]) -> None:
        await self._door.call("done", lambda: self._forget(events))

    def _received(self) -> tuple[TaskEvent, ...]:
        return tuple(self.waiting[:10])

    def _forget(self, events: Sequence[TaskEvent]) -> None:
        gone = {each.receipt for each in events}
        self.waiting = [event for event in self.waiting if event.receipt not in gone]
