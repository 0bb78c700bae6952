import asyncio
from collections.abc import AsyncIterator

import pytest

from app.streaming.connections.outbox import MOST_BYTES, OUTBOX_BYTES, Outbox
from app.streaming.transport import ConnectionEnded, ProtocolViolation
from tests.fakes import settle
from tests.streaming.fakes import FakeDuplex, duplexes


@pytest.fixture
def ends() -> tuple[FakeDuplex, FakeDuplex]:
    return duplexes(room=10)


@pytest.fixture
async def outbox(ends: tuple[FakeDuplex, FakeDuplex]) -> AsyncIterator[Outbox]:
    outbox = Outbox(ends[0])
    running = asyncio.create_task(outbox.run())
    yield outbox
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_put_is_sent_in_order(outbox: Outbox, ends: tuple[FakeDuplex, FakeDuplex]) -> None:
    outbox.put(b"one ")
    outbox.put(b"two")
    await outbox.sent()
    assert await ends[1].read() == b"one two"


async def test_who_sends_waits_for_a_peer_that_does_not_read(
    outbox: Outbox, ends: tuple[FakeDuplex, FakeDuplex]
) -> None:
    outbox.put(bytes(OUTBOX_BYTES))
    waiting = asyncio.create_task(outbox.room())
    await settle()
    assert not waiting.done()
    await ends[1].read()
    await waiting


async def test_a_peer_that_reads_no_answer_is_given_up() -> None:
    outbox = Outbox(duplexes()[0])
    outbox.put(bytes(MOST_BYTES))
    with pytest.raises(ProtocolViolation, match="does not read"):
        outbox.put(b"x")


async def test_writing_ends_with_the_connection_and_so_does_waiting() -> None:
    one, other = duplexes(room=10)
    outbox = Outbox(one)
    outbox.put(bytes(OUTBOX_BYTES))
    waiting = asyncio.create_task(outbox.sent())
    await settle()
    other.close()
    await outbox.run()
    outbox.end()
    with pytest.raises(ConnectionEnded):
        await waiting


async def test_who_writes_to_nowhere_lets_others_run(outbox: Outbox) -> None:
    other = asyncio.create_task(settle(1))
    for _ in range(5):
        await outbox.room()
    assert other.done()
