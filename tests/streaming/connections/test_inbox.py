import asyncio

import pytest

from app.streaming.connections.allowance import Allowance, Holding
from app.streaming.connections.inbox import INBOX_BYTES, Inbox
from app.streaming.transport import ConnectionEnded
from tests.fakes import settle


def an_inbox(*, most: int = INBOX_BYTES) -> Inbox:
    return Inbox(Holding(Allowance()), most=most)


async def test_what_came_in_is_read_piece_by_piece_and_then_its_end() -> None:
    inbox = an_inbox()
    inbox.put(b"one")
    inbox.put(b"")
    inbox.put(b"two")
    inbox.end()
    assert [await inbox.get() for _ in range(4)] == [b"one", b"two", b"", b""]


async def test_a_reader_waits_for_what_comes() -> None:
    inbox = an_inbox()
    reading = asyncio.create_task(inbox.get())
    await settle()
    assert not reading.done()
    inbox.put(b"late")
    assert await reading == b"late"


async def test_it_is_full_until_it_is_read() -> None:
    inbox = an_inbox(most=3)
    inbox.put(b"four")
    assert inbox.full
    await inbox.get()
    assert not inbox.full


async def test_what_came_before_the_connection_was_lost_is_read_first() -> None:
    inbox = an_inbox()
    inbox.put(b"one")
    inbox.lose()
    assert await inbox.get() == b"one"
    with pytest.raises(ConnectionEnded):
        await inbox.get()


async def test_dropping_makes_room_and_takes_nothing_more() -> None:
    inbox = an_inbox(most=1)
    inbox.put(b"one")
    inbox.drop()
    inbox.put(b"two")
    assert not inbox.full
