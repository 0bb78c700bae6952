"""Messages over a stream: four bytes of length, most significant first, then as many bytes."""

import asyncio
from typing import Final

_LENGTH: Final = 4


def framed(message: bytes) -> bytes:
    """The message as it goes over the stream."""
    return len(message).to_bytes(_LENGTH, "big") + message


async def next_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next message; None where the far side is gone, in the middle of one or between two."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
