"""Time that nobody waits for."""

import asyncio

from tests.fakes import VirtualClock


class HastyClock(VirtualClock):
    """Every sleep is over at once, and has taken its time."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self._elapsed += seconds
        await asyncio.sleep(0)
