"""One worker per pod: woken for whatever reason, never run twice at once, never given up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from app.bridge.decision.facts import PodKey
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.telemetry import logs
from app.timing import backoff

log = logs.get(__name__)

Step = Callable[[PodKey], Awaitable[float | None]]
"""Does what can be done for the pod now; answers after how many seconds to come again, or None.

Raises NotFound where the pod is gone, which is no failure."""

Tell = Callable[[PodKey, PortFailure], Awaitable[None]]
"""Says on the pod what keeps it waiting."""

_TOLD_AFTER: Final = 3
"""Failures in a row that people need not hear of: a moment's trouble passes by itself."""


class PodWorkers:
    """Runs a step for each pod that is woken; wakes during a step run it once more.

    A failed step is tried again after 1, 2, 4, … seconds up to `cap`, spread by `jitter` (0 to 1); where the
    outside goes on failing, `tell` is called each time.
    """

    def __init__(
        self, step: Step, *, clock: Clock, jitter: Callable[[], float], cap: float, tell: Tell
    ) -> None:
        self._step = step
        self._tell = tell
        self._clock = clock
        self._jitter = jitter
        self._cap = cap
        self._queue: asyncio.Queue[PodKey] = asyncio.Queue()
        self._working: set[PodKey] = set()
        self._woken: set[PodKey] = set()
        self._failures: dict[PodKey, int] = {}
        self._timers: dict[PodKey, asyncio.Task[None]] = {}

    @property
    def depth(self) -> int:
        """How many pods are being worked on or wait for it."""
        return len(self._working)

    def wake(self, key: PodKey) -> None:
        """Something about the pod has changed."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._working:
            self._woken.add(key)
            return
        self._working.add(key)
        self._queue.put_nowait(key)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                key = await self._queue.get()
                group.create_task(self._work(key, group))

    async def _work(self, key: PodKey, group: asyncio.TaskGroup) -> None:
        delay: float | None = 0.0
        while delay == 0.0 or (key in self._woken and key not in self._failures):
            self._woken.discard(key)
            delay = await self._attempt(key)
        self._woken.discard(key)
        self._working.discard(key)
        if delay is not None:
            self._timers[key] = group.create_task(self._wake_after(key, delay))

    async def _attempt(self, key: PodKey) -> float | None:
        try:
            delay = await self._step(key)
        except NotFound as failure:
            # Only reads and writes of the pod itself end so; the watch will tell, or already has.
            log.debug("the pod is gone", pod=key.path, error=str(failure))
            self._failures.pop(key, None)
            return None
        except PortFailure as failure:
            log.warning("a step failed and will be repeated", pod=key.path, error=str(failure))
            await self._told(key, failure)
        except Exception:
            # A mistake of ours about one pod must not stop the others; it is told, and tried again.
            log.exception("a step broke and will be repeated", pod=key.path)
        else:
            self._failures.pop(key, None)
            return delay
        row = self._failures[key] = self._failures.get(key, 0) + 1
        return backoff.delay(row, first=1.0, longest=self._cap, jitter=self._jitter())

    async def _told(self, key: PodKey, failure: PortFailure) -> None:
        if self._failures.get(key, 0) < _TOLD_AFTER:
            return
        try:
            await self._tell(key, failure)
        except Exception:
            # What is told of one pod's trouble must not stop the work for all.
            log.exception("a failure could not be told", pod=key.path)

    async def _wake_after(self, key: PodKey, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timers.pop(key, None)
        self.wake(key)
