"""A scripted API server on loopback: each request gets the next prepared answer, byte by byte if need be."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import h11

HANG = b"\0hang"
"""In an answer: say nothing more, and keep the connection open."""


class Seen(NamedTuple):
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class WireServer:
    """`seen` holds the requests; `answers` the raw answers still to give."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: deque[tuple[bytes, ...]] = deque()
        self.port = 0
        self._serving: set[asyncio.Task[None]] = set()

    def answer(self, *pieces: bytes) -> None:
        """Queue an answer's bytes, sent piece by piece; the connection is closed behind it."""
        self.answers.append(pieces)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._serving.add(asyncio.ensure_future(self._serve(reader, writer)))

    async def stop(self) -> None:
        """End every connection; a test's mistake in its script is raised here."""
        for each in self._serving:
            each.cancel()
        endings = await asyncio.gather(*self._serving, return_exceptions=True)
        for mistake in (each for each in endings if isinstance(each, IndexError | h11.RemoteProtocolError)):
            raise mistake

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.seen.append(await _request(reader))
            for piece in self.answers.popleft():
                if piece == HANG:
                    await reader.read()
                    return
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            writer.close()


def response(status: int, body: bytes, *, length: int | None = None) -> bytes:
    """A whole answer; `length` lies about the body's length."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a chunked answer."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


@asynccontextmanager
async def wire_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[WireServer]:
    """A server on a free port of loopback."""
    scripted = WireServer()
    server = await asyncio.start_server(scripted.accept, "127.0.0.1", 0, ssl=tls)
    scripted.port = server.sockets[0].getsockname()[1]
    async with server:
        yield scripted
        await scripted.stop()


async def _request(reader: asyncio.StreamReader) -> Seen:
    connection = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            case h11.Request():
                head = event
            case h11.Data():
                body += bytes(event.data)
            case _:
                break
    assert head is not None
    headers = {name.decode(): value.decode() for name, value in head.headers}
    return Seen(head.method.decode(), head.target.decode(), headers, body)
