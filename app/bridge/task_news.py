"""Takes events of tasks into the TaskStore: hints that save a poll, never the only word."""

from datetime import datetime

from app.bridge.config import PollConfig
from app.bridge.metrics import BridgeMetrics
from app.bridge.task_store import TaskStore
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.ports.task_events import TaskEvents
from app.telemetry import logs

log = logs.get(__name__)


class TaskNews:
    """Reads the queue for as long as the bridge runs."""

    def __init__(
        self,
        events: TaskEvents,
        store: TaskStore,
        *,
        clock: Clock,
        config: PollConfig,
        metrics: BridgeMetrics,
    ) -> None:
        self._events = events
        self._store = store
        self._clock = clock
        self._config = config
        self._metrics = metrics
        self._drained_at: datetime | None = None

    @property
    def drained_at(self) -> datetime | None:
        """When the queue was last seen empty; None before."""
        return self._drained_at

    async def run(self) -> None:
        """Take in what comes, until cancelled; a failure delays only the hints."""
        while True:
            try:
                await self.once()
            except PortFailure as failure:
                log.warning("the queue of task events does not answer", error=str(failure))
                await self._clock.sleep(self._config.retry)

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
            news = self._store.hear(event.task)
            self._metrics.events.labels("news" if news else "stale").inc()
        await self._events.done(events)
