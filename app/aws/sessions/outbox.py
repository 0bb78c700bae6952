"""What was sent and not acknowledged yet, and when to send it again. Pure.

The times are the original client's, which follows RFC 6298: https://www.rfc-editor.org/rfc/rfc6298.
"""

from collections import OrderedDict
from typing import Final

import msgspec

MOST_REPEATS: Final = 3_000
"""After so many repeats of one message nobody listens any more."""

_FIRST_ROUND_TRIP: Final = 0.1
_FIRST_TIMEOUT: Final = 0.2
_LONGEST_TIMEOUT: Final = 1.0
_GRAIN: Final = 0.01
_HAIR: Final = 1e-6
"""Sums of floats miss a moment by a hair."""

_SMOOTHING: Final = 1 / 8
_VARIATION_SMOOTHING: Final = 1 / 4


class RoundTrip(msgspec.Struct, frozen=True):
    """How long answers take, in seconds, smoothed; `timeout` is how long to wait for one."""

    mean: float = _FIRST_ROUND_TRIP
    variation: float = 0.0
    timeout: float = _FIRST_TIMEOUT


def learned(trip: RoundTrip, *, taken: float) -> RoundTrip:
    """The round trip after one more answer."""
    apart = abs(trip.mean - taken)
    variation = (1 - _VARIATION_SMOOTHING) * trip.variation + _VARIATION_SMOOTHING * apart
    mean = (1 - _SMOOTHING) * trip.mean + _SMOOTHING * taken
    timeout = min(mean + max(_GRAIN, 4 * variation), _LONGEST_TIMEOUT)
    return RoundTrip(mean, variation, timeout)


class _Sent(msgspec.Struct):
    message: bytes
    at: float
    repeats: int = 0


class Outbox:
    """Messages in the order of their sequence numbers; moments are steady seconds."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, _Sent] = OrderedDict()
        self._next = 0
        self.trip = RoundTrip()

    @property
    def next(self) -> int:
        """The sequence number of the message that is sent next."""
        return self._next

    @property
    def waiting(self) -> int:
        """How many messages are not acknowledged."""
        return len(self._waiting)

    @property
    def is_given_up(self) -> bool:
        """Whether the oldest was repeated so often that there is no sense in it any more."""
        return any(each.repeats > MOST_REPEATS for each in self._waiting.values())

    def sent(self, message: bytes, *, now: float) -> None:
        """The next message went out."""
        self._waiting[self._next] = _Sent(message, now)
        self._next += 1

    def acknowledged(self, sequence: int, *, now: float) -> None:
        """The far side has it. Of a message that was sent twice it is unknown how long the answer took."""
        sent = self._waiting.pop(sequence, None)
        if sent is not None and not sent.repeats:
            self.trip = learned(self.trip, taken=max(now - sent.at, 0.0))

    def due(self) -> float | None:
        """When the oldest is to be sent again; None where nothing waits."""
        oldest = next(iter(self._waiting.values()), None)
        return oldest.at + self._patience(oldest) if oldest is not None else None

    def repeated(self, *, now: float) -> bytes | None:
        """The oldest message, where it is due."""
        due = self.due()
        if due is None or now < due - _HAIR:
            return None
        oldest = next(iter(self._waiting.values()))
        oldest.at = now
        oldest.repeats += 1
        return oldest.message

    def resent(self, *, now: float) -> list[bytes]:
        """All that waits, to go over a new connection: it may be lost with the old one."""
        for each in self._waiting.values():
            each.at = now
            each.repeats += 1
        return [each.message for each in self._waiting.values()]

    def _patience(self, sent: _Sent) -> float:
        """A message that is still not acknowledged is repeated more seldom, up to once a second."""
        return min(self.trip.timeout * 2.0 ** min(sent.repeats, 3), _LONGEST_TIMEOUT)
