import asyncio
import errno
from collections.abc import AsyncIterator

import pytest

from app.kubelet.forwarding import forwarder as forwarders
from app.kubelet.forwarding.port_forward import CHANNELS_PROTOCOL, SPDY_PROTOCOL, PortForward
from app.kubelet.messages import Answer, Request
from app.streaming.connections.channels import ChannelConnection
from app.streaming.connections.spdy import StreamRefused
from app.streaming.transport import Stream
from app.streaming.websocket import Side
from tests.fakes import settle
from tests.kubelet.clients import comes_to_a_stand
from tests.kubelet.forwarding.fakes import (
    NOWHERE,
    Client,
    OnePod,
    echo,
    greet_and_close,
    listen_for_ever,
    reset,
)
from tests.kubelet.streaming.requests import over_spdy, over_websocket
from tests.streaming.fakes import everything


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.finish()


async def until(stream: Stream, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += await stream.read()
    return got


@pytest.mark.parametrize("tunnel", [pytest.param(False, id="SPDY"), pytest.param(True, id="in a WebSocket")])
async def test_bytes_go_both_ways_until_the_client_ends(client: Client, tunnel: bool) -> None:
    port = await client.listen(echo)
    data, error = await client.pair(await client.spdy(tunnel=tunnel), port)
    sending = asyncio.create_task(data.write(b"ab" * 300_000))
    assert await until(data, 600_000) == b"ab" * 300_000
    await sending
    await data.close()
    assert await everything(data) == b""
    assert await everything(error) == b""


async def test_several_connections_go_on_at_once(client: Client) -> None:
    port = await client.listen(echo)
    connection = await client.spdy()
    pairs = [await client.pair(connection, port) for _ in range(3)]
    for number, (data, _) in enumerate(pairs):
        await data.write(f"connection {number}".encode())
    assert [await data.read() for data, _ in pairs] == [b"connection 0", b"connection 1", b"connection 2"]


async def test_both_streams_end_when_the_program_closes_though_the_client_has_not(client: Client) -> None:
    port = await client.listen(greet_and_close)
    data, error = await client.pair(await client.spdy(), port)
    assert await everything(data) == b"hello"
    assert await everything(error) == b""


async def test_a_program_that_resets_ends_the_streams_without_an_error(client: Client) -> None:
    port = await client.listen(reset)
    data, error = await client.pair(await client.spdy(), port)
    await data.write(b"x")
    assert await everything(data) == b""
    assert await everything(error) == b""


async def test_a_program_that_does_not_end_after_the_client_did_is_left(client: Client) -> None:
    port = await client.listen(listen_for_ever)
    data, error = await client.pair(await client.spdy(), port)
    await data.close()
    ending = asyncio.create_task(everything(error))
    while not ending.done():
        await client.clock.advance(1)
        await asyncio.sleep(0.001)
    assert client.clock.steady() >= forwarders.GRACE_SECONDS
    assert await everything(data) == b""


async def test_a_port_where_nothing_listens_is_told_on_the_error_stream(client: Client) -> None:
    data, error = await client.pair(await client.spdy(), NOWHERE)
    told = (await everything(error)).decode()
    assert told.startswith(
        "error forwarding port 1 to pod web-1: failed to connect to 127.0.0.1:1: connect: connection refused;"
    )
    assert "listen on" in told
    assert await everything(data) == b""


async def test_a_port_that_does_not_answer_is_told_with_its_mend(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dial(_: str, __: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(forwarders, "DIAL_SECONDS", 0.01)
    client.forward = PortForward(OnePod(), clock=client.clock, dial=dial)
    _, error = await client.pair(await client.spdy(), 80)
    assert b"security groups" in await everything(error)


async def test_a_pod_that_cannot_be_reached_is_told_with_its_mend(client: Client) -> None:
    async def dial(_: str, __: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    client.forward = PortForward(OnePod(), clock=client.clock, dial=dial)
    _, error = await client.pair(await client.spdy(), 80)
    told = (await everything(error)).decode()
    assert "failed to connect to 127.0.0.1:80: No route to host; let the bridge's network reach" in told


async def test_connections_beyond_the_most_are_refused_until_one_ends(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarders, "MOST_CONNECTIONS", 1)
    port = await client.listen(greet_and_close)
    holding = await client.listen(listen_for_ever)
    connection = await client.spdy()
    held, _ = await client.pair(connection, holding)
    _, refused = await client.pair(connection, port)
    assert b"forwarded by this node already; close some" in await everything(refused)
    held.reset()
    await asyncio.sleep(0.05)
    await client.clock.advance(forwarders.GRACE_SECONDS + 1)
    data, _ = await client.pair(connection, port)
    assert await everything(data) == b"hello"


async def test_one_failure_leaves_the_other_connections_alone(client: Client) -> None:
    port = await client.listen(echo)
    connection = await client.spdy()
    data, _ = await client.pair(connection, port)
    _, refused = await client.pair(connection, NOWHERE)
    await everything(refused)
    await data.write(b"still here")
    assert await data.read() == b"still here"


async def test_a_fault_of_ours_ends_one_connection_alone(client: Client) -> None:
    async def dial(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port == NOWHERE:
            raise LookupError("a fault of ours")
        return await asyncio.open_connection(address, port)

    client.forward = PortForward(OnePod(), clock=client.clock, dial=dial)
    port = await client.listen(echo)
    connection = await client.spdy()
    data, _ = await client.pair(connection, port)
    _, broken = await client.pair(connection, NOWHERE)
    assert await everything(broken) == b""
    await data.write(b"still here")
    assert await data.read() == b"still here"


async def test_a_stream_whose_other_half_never_comes_is_given_up(client: Client) -> None:
    connection = await client.spdy()
    error = await connection.open((("streamtype", "error"), ("port", "80"), ("requestid", "1")))
    await settle()
    await client.clock.advance(31)
    assert await everything(error) == b"timed out waiting for streams"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((("streamtype", "data"),), id="no port"),
        pytest.param((("streamtype", "data"), ("port", "99999")), id="bad port"),
        pytest.param((("streamtype", "stdin"), ("port", "80")), id="another kind"),
    ],
)
async def test_a_stream_that_makes_no_sense_is_refused(
    client: Client, headers: tuple[tuple[str, str], ...]
) -> None:
    connection = await client.spdy()
    with pytest.raises(StreamRefused):
        await connection.open(headers)


async def test_a_client_that_is_gone_leaves_no_task_and_no_connection(client: Client) -> None:
    ended = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            ended.set()

    before = asyncio.all_tasks()
    data, _ = await client.pair(await client.spdy(), await client.listen(watch))
    await data.write(b"x")
    client.duplex.close()
    async with asyncio.timeout(30):
        await ended.wait()
    await client.finish()
    assert asyncio.all_tasks() == before


async def test_a_reader_that_is_slow_holds_the_program_up(client: Client) -> None:
    written = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        while not writer.is_closing():
            writer.write(bytes(100_000))
            await writer.drain()
            written += 100_000

    port = await client.listen(flood)
    await client.pair(await client.spdy(), port)
    await comes_to_a_stand(lambda: written)


async def test_channels_begin_with_their_port_and_errors_have_one_of_their_own(client: Client) -> None:
    port = await client.listen(echo)
    await client.start(over_websocket(CHANNELS_PROTOCOL), f"port={port},{NOWHERE}")
    connection = ChannelConnection(client.duplex, Side.CLIENT, reads=range(4))
    client.tasks.append(asyncio.ensure_future(connection.run()))
    begun = [await connection.channel(number).read() for number in range(4)]
    assert begun == [port.to_bytes(2, "little")] * 2 + [NOWHERE.to_bytes(2, "little")] * 2
    await connection.channel(0).write(b"hello")
    assert await connection.channel(0).read() == b"hello"
    assert b"connection refused" in await connection.channel(3).read()


@pytest.mark.parametrize("tunnel", [pytest.param(False, id="SPDY"), pytest.param(True, id="in a WebSocket")])
async def test_a_pod_that_is_over_ends_the_connection_and_all_in_it(client: Client, tunnel: bool) -> None:
    port = await client.listen(listen_for_ever)
    data, _ = await client.pair(await client.spdy(tunnel=tunnel), port)
    reading = asyncio.create_task(data.read())
    await settle()
    client.pod.end = 'pod "web-1" does not run any more: its task has stopped'
    await client.clock.advance(2)
    async with asyncio.timeout(30):
        await client.serving
    assert await reading == b""


async def test_channels_end_with_their_pod(client: Client) -> None:
    port = await client.listen(listen_for_ever)
    await client.start(over_websocket(CHANNELS_PROTOCOL), f"port={port}")
    client.pod.end = 'pod "web-1" does not run any more: its task has stopped'
    await settle()
    await client.clock.advance(2)
    async with asyncio.timeout(30):
        await client.serving


@pytest.mark.parametrize(
    ("request_", "pod", "query", "status", "text"),
    [
        pytest.param(over_spdy(SPDY_PROTOCOL), "web-9", "", 404, "does not exist", id="no pod"),
        pytest.param(over_spdy(SPDY_PROTOCOL), "web-2", "", 400, "no address yet", id="no address"),
        pytest.param(over_spdy("v1"), "web-1", "", 403, "server accepts", id="no protocol"),
        pytest.param(over_websocket(CHANNELS_PROTOCOL), "web-1", "", 400, '"port" is required', id="no port"),
    ],
)
async def test_what_cannot_be_forwarded_is_answered(
    client: Client, request_: Request, pod: str, query: str, status: int, text: str
) -> None:
    answer = await client.forward.answer(request_, "shop", pod, query)
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert text in answer.text
