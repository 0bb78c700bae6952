import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from app.kubelet.messages import Answer, Upgrade
from app.kubelet.streaming import remote as remotes
from app.kubelet.streaming.remote import CHANNELS, V4, V5, Remote, Streams, remote_command
from app.streaming.connections.channels import ChannelConnection
from app.streaming.connections.spdy import SpdyConnection, StreamRefused
from app.streaming.spdy.session import Role
from app.streaming.transport import Stream
from app.streaming.websocket import Side
from tests.fakes import settle
from tests.kubelet.streaming.requests import over_spdy, over_websocket
from tests.streaming.fakes import duplexes, everything

Named = Mapping[str, Stream]
Serve = Callable[[Remote], Awaitable[None]]
SUCCESS = {"metadata": {}, "status": "Success"}
ALL = Streams(stdin=True, stdout=True, stderr=True)
TERMINAL = Streams(stdin=True, stdout=True, tty=True)


class Client:
    """kubectl's side of one exec: its streams by name, and the server's task."""

    def __init__(self) -> None:
        self.duplex, self.server_end = duplexes()
        self.streams: Named = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, protocol: str, wanted: Streams, serve: Serve, *, spdy: bool) -> None:
        request = over_spdy(protocol) if spdy else over_websocket(protocol)
        upgrade = await remote_command(request, wanted, serve)
        assert isinstance(upgrade, Upgrade)
        assert protocol in dict(upgrade.headers).values()
        self.serving = asyncio.ensure_future(upgrade.run(self.server_end))
        await (self._open_spdy(wanted) if spdy else self._open_channels(protocol))

    async def _open_spdy(self, wanted: Streams) -> None:
        connection = SpdyConnection(self.duplex, Role.CLIENT)
        self.tasks.append(asyncio.create_task(connection.run()))
        names = [name for name in CHANNELS if name in wanted.names()]
        self.streams = {name: await connection.open((("streamtype", name),)) for name in names}

    async def _open_channels(self, protocol: str) -> None:
        connection = ChannelConnection(self.duplex, Side.CLIENT, reads=(1, 2, 3), half_close=protocol == V5)
        self.tasks.append(asyncio.create_task(connection.run()))
        self.streams = {name: connection.channel(number) for number, name in enumerate(CHANNELS)}

    async def status(self) -> Any:
        return json.loads(await self.streams["error"].read())

    async def finish(self) -> None:
        self.duplex.close()
        async with asyncio.timeout(30):
            await self.serving
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.finish()


async def repeat(remote: Remote) -> None:
    """Echo stdin, then say that it ended."""
    while data := await remote.stdin():
        await remote.stdout(data)
    await remote.stderr(b"that was all")
    await remote.status(SUCCESS)


BOTH = pytest.mark.parametrize(
    ("protocol", "spdy"),
    [
        pytest.param(V4, True, id="SPDY v4"),
        pytest.param(V5, True, id="SPDY v5"),
        pytest.param(V5, False, id="WebSocket v5"),
    ],
)


@BOTH
async def test_stdin_and_its_end_arrive_and_output_and_status_come_back(
    client: Client, protocol: str, spdy: bool
) -> None:
    await client.start(protocol, ALL, repeat, spdy=spdy)
    await client.streams["stdin"].write(bytes(range(256)))
    assert await client.streams["stdout"].read() == bytes(range(256))
    await client.streams["stdin"].close()
    assert await client.streams["stderr"].read() == b"that was all"
    assert await client.status() == SUCCESS


async def test_over_websocket_v4_stdin_never_ends_by_itself(client: Client) -> None:
    await client.start(V4, ALL, repeat, spdy=False)
    await client.streams["stdin"].write(b"one")
    assert await client.streams["stdout"].read() == b"one"
    await settle()
    assert not client.serving.done()


async def test_all_streams_end_with_the_status(client: Client) -> None:
    await client.start(V4, ALL, repeat, spdy=True)
    await client.streams["stdin"].close()
    assert await everything(client.streams["stdout"]) == b""
    assert await everything(client.streams["stderr"]) == b"that was all"
    assert json.loads(await everything(client.streams["error"])) == SUCCESS
    assert await everything(client.streams["stdin"]) == b""


@BOTH
async def test_a_terminal_tells_its_sizes_and_has_no_stderr(
    client: Client, protocol: str, spdy: bool
) -> None:
    async def show_size(remote: Remote) -> None:
        await remote.stderr(b"dropped")
        await remote.stdout(f"{await remote.resized()}".encode())
        await remote.stdout(f" {await remote.resized()}".encode())
        await remote.status(SUCCESS)

    await client.start(protocol, TERMINAL, show_size, spdy=spdy)
    await client.streams["resize"].write(b'{"Width":80,"Height":24}\n')
    assert await client.streams["stdout"].read() == b"(80, 24)"
    await client.streams["resize"].write(b'{"Width":81,"Height":25}\n')
    assert await client.streams["stdout"].read() == b" (81, 25)"
    assert await client.status() == SUCCESS


