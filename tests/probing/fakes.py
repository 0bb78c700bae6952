"""Servers on loopback that answer as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Handler) -> AsyncIterator[int]:
    """A TCP server; yields its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class HttpServer:
    """Answers each path with what the test wrote, as raw bytes of HTTP."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.heads: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        path = head.split(" ", 2)[1]
        writer.write(self.answers.get(path, status(404)))
        await writer.drain()
        writer.close()


def status(code: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} x", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


class GrpcServer:
    """Answers every call with one message and one status."""

    def __init__(self, *, message: bytes = b"\x08\x01", grpc_status: str = "0") -> None:
        self.message = message
        self.grpc_status = grpc_status
        self.asked: list[bytes] = []
        self.paths: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                self._take(event, connection)
            writer.write(connection.data_to_send())
        writer.close()

    def _take(self, event: h2.events.Event, connection: h2.connection.H2Connection) -> None:
        match event:
            case h2.events.RequestReceived(headers=headers):
                self.paths += [bytes(value).decode() for name, value in headers or () if name == b":path"]
            case h2.events.DataReceived(data=data):
                self.asked.append(bytes(data or b""))
            case h2.events.StreamEnded(stream_id=stream):
                self._answer(connection, stream or 1)
            case _:
                """Settings and windows."""

    def _answer(self, connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        framed = b"\x00" + len(self.message).to_bytes(4, "big") + self.message
        connection.send_data(stream, framed)
        connection.send_headers(stream, [("grpc-status", self.grpc_status)], end_stream=True)
