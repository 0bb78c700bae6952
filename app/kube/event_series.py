"""Which Events are written, counted up or dropped, so that a stuck pod does not flood the API server.

The shape is client-go's recorder: equal Events within ten minutes are one Event with a count, and each object
has a bucket of 25 Events that refills by one in five minutes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

import msgspec

KEEP_SECONDS: Final = 600.0
BURST: Final = 25.0
REFILL_PER_SECOND: Final = 1 / 300
MEMORY: Final = 4096
"""How many series and how many objects are remembered; the longest unused go first."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two Events equal. `about` identifies the object."""

    about: tuple[str, str, str, str]
    kind: str
    reason: str
    message: str


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One Event object: its name, how often it happened, and when first; `seen` is on the steady clock."""

    name: str
    count: int
    first: datetime
    seen: float


class _Bucket(msgspec.Struct, frozen=True):
    tokens: float
    at: float


class EventSeries:
    """Remembers what was written. No I/O and no clock: the caller passes the time."""

    def __init__(self) -> None:
        self._series: _Recent[Subject, Series] = _Recent(MEMORY)
        self._buckets: _Recent[tuple[str, str, str, str], _Bucket] = _Recent(MEMORY)

    def next(self, subject: Subject, *, name: str, now: datetime, steady: float) -> Series | None:
        """The Event to write: new under `name` with count 1, or an older one counted up; None to drop it."""
        if not self._spend(subject.about, steady):
            return None
        known = self._series.get(subject)
        if known is None or steady - known.seen > KEEP_SECONDS:
            series = Series(name=name, count=1, first=now, seen=steady)
        else:
            series = Series(name=known.name, count=known.count + 1, first=known.first, seen=steady)
        self._series.put(subject, series)
        return series

    def forget(self, subject: Subject) -> None:
        """The Event is not there (any more): the next one is new."""
        self._series.drop(subject)

    def _spend(self, about: tuple[str, str, str, str], steady: float) -> bool:
        bucket = self._buckets.get(about) or _Bucket(BURST, steady)
        tokens = min(BURST, bucket.tokens + (steady - bucket.at) * REFILL_PER_SECOND)
        allowed = tokens >= 1
        self._buckets.put(about, _Bucket(tokens - 1 if allowed else tokens, steady))
        return allowed


class _Recent(Generic[K, V]):
    """A mapping that forgets what was unused longest."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        self._values.pop(key, None)
