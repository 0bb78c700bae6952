"""A program of the stack that ended by itself is started again, as a Deployment would; not without end."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from app.local.processes import Child
from app.ports.clock import Clock

MOST_ENDS: Final = 3
WITHIN: Final = 60.0
"""Seconds."""


class Revival:
    """Remembers each program's ends; the third within a minute is left as it is."""

    def __init__(
        self, start: Callable[[str], Awaitable[None]], *, clock: Clock, progress: Callable[[str], None]
    ) -> None:
        self._start = start
        self._clock = clock
        self._progress = progress
        self._ends: dict[str, list[float]] = defaultdict(list)

    async def look(self, programs: Mapping[str, Child]) -> None:
        """Start again what has ended since the last look."""
        for name, child in list(programs.items()):
            if child.exit_code is None:
                continue
            if self._may_start(name):
                self._progress(f"{name} ended with exit code {child.exit_code}; starting it again")
                await self._start(name)
            else:
                self._progress(f"{name} died three times within a minute, giving up")

    def _may_start(self, name: str) -> bool:
        now = self._clock.steady()
        self._ends[name] = [each for each in self._ends[name] if now - each < WITHIN] + [now]
        return len(self._ends[name]) < MOST_ENDS
