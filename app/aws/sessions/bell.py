"""Waiting for something that others change."""

import asyncio
from collections.abc import Callable


class Bell:
    """Rung after every change; whoever waits looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds."""
        while not holds():
            await self._rung.wait()
