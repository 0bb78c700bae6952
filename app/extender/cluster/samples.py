"""The latest of many measured times, and what three out of four of them do not exceed."""

import bisect
import math
from datetime import datetime, timedelta
from typing import Final

KEPT: Final = 20


class Samples:
    """The latest durations by when they ended, in whatever order they are told."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._rows: list[tuple[datetime, str, timedelta]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: str, took: timedelta, *, at: datetime) -> None:
        """What `key` took until `at`, in place of what was told of it before.

        The earliest is forgotten where there are too many.
        """
        self._rows = [row for row in self._rows if row[1] != key]
        bisect.insort(self._rows, (at, key, took))
        del self._rows[: -self._kept]

    def upper_quartile(self) -> timedelta | None:
        """What three out of four do not exceed (nearest rank); None where there is none yet."""
        if not self._rows:
            return None
        ranked = sorted(took for _, _, took in self._rows)
        return ranked[math.ceil(len(ranked) * 0.75) - 1]
