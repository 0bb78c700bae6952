"""Time as a thing that is passed in, so that tests can own it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock, a steady clock, and waiting."""

    def now(self) -> datetime:
        """The wall-clock time, timezone-aware UTC."""
        ...

    def steady(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        ...
