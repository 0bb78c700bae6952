"""What came in on one stream and was not read yet."""

import asyncio
from collections import deque
from typing import Final

from app.streaming.connections.allowance import Holding
from app.streaming.transport import ConnectionEnded

INBOX_BYTES: Final = 128 * 1024
"""From here on a stream holds up its connection until somebody reads it."""


class Inbox:
    """Between the one that reads the connection, who never waits here, and the one that reads the stream."""

    def __init__(self, holding: Holding, *, most: int = INBOX_BYTES) -> None:
        self._holding = holding
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._lost = False
        self._dropping = False
        self._filled = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether no more should be put in now."""
        return self._size >= self._most

    def put(self, data: bytes) -> None:
        """Add what came in."""
        if data and not self._dropping:
            self._pieces.append(data)
            self._size += len(data)
            self._holding.add(len(data))
            self._filled.set()

    def end(self) -> None:
        """Nothing more comes: the peer ended the stream."""
        self._ended = True
        self._filled.set()

    def lose(self) -> None:
        """Nothing more comes: the connection is over."""
        self._lost = True
        self._filled.set()

    def drop(self) -> None:
        """Nobody reads any more: forget what is here, and whatever comes."""
        self._dropping = True
        self._pieces.clear()
        self._holding.remove(self._size)
        self._size = 0

    async def get(self) -> bytes:
        """What came in, piece by piece; empty once the stream has ended. Raises ConnectionEnded."""
        while not (self._pieces or self._ended or self._lost):
            self._filled.clear()
            await self._filled.wait()
        if self._pieces:
            piece = self._pieces.popleft()
            self._size -= len(piece)
            self._holding.remove(len(piece))
            return piece
        if self._ended:
            return b""
        raise ConnectionEnded("the connection ended before the stream did")
