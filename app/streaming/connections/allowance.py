"""How much of what nobody has read yet may be held: for one connection, and for all together.

What a peer has sent lies with us until somebody reads it. A stream that is not read holds its peer up; many
of them, in one connection or in many, must not fill our memory.
"""

import asyncio
from typing import Final

IN_ALL_BYTES: Final = 32 * 1024 * 1024
CONNECTION_BYTES: Final = 1024 * 1024
SHARE_BYTES: Final = 32 * 1024
"""Every connection may hold as much, though all together hold too much: it goes on, if slowly."""


class Allowance:
    """What all connections together hold."""

    def __init__(self, *, most: int = IN_ALL_BYTES) -> None:
        self._most = most
        self.held = 0

    @property
    def used_up(self) -> bool:
        """Whether those that hold more than their share have to wait."""
        return self.held >= self._most


class Holding:
    """What one connection holds, in all its inboxes."""

    def __init__(self, allowance: Allowance, *, most: int = CONNECTION_BYTES) -> None:
        self._allowance = allowance
        self._most = most
        self._held = 0
        self._ended = False
        self._less = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether no more should be taken in now."""
        return self._held >= self._most or (self._allowance.used_up and self._held > SHARE_BYTES)

    def add(self, size: int) -> None:
        """So much came in."""
        self._held += size
        if not self._ended:
            self._allowance.held += size

    def remove(self, size: int) -> None:
        """So much was read, or dropped."""
        self._less.set()
        self._held -= size
        if not self._ended:
            self._allowance.held -= size

    def end(self) -> None:
        """The connection is over: what is held of it counts no more, and is gone soon."""
        if not self._ended:
            self._ended = True
            self._allowance.held -= self._held

    async def less(self) -> None:
        """Wait until something was read."""
        self._less.clear()
        await self._less.wait()
