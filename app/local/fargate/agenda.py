"""What will happen when: one heap of due actions instead of one coroutine per task and stage."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from app.ports.clock import Clock


class Agenda:
    """Actions in the order of their due times; equal times keep the order in which they were added.

    Whoever needs the present state calls `run_due` first, so answers are right even when the loop that
    `run` keeps is late.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = asyncio.Event()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` called once, `seconds` from now; it must not block or raise."""
        due = self._clock.steady() + max(seconds, 0.0)
        heapq.heappush(self._due, (due, next(self._order), action))
        if self._due[0][0] == due:
            self._changed.set()

    def run_due(self) -> None:
        """Call everything that is due by now, also what the calls themselves make due."""
        while self._due and self._due[0][0] <= self._clock.steady():
            _, _, action = heapq.heappop(self._due)
            action()

    async def run(self) -> None:
        """Call each action at its time, until cancelled."""
        while True:
            self.run_due()
            self._changed.clear()
            await self._wait()

    async def _wait(self) -> None:
        changed = asyncio.ensure_future(self._changed.wait())
        waiting: set[asyncio.Future[object]] = {changed}  # type: ignore[arg-type]  # a future of True is one
        if self._due:
            seconds = self._due[0][0] - self._clock.steady()
            waiting.add(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in waiting:
                future.cancel()
