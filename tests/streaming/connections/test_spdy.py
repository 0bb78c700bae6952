import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.streaming.connections import connection as connections
from app.streaming.connections.allowance import CONNECTION_BYTES
from app.streaming.connections.inbox import INBOX_BYTES
from app.streaming.connections.spdy import SpdyConnection, SpdyStream, StreamRefused
from app.streaming.spdy.frames import ControlType, SpdyLimits, control_frame
from app.streaming.spdy.session import Role
from app.streaming.transport import ConnectionEnded
from tests.fakes import settle
from tests.streaming.fakes import duplexes, everything
from tests.streaming.spdy.bytes import KUBECTL

Work = Callable[[SpdyConnection], Awaitable[None]]


class Ends:
    """A client's connection that runs, the server's, and what lies below them."""

    def __init__(self, *, linger: float = 5.0, limits: SpdyLimits | None = None) -> None:
        self.client_end, self.server_end = duplexes()
        self.client = SpdyConnection(self.client_end, Role.CLIENT)
        self.server = SpdyConnection(self.server_end, Role.SERVER, linger=linger, limits=limits)
        self.running = asyncio.create_task(self.client.run())

    def serve(self, work: Work) -> asyncio.Task[None]:
        async def working() -> None:
            await work(self.server)

        return asyncio.create_task(self.server.serve(working()))


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    ends = Ends()
    yield ends
    ends.running.cancel()
    await asyncio.gather(ends.running, return_exceptions=True)


async def echo(connection: SpdyConnection) -> None:
    stream = await connection.incoming()
    stream.accept()
    while data := await stream.read():
        await stream.write(data)
    await stream.close()


async def for_ever(_: SpdyConnection) -> None:
    await asyncio.Event().wait()


async def test_a_stream_carries_bytes_both_ways_until_both_ends(ends: Ends) -> None:
    serving = ends.serve(echo)
    stream = await ends.client.open((("streamtype", "data"),))
    sending = asyncio.create_task(stream.write(b"ab" * 500_000))
    ending = asyncio.gather(sending, return_exceptions=False)
    got = b""
    while len(got) < 1_000_000:
        got += await stream.read()
    await ending
    await stream.close()
    assert await stream.read() == b""
    assert got == b"ab" * 500_000
    ends.client_end.close()
    await serving


async def test_headers_of_a_stream_are_known_to_the_peer(ends: Ends) -> None:
    opened: list[SpdyStream] = []

    async def look(connection: SpdyConnection) -> None:
        opened.append(await connection.incoming())
        opened[0].accept()
        await for_ever(connection)

    serving = ends.serve(look)
    await ends.client.open((("streamtype", "data"), ("port", "80")))
    assert opened[0].header("port") == "80"
    assert opened[0].header("other") == ""
    ends.client_end.close()
    await serving


async def test_a_stream_that_is_not_accepted_is_refused(ends: Ends) -> None:
    async def refuse(connection: SpdyConnection) -> None:
        (await connection.incoming()).reset()
        await for_ever(connection)

    serving = ends.serve(refuse)
    with pytest.raises(StreamRefused):
        await ends.client.open(())
    ends.client_end.close()
    await serving


async def test_the_work_is_cancelled_when_the_peer_is_gone(ends: Ends) -> None:
    cancelled = asyncio.Event()

    async def work(_: SpdyConnection) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    serving = ends.serve(work)
    await settle()
    ends.client_end.close()
    await serving
    assert cancelled.is_set()


async def test_the_work_is_cancelled_when_the_peer_breaks_the_protocol() -> None:
    client_end, server_end = duplexes()
    server = SpdyConnection(server_end, Role.SERVER)
    serving = asyncio.create_task(server.serve(for_ever(server)))
    await client_end.write(b"\xff" * 100)
    async with asyncio.timeout(30):
        await serving
    assert (await client_end.read())[:4] == b"\x80\x03\x00\x07"


async def test_a_peer_that_does_not_read_holds_up_who_writes(ends: Ends) -> None:
    async def flood(connection: SpdyConnection) -> None:
        stream = await connection.incoming()
        stream.accept()
        while True:
            await stream.write(bytes(10_000))

    serving = ends.serve(flood)
    await ends.client.open(())
    await settle(2000)
    held_up_at = ends.server_end.written
    await settle(2000)
    assert ends.server_end.written == held_up_at
    assert held_up_at < 2 * INBOX_BYTES
    ends.client_end.close()
    await serving


