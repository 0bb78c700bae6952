"""A server that stops takes leave of its clients: no request sent before they knew stays unanswered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from app.serving.server import Listen, serve
from tests.fakes import VirtualClock

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Server:
    """A server that answers `hello`, as soon as it may."""

    def __init__(self) -> None:
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        self.serving: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.set()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def stop(self) -> None:
        """Returns when nobody new is let in: connections are told in the same breath."""
        assert self.serving is not None
        self.serving.cancel()
        for _ in range(1000):
            if not await self._lets_in():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it still listens")

    async def _lets_in(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", await self.port)
        except ConnectionError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    @contextlib.asynccontextmanager
    async def alive(self, *, linger: float) -> AsyncIterator[None]:
        listen = Listen(host="127.0.0.1", port=0, linger=linger)
        running = serve(self, listen, clock=VirtualClock(), started=self.port.set_result)
        self.serving = asyncio.create_task(running)
        await self.port
        yield
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)


class Client:
    """A connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, server: Server) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", await server.port))

    def ask(self) -> None:
        self._writer.write(REQUEST)

    async def answer(self) -> str:
        """The head of the answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert await self._reader.readexactly(5) == b"hello"
        return head

    async def rest(self) -> bytes:
        """What else comes, until the server closes."""
        found = await asyncio.wait_for(self._reader.read(), timeout=30)
        self._writer.close()
        await self._writer.wait_closed()
        return found


async def test_who_asked_just_now_is_answered_once_more_and_told_that_it_was_the_last_time() -> None:
    server = Server()
    async with server.alive(linger=3):
        client = await Client.to(server)
        client.ask()
        assert "connection: close" not in await client.answer()
        await server.stop()
        client.ask()
        assert "connection: close" in await client.answer()
        assert await client.rest() == b""


async def test_a_request_under_way_is_told_that_it_was_the_last() -> None:
    server = Server()
    async with server.alive(linger=3):
        client = await Client.to(server)
        server.may_answer.clear()
        client.ask()
        await server.asked.wait()
        await server.stop()
        server.may_answer.set()
        assert "connection: close" in await client.answer()
        assert await client.rest() == b""


async def test_who_stays_silent_is_hung_up_on() -> None:
    server = Server()
    async with server.alive(linger=0.2):
        client = await Client.to(server)
        client.ask()
        await client.answer()
        await server.stop()
        assert await client.rest() == b""


async def test_who_never_asked_is_hung_up_on_at_once() -> None:
    server = Server()
    async with server.alive(linger=60):
        client = await Client.to(server)
        await server.stop()
        assert await client.rest() == b""
