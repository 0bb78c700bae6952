"""Raw connections as two calls, and relaying bytes between two of them."""

import asyncio
from typing import Final, Protocol

_CHUNK: Final = 65_536


class Bytes(Protocol):
    """Whatever bytes come from and go to."""

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send, and return when the peer keeps up. Raises OSError where it is gone."""
        ...


class Pipe:
    """A TCP or TLS connection; `first` are bytes that were read from it already."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first: bytes = b""
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._first = first

    async def read(self) -> bytes:
        """The next bytes; b"" at the end, however it came."""
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            return await self._reader.read(_CHUNK)
        except OSError:
            return b""  # a connection that broke is one that ended

    async def write(self, data: bytes) -> None:
        """Send, and return when the peer keeps up. Raises OSError where it is gone."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Close it, after what was written."""
        self._writer.close()


async def relay(one: Bytes, other: Bytes) -> None:
    """Bytes both ways until either side ends."""
    pumps = {asyncio.create_task(_pump(one, other)), asyncio.create_task(_pump(other, one))}
    try:
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in done:
            pump.result()
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: Bytes, sink: Bytes) -> None:
    while data := await source.read():
        try:
            await sink.write(data)
        except OSError:
            return  # nobody reads any more