async def test_without_stdin_its_end_comes_at_once_and_without_a_terminal_no_size(client: Client) -> None:
    async def look(remote: Remote) -> None:
        resizing = asyncio.ensure_future(remote.resized())
        await remote.stdout(repr(await remote.stdin()).encode())
        await settle()
        await remote.stdout(b"!" if resizing.done() else b".")
        resizing.cancel()
        await remote.status(SUCCESS)

    await client.start(V4, Streams(stdout=True), look, spdy=True)
    assert await everything(client.streams["stdout"]) == b"b''."


@BOTH
async def test_a_failure_of_ours_ends_as_an_internal_error(client: Client, protocol: str, spdy: bool) -> None:
    async def fail(_: Remote) -> None:
        raise LookupError("no such thing")

    await client.start(protocol, ALL, fail, spdy=spdy)
    status = await client.status()
    assert (status["status"], status["reason"], status["code"]) == ("Failure", "InternalError", 500)
    assert "no such thing" in status["message"]


async def test_an_end_without_a_status_is_no_success(client: Client) -> None:
    async def say_nothing(_: Remote) -> None:
        return

    await client.start(V5, ALL, say_nothing, spdy=False)
    assert (await client.status())["reason"] == "InternalError"


@BOTH
@pytest.mark.parametrize(
    "busy_with", [pytest.param("stdin", id="reading"), pytest.param("resized", id="sizes")]
)
async def test_serving_is_cancelled_when_the_client_is_gone_and_hears_nothing_else(
    protocol: str, spdy: bool, busy_with: str
) -> None:
    heard: list[object] = []

    async def wait(remote: Remote) -> None:
        try:
            heard.append(await getattr(remote, busy_with)())
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    client = Client()
    await client.start(protocol, TERMINAL, wait, spdy=spdy)
    await settle()
    await client.finish()
    assert heard == ["cancelled"]


@BOTH
async def test_writing_to_a_client_that_is_gone_is_cancelled_too(protocol: str, spdy: bool) -> None:
    heard: list[str] = []

    async def flood(remote: Remote) -> None:
        try:
            while True:
                await remote.stdout(bytes(10_000))
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    client = Client()
    await client.start(protocol, ALL, flood, spdy=spdy)
    await settle(500)
    await client.finish()
    assert heard == ["cancelled"]


async def test_a_websocket_begins_with_an_empty_message_on_its_first_output() -> None:
    async def end(remote: Remote) -> None:
        await remote.status(SUCCESS)

    upgrade = await remote_command(over_websocket(V4), Streams(stderr=True), end)
    assert isinstance(upgrade, Upgrade)
    one, other = duplexes()
    serving = asyncio.ensure_future(upgrade.run(other))
    await settle()
    assert (await one.read())[:3] == b"\x82\x01\x02"
    one.close()
    await serving


async def test_a_stream_that_was_not_asked_for_is_refused(client: Client) -> None:
    upgrade = await remote_command(over_spdy(V4), Streams(stdout=True), repeat)
    assert isinstance(upgrade, Upgrade)
    client.serving = asyncio.ensure_future(upgrade.run(client.server_end))
    connection = SpdyConnection(client.duplex, Role.CLIENT)
    client.tasks.append(asyncio.create_task(connection.run()))
    with pytest.raises(StreamRefused):
        await connection.open((("streamtype", "stdin"),))


async def test_a_client_that_opens_no_streams_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "STREAMS_SECONDS", 0.01)
    upgrade = await remote_command(over_spdy(V4), ALL, repeat)
    assert isinstance(upgrade, Upgrade)
    one, other = duplexes()
    serving = asyncio.ensure_future(upgrade.run(other))
    assert (await one.read())[:4] == b"\x80\x03\x00\x07"
    one.close()
    await serving


@pytest.mark.parametrize(
    ("wanted", "protocol", "status"),
    [
        pytest.param(Streams(tty=True), V4, 400, id="no stream"),
        pytest.param(ALL, "channel.k8s.io", 403, id="an old protocol"),
    ],
)
async def test_what_cannot_be_served_is_answered(wanted: Streams, protocol: str, status: int) -> None:
    answer = await remote_command(over_spdy(protocol), wanted, repeat)
    assert isinstance(answer, Answer)
    assert answer.status == status