async def test_many_streams_that_nobody_reads_hold_up_their_connection_together(ends: Ends) -> None:
    accepted: list[SpdyStream] = []

    async def accept_all(connection: SpdyConnection) -> None:
        while True:
            accepted.append(await connection.incoming())
            accepted[-1].accept()

    serving = ends.serve(accept_all)
    streams = [await ends.client.open(()) for _ in range(40)]
    writing = [asyncio.create_task(stream.write(bytes(INBOX_BYTES - 1))) for stream in streams]
    await settle(2000)
    assert not any(stream.inbox.full for stream in accepted)
    assert ends.client_end.written < CONNECTION_BYTES + 4 * INBOX_BYTES
    while not all(task.done() for task in writing):
        for stream in accepted:
            stream.inbox.drop()
        await settle()
    ends.client_end.close()
    await serving


async def test_work_that_fails_leaves_its_peer_at_once() -> None:
    ends = Ends(linger=3600.0)

    async def fail(_: SpdyConnection) -> None:
        raise LookupError("over")

    with pytest.raises(LookupError):
        async with asyncio.timeout(30):
            await ends.serve(fail)
    ends.running.cancel()
    await asyncio.gather(ends.running, return_exceptions=True)


async def test_a_gone_peer_is_noticed_while_it_is_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEARTBEAT_SECONDS", 0.01)
    ends = Ends()

    async def read_nothing(connection: SpdyConnection) -> None:
        (await connection.incoming()).accept()
        await for_ever(connection)

    serving = ends.serve(read_nothing)
    stream = await ends.client.open(())
    writing = asyncio.create_task(stream.write(bytes(4 * INBOX_BYTES)))
    await settle(500)
    assert not serving.done()
    ends.client_end.close()
    async with asyncio.timeout(30):
        await serving
    await asyncio.gather(writing, ends.running, return_exceptions=True)


async def test_all_that_was_written_arrives_before_the_connection_is_left(ends: Ends) -> None:
    async def say_much(connection: SpdyConnection) -> None:
        stream = await connection.incoming()
        stream.accept()
        await stream.write(bytes(150_000))
        await stream.close()

    serving = ends.serve(say_much)
    stream = await ends.client.open(())
    await settle(500)
    assert not serving.done()
    assert len(await everything(stream)) == 150_000
    ends.client_end.close()
    async with asyncio.timeout(30):
        await serving


async def test_a_peer_that_never_closes_is_left_in_the_end() -> None:
    ends = Ends(linger=0.01)

    async def nothing(_: SpdyConnection) -> None:
        return

    async with asyncio.timeout(30):
        await ends.serve(nothing)
    ends.client_end.close()
    await ends.running


async def test_what_the_work_raises_is_raised(ends: Ends) -> None:
    async def fail(_: SpdyConnection) -> None:
        raise LookupError("a fault of ours")

    serving = ends.serve(fail)
    await settle()
    ends.client_end.close()
    with pytest.raises(LookupError, match="a fault of ours"):
        await serving


async def test_cancelling_leaves_no_task_behind(ends: Ends) -> None:
    before = asyncio.all_tasks()
    serving = ends.serve(for_ever)
    await settle()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert asyncio.all_tasks() == before


async def test_streams_end_with_the_connection(ends: Ends) -> None:
    serving = ends.serve(echo)
    stream = await ends.client.open(())
    ends.server_end.close()
    await ends.running
    with pytest.raises(ConnectionEnded):
        await stream.read()
    with pytest.raises(ConnectionEnded):
        await stream.write(b"x")
    with pytest.raises(ConnectionEnded):
        await ends.client.incoming()
    await serving


async def test_streams_that_nobody_takes_are_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.streaming.connections.spdy.MOST_WAITING", 2)
    ends = Ends()
    serving = ends.serve(for_ever)
    opening = [asyncio.create_task(ends.client.open(())) for _ in range(3)]
    with pytest.raises(StreamRefused):
        await opening[2]
    assert not opening[0].done()
    ends.client_end.close()
    await asyncio.gather(serving, *opening, return_exceptions=True)
    await ends.running


@settings(max_examples=50)
@given(cut=st.integers(0, len(KUBECTL)), noise=st.binary(max_size=100))
async def test_noise_ends_the_connection_or_is_borne_and_leaves_no_task(cut: int, noise: bytes) -> None:
    before = asyncio.all_tasks()
    client_end, server_end = duplexes()
    server = SpdyConnection(server_end, Role.SERVER)
    serving = asyncio.create_task(server.serve(echo(server)))
    await client_end.write(KUBECTL[:cut] + noise)
    await settle()
    client_end.close()
    async with asyncio.timeout(30):
        await serving
    assert asyncio.all_tasks() == before


async def test_a_peer_that_pings_and_reads_nothing_is_given_up() -> None:
    client_end, server_end = duplexes(room=10_000_000, back=10)
    server = SpdyConnection(server_end, Role.SERVER)
    serving = asyncio.create_task(server.serve(for_ever(server)))
    await client_end.write(control_frame(ControlType.PING, (1).to_bytes(4)) * 200_000)
    async with asyncio.timeout(30):
        await serving
