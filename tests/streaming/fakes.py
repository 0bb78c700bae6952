"""Two ends of a connection in memory, which holds its writers up as TCP does."""

import asyncio

from app.streaming.transport import Stream


class FakeDuplex:
    """One end (app.streaming.transport.Duplex)."""

    def __init__(self, *, room: int) -> None:
        self.other: FakeDuplex = self
        self.closed = False
        self.written = 0
        self._room = room
        self._arrived = bytearray()
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        while not (self._arrived or self.other.closed or self.closed):
            await self._change()
        data = bytes(self._arrived)
        self._arrived.clear()
        self.other._changed.set()
        return data

    async def write(self, data: bytes) -> None:
        if self.closed or self.other.closed:
            raise ConnectionResetError("the other end is closed")
        self.written += len(data)
        self.other._arrived += data
        self.other._changed.set()
        while len(self.other._arrived) > self._room and not self.other.closed:
            await self._change()

    def close(self) -> None:
        self.closed = True
        self._changed.set()
        self.other._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def duplexes(*, room: int = 64 * 1024, back: int = 64 * 1024) -> tuple[FakeDuplex, FakeDuplex]:
    """Two ends; the first waits while more than `room` bytes of its own are not read, the other `back`."""
    one, other = FakeDuplex(room=room), FakeDuplex(room=back)
    one.other, other.other = other, one
    return one, other


async def everything(stream: Stream | FakeDuplex) -> bytes:
    """What a stream says until its end."""
    said = b""
    while piece := await stream.read():
        said += piece
    return said
