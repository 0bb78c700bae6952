"""What has to be sent and was not sent yet."""

import asyncio
from typing import Final

from app.streaming.transport import ConnectionEnded, Duplex, ProtocolViolation

OUTBOX_BYTES: Final = 64 * 1024
"""From here on those who send have to wait."""

MOST_BYTES: Final = 3 * OUTBOX_BYTES
"""A peer that makes us answer, and reads no answer, is given up at this size."""


class Outbox:
    """Between those who send, who wait while there is much in it, and the one that writes the connection."""

    def __init__(self, duplex: Duplex) -> None:
        self._duplex = duplex
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._filled = asyncio.Event()
        self._written = asyncio.Event()

    def put(self, data: bytes) -> None:
        """Add to it without waiting. Raises ProtocolViolation where the peer does not read at all."""
        if not data:
            return
        if self._size + len(data) > MOST_BYTES:
            raise ProtocolViolation("the peer asks for answers and does not read them")
        self._pieces.append(data)
        self._size += len(data)
        self._filled.set()

    async def room(self) -> None:
        """Wait until there is room for more. Raises ConnectionEnded."""
        # Who writes in a loop to a stream that is over fills nothing, and must let others run.
        await asyncio.sleep(0)
        await self._below(OUTBOX_BYTES)

    async def sent(self) -> None:
        """Wait until everything is sent. Raises ConnectionEnded."""
        await self._below(1)

    async def _below(self, size: int) -> None:
        while self._size >= size and not self._ended:
            self._written.clear()
            await self._written.wait()
        if self._ended:
            raise ConnectionEnded("the connection has ended")

    async def run(self) -> None:
        """Write until the peer is gone."""
        while True:
            while not self._pieces:
                self._filled.clear()
                await self._filled.wait()
            data, self._pieces = b"".join(self._pieces), []
            try:
                await self._duplex.write(data)
            except OSError:
                return
            self._size -= len(data)
            self._written.set()

    def end(self) -> None:
        """Nothing can be sent any more."""
        self._ended = True
        self._written.set()
