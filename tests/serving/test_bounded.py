"""Half requests are given up and endless heads refused; answers may take as long as they like."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.serving.bounded import ARRIVAL, MOST_HEAD, MOST_HEADERS
from app.serving.server import KEEP_ALIVE, Listen, serve
from tests.fakes import VirtualClock

POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
WHOLE = POST + b"Content-Length: 2\r\n\r\n{}"


class Server:
    """A server that reads a request's body, waits as long as the test says, and answers."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.answer_after = 0.0
        self.endings: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
        self.endings.append(str(message["type"]))
        await self.clock.sleep(self.answer_after)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    @contextlib.asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        listen = Listen(host="127.0.0.1", port=0)
        serving = asyncio.create_task(serve(self, listen, clock=self.clock, started=self.port.set_result))
        await self.port
        yield
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        await asyncio.sleep(0.05)

    async def answer(self) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(b"hello"), 30)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection; it must."""
        try:
            return await asyncio.wait_for(self._reader.read(), 30)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    async with running.alive():
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    made = Client(*await asyncio.open_connection("127.0.0.1", await server.port))
    await asyncio.sleep(0.05)
    yield made
    made.close()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"PO", id="half a request line"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(POST, id="half the headers"),
        pytest.param(POST + b"Content-Length: 100\r\n\r\n{", id="half the body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", id="a chunk without an end"),
        pytest.param(WHOLE + b"POST / ", id="half of a second request"),
    ],
)
async def test_a_request_that_never_ends_is_given_up(server: Server, client: Client, begun: bytes) -> None:
    await client.say(begun)
    await server.clock.advance(ARRIVAL)
    await client.rest()


async def test_a_drip_of_bytes_does_not_buy_time(server: Server, client: Client) -> None:
    await client.say(POST)
    await server.clock.advance(ARRIVAL - 1)
    await client.say(b"X-More: a\r\n")
    await server.clock.advance(1)
    assert await client.rest() == b""


async def test_who_connects_and_says_nothing_is_shown_out_after_the_keep_alive(
    server: Server, client: Client
) -> None:
    await server.clock.advance(KEEP_ALIVE - 1)
    await client.say(WHOLE)
    assert (await client.answer()).startswith(b"HTTP/1.1 200")
    silent = Client(*await asyncio.open_connection("127.0.0.1", await server.port))
    await asyncio.sleep(0.05)
    await server.clock.advance(KEEP_ALIVE)
    assert await silent.rest() == b""
    silent.close()


async def test_an_answer_may_take_longer_than_a_request(server: Server, client: Client) -> None:
    server.answer_after = 10 * ARRIVAL
    await client.say(WHOLE)
    await server.clock.advance(10 * ARRIVAL)
    assert (await client.answer()).startswith(b"HTTP/1.1 200")


async def test_a_kept_connection_serves_request_after_request(server: Server, client: Client) -> None:
    for _ in range(3):
        await client.say(WHOLE)
        assert (await client.answer()).startswith(b"HTTP/1.1 200")
        await server.clock.advance(ARRIVAL + 1)
    assert server.endings == ["http.request"] * 3


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(POST + b"X-Long: " + b"a" * MOST_HEAD, id="one endless header"),
        pytest.param(b"POST /" + b"a" * MOST_HEAD, id="an endless path"),
        pytest.param(POST + b"X: y\r\n" * 2 * MOST_HEADERS, id="too many headers"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 2 * MOST_HEADERS,
            id="too many trailers",
        ),
    ],
)
async def test_an_endless_head_is_refused_at_once(server: Server, client: Client, head: bytes) -> None:
    await client.say(head)
    assert (await client.rest()).startswith(b"HTTP/1.1 400")


async def test_a_large_body_behind_a_small_head_is_taken(server: Server, client: Client) -> None:
    size = 4 * MOST_HEAD
    await client.say(POST + b"Content-Length: %d\r\n\r\n" % size + b"a" * size)
    assert (await client.answer()).startswith(b"HTTP/1.1 200")
