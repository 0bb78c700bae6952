"""The machine's own time, behind `app.ports.clock.Clock`."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock, monotonic clock and real waiting."""

    def now(self) -> datetime:
        """The wall-clock time in UTC."""
        return datetime.now(UTC)  # noqa: TID251  (the one place that reads the machine's clock)

    def steady(self) -> float:
        """The monotonic clock, in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        await asyncio.sleep(max(0.0, seconds))
