import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from app.kubelet.connection import HttpConnection, HttpLimits
from app.kubelet.messages import Answer, Duplex, Handler, Request, Upgrade
from tests.kubelet.clients import comes_to_a_stand

UPGRADE = "GET /talk HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n"
PLAIN = "GET /talk HTTP/1.1\r\nHost: node\r\n\r\n"
SWITCH = (("Connection", "Upgrade"), ("Upgrade", "talk"))


class Node:
    """Serves connections, and keeps what it was asked and their tasks."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.port = 0
        self.serving: list[asyncio.Task[None]] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = HttpConnection(reader, writer, handler=self.handler, limits=HttpLimits())
        task = asyncio.create_task(connection.serve())
        self.serving.append(task)
        await asyncio.wait({task})
        writer.close()


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Node]:
    node = Node(handler)
    server = await asyncio.start_server(node.converse, "127.0.0.1", 0, ssl=tls)
    node.port = server.sockets[0].getsockname()[1]
    yield node
    server.close()
    async with asyncio.timeout(30):
        await asyncio.gather(*node.serving)


@asynccontextmanager
async def connected(
    node: Node, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port, ssl=tls)
    yield reader, writer
    writer.transport.abort()


async def repeat(duplex: Duplex) -> None:
    while data := await duplex.read():
        await duplex.write(data)


async def upgrade(_: Request) -> Answer | Upgrade:
    return Upgrade(SWITCH, repeat)


async def test_the_connection_is_handed_over_behind_the_answer() -> None:
    async with serving(upgrade) as node, connected(node) as (reader, writer):
        writer.write(UPGRADE.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(b"\x00\xff not HTTP")
        assert await reader.readexactly(11) == b"\x00\xff not HTTP"
    assert head.startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert "upgrade: talk\r\n" in head.lower()
    assert "content-length" not in head.lower()


async def test_what_came_behind_the_request_is_not_lost() -> None:
    async with serving(upgrade) as node, connected(node) as (reader, writer):
        writer.write(UPGRADE.encode() + b"early")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"early"
        writer.write(b" and late")
        assert await reader.readexactly(9) == b" and late"


async def test_the_connection_ends_when_its_owner_returns() -> None:
    async def hang_up(duplex: Duplex) -> None:
        await duplex.write(b"bye")

    async def answer(_: Request) -> Answer | Upgrade:
        return Upgrade(SWITCH, hang_up)

    async with serving(answer) as node, connected(node) as (reader, writer):
        writer.write(UPGRADE.encode())
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b"bye"


async def test_a_fault_of_the_owner_ends_that_connection_alone() -> None:
    async def fail(_: Duplex) -> None:
        raise LookupError("a fault of ours")

    async def answer(request: Request) -> Answer | Upgrade:
        return Upgrade(SWITCH, fail) if request.header("upgrade") else Answer(status=200, text="well")

    async with serving(answer) as node:
        async with connected(node) as (reader, writer):
            writer.write(UPGRADE.encode())
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.read() == b""
        async with connected(node) as (reader, writer):
            writer.write(PLAIN.encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_text",
    [
        pytest.param(PLAIN, id="no Upgrade header"),
        pytest.param(
            UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
            id="a body that waits",
        ),
    ],
)
async def test_a_request_that_cannot_be_upgraded_is_a_bad_one(request_text: str) -> None:
    async with serving(upgrade) as node, connected(node) as (reader, writer):
        writer.write(request_text.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


async def test_an_upgrade_may_be_refused_and_the_connection_goes_on() -> None:
    async def refuse(_: Request) -> Answer | Upgrade:
        return Answer(status=403, text="not you")

    async with serving(refuse) as node, connected(node) as (reader, writer):
        writer.write(UPGRADE.encode())
        assert b" 403 " in await reader.readuntil(b"not you\n")
        writer.write(UPGRADE.encode())
        assert b" 403 " in await reader.readuntil(b"not you\n")


async def test_a_client_that_goes_away_before_the_answer_stops_the_work() -> None:
    stopped = asyncio.Event()

    async def never(_: Request) -> Answer | Upgrade:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    async with serving(never) as node:
        async with connected(node) as (_, writer):
            writer.write(UPGRADE.encode())
            await asyncio.sleep(0.05)
        async with asyncio.timeout(30):
            await stopped.wait()


async def test_the_owner_reads_an_end_when_the_client_breaks_the_connection() -> None:
    heard: list[bytes] = []
    ended = asyncio.Event()

    async def listen(duplex: Duplex) -> None:
        heard.append(await duplex.read())
        ended.set()

    async def answer(_: Request) -> Answer | Upgrade:
        return Upgrade(SWITCH, listen)

    async with serving(answer) as node:
        async with connected(node) as (reader, writer):
            writer.write(UPGRADE.encode())
            await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(30):
            await ended.wait()
    assert heard == [b""]


async def test_a_slow_client_holds_its_writer_up() -> None:
    written: list[int] = []

    async def flood(duplex: Duplex) -> None:
        while True:
            await duplex.write(bytes(100_000))
            written.append(100_000)

    async def answer(_: Request) -> Answer | Upgrade:
        return Upgrade(SWITCH, flood)

    async with serving(answer) as node, connected(node) as (reader, writer):
        writer.write(UPGRADE.encode())
        await reader.readuntil(b"\r\n\r\n")
        await comes_to_a_stand(lambda: len(written))


async def test_a_handler_sees_headers_and_whom_the_certificate_names(authority: trustme.CA) -> None:
    seen: list[Request] = []

    async def look(request: Request) -> Answer | Upgrade:
        seen.append(request)
        return Answer(status=200, text="seen")

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    authority.configure_trust(server_side)
    server_side.verify_mode = ssl.CERT_REQUIRED
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client_side)
    authority.issue_cert(common_name="kube-apiserver", organization_name="system:masters").configure_cert(
        client_side
    )
    async with serving(look, server_side) as node, connected(node, client_side) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: node\r\nX-Stream: a\r\nX-Stream: b\r\n\r\n")
        await reader.readuntil(b"seen\n")
    assert seen[0].headers == (("host", "node"), ("x-stream", "a"), ("x-stream", "b"))
    assert (seen[0].client, seen[0].organizations) == ("kube-apiserver", ("system:masters",))
