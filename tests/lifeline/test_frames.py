import asyncio

import pytest

from app.lifeline.frames import framed, next_frame


async def a_stream(data: bytes) -> asyncio.StreamReader:
    """A stream that ends after the data."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_messages_come_one_by_one_as_they_were_sent() -> None:
    reader = await a_stream(framed(b"one") + framed(b"") + framed(b"\n" * 100_000))
    assert [await next_frame(reader) for _ in range(4)] == [b"one", b"", b"\n" * 100_000, None]


@pytest.mark.parametrize("cut", [1, 4, 6])
async def test_a_message_that_was_cut_off_is_none(cut: int) -> None:
    assert await next_frame(await a_stream(framed(b"hello")[:cut])) is None
