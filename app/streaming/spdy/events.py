"""What a peer did, as values."""

import msgspec

from app.streaming.spdy.headers import Headers


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The peer opened a stream; it sends nothing on it where it `ended` at once."""

    stream: int
    headers: Headers
    ended: bool = False


class Replied(msgspec.Struct, frozen=True, kw_only=True):
    """The peer accepted a stream of ours."""

    stream: int
    headers: Headers
    ended: bool = False


class HeadersAdded(msgspec.Struct, frozen=True, kw_only=True):
    """Further headers of a stream."""

    stream: int
    headers: Headers
    ended: bool = False


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Data on an open stream; `ended` says that the peer sends no more on it."""

    stream: int
    data: bytes
    ended: bool = False


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """The peer broke a stream off, both ways; `status` as in `ResetStatus`, or another number."""

    stream: int
    status: int


class PingAnswered(msgspec.Struct, frozen=True):
    """Our ping came back."""

    ping: int


class WentAway(msgspec.Struct, frozen=True, kw_only=True):
    """The peer opens and accepts no more streams; `status` as in `GoAwayStatus`, or another number."""

    last_stream: int
    status: int


Event = Opened | Replied | HeadersAdded | Received | Broken | PingAnswered | WentAway
"""Everything that whoever uses a session hears of."""
