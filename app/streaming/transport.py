"""What a protocol is spoken over, and what comes out of it: connections of raw bytes, and streams."""

from typing import Protocol


class ProtocolViolation(Exception):
    """The peer broke the protocol, or a bound that we set it: the connection is over."""


class ConnectionEnded(ConnectionError):
    """The connection is over, by its peer or by a fault: nothing can be read from it or sent."""


class Duplex(Protocol):
    """A connection of raw bytes."""

    async def read(self) -> bytes:
        """What the peer sends next; empty at the end, however it came about."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; returns when the peer keeps up. Raises OSError where it is gone."""
        ...


class Stream(Protocol):
    """One of the streams in a connection: bytes both ways, each of which may end before the other."""

    async def read(self) -> bytes:
        """What the peer sends next; empty once it ended the stream. Raises ConnectionEnded."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; returns when the peer keeps up. Dropped where the stream is over. Raises ConnectionEnded."""
        ...

    async def close(self) -> None:
        """End our half; a second time is nothing. Raises ConnectionEnded."""
        ...
