"""Takes in events of tasks: hints that save a poll, never the only word."""

from collections.abc import Callable
from datetime import datetime

from app.bridge.metrics import BridgeMetrics
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.ports.task_events import TaskEvents
from app.telemetry import logs

log = logs.get(__name__)


Hear = Callable[[Task], bool]
"""Takes in the task of an event; answers whether it was news of a task of its own (`TaskStore.hear`)."""


class TaskNews:
    """Reads the one queue of this process for all of its nodes; `run` it as long as they run.

    Whoever takes an event from the queue takes it from all others, so a bridge that keeps no node reads none.
    """

    def __init__(self, events: TaskEvents, *, clock: Clock, retry: float, metrics: BridgeMetrics) -> None:
        self._events = events
        self._clock = clock
        self._retry = retry
        self._metrics = metrics
        self._listeners: list[Hear] = []
        self._leads: list[Callable[[], bool]] = []
        self._drained_at: datetime | None = None

    def on_task(self, hear: Hear, *, leads: Callable[[], bool]) -> None:
        """Let `hear` have every event; `leads` says whether its node is ours at the moment."""
        self._listeners.append(hear)
        self._leads.append(leads)

    @property
    def drained_at(self) -> datetime | None:
        """When the queue was last seen empty; None before."""
        return self._drained_at

    async def run(self) -> None:
        """Take in what comes, until cancelled; a failure delays only the hints."""
        while True:
            if not any(leads() for leads in self._leads):
                await self._clock.sleep(self._retry)
                continue
            try:
                await self.once()
            except PortFailure as failure:
                log.warning("the queue of task events does not answer", error=str(failure))
                await self._clock.sleep(self._retry)

    async def once(self) -> None:
        """One look into the queue.

        Raises:
            PortFailure: it did not answer; what was not confirmed comes again.
        """
        asked = self._clock.now()
        events = await self._events.receive()
        if not events:
            self._drained_at = asked
            return
        for event in events:
            took = [hear(event.task) for hear in self._listeners]
            self._metrics.events.labels("news" if any(took) else "stale").inc()
        await self._events.done(events)
