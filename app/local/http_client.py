"""A small HTTP/1.1 client with one kept-alive connection, for loopback services and the scheduler's extender.

h11 speaks the protocol (https://h11.readthedocs.io); this file moves the bytes. Every failure of the far
side is one `HttpError`: the callers only ever skip or report it.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from app.local.loopback import LOOPBACK

_CHUNK = 65_536


class HttpError(Exception):
    """No usable answer: refused, cut off, too slow, or not HTTP."""


@dataclass(frozen=True, slots=True)
class Response:
    """Status code and whole body."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection


class HttpClient:
    """Requests to one origin, one at a time over one connection that is opened anew when it was closed."""

    def __init__(
        self,
        origin: str,
        *,
        timeout: float = 5.0,
        tls: ssl.SSLContext | None = None,
        token: str = "",
        server_name: str = "",
    ) -> None:
        """Nothing is connected yet.

        Args:
            origin: `http://host:port` or `https://host:port`; a path is ignored.
            timeout: seconds for one whole request, connecting included.
            tls: trust for https; the machine's own where it is left out.
            token: bearer token, or empty for none.
            server_name: the name to verify where it is not the host that is connected to.
        """
        parts = urlsplit(origin)
        self._host = parts.hostname or LOOPBACK
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._timeout = timeout
        self._token = token
        self._server_name = server_name or self._host
        self._connection: _Connection | None = None
        self._turn = asyncio.Lock()

    async def request(
        self, method: str, path: str, *, body: bytes = b"", content_type: str = "application/json"
    ) -> Response:
        """One request and its answer, whatever the status.

        A kept connection that the server closed meanwhile is replaced once: nothing of the answer was seen,
        and every caller's request is safe to repeat.

        Raises:
            HttpError: no answer within the timeout.
        """
        headers = self._headers(body, content_type)
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._attempt(h11.Request(method=method, target=path, headers=headers), body)
            except TimeoutError as error:
                self._drop()
                raise HttpError(f"{self._host}:{self._port} gave no answer in {self._timeout} s") from error
            except (OSError, EOFError, h11.ProtocolError) as error:
                self._drop()
                raise HttpError(f"{self._host}:{self._port}: {str(error) or type(error).__name__}") from error
            except BaseException:
                self._drop()
                raise

    async def close(self) -> None:
        """Close the connection, if one is open, and see it gone."""
        async with self._turn:
            connection = self._connection
            self._drop()
        if connection is not None:
            with suppress(OSError, TimeoutError):  # the far side may have gone without a word
                async with asyncio.timeout(self._timeout):
                    await connection.writer.wait_closed()

    async def _attempt(self, request: h11.Request, body: bytes) -> Response:
        if self._connection is not None:
            try:
                return await self._exchange(self._connection, request, body)
            except (OSError, EOFError):
                self._drop()
        self._connection = await self._connect()
        return await self._exchange(self._connection, request, body)

    async def _connect(self) -> _Connection:
        name = self._server_name if self._tls else None
        reader, writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, server_hostname=name
        )
        return _Connection(reader, writer, h11.Connection(h11.CLIENT))

    async def _exchange(self, connection: _Connection, request: h11.Request, body: bytes) -> Response:
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            connection.writer.write(connection.protocol.send(event) or b"")
        await connection.writer.drain()
        response = await self._read(connection)
        if connection.protocol.our_state is h11.DONE and connection.protocol.their_state is h11.DONE:
            connection.protocol.start_next_cycle()
        else:
            self._drop()
        return response

    def _headers(self, body: bytes, content_type: str) -> list[tuple[str, str]]:
        headers = {
            "Host": f"{self._host}:{self._port}",
            "Accept": "application/json",
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return list(headers.items())

    @staticmethod
    async def _read(connection: _Connection) -> Response:
        status = 0
        chunks: list[bytes] = []
        while True:
            event = connection.protocol.next_event()
            if event is h11.NEED_DATA:
                data = await connection.reader.read(_CHUNK)
                if not data and connection.protocol.their_state is h11.SEND_RESPONSE:
                    raise EOFError("the connection was closed before an answer came")
                connection.protocol.receive_data(data)
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                chunks.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return Response(status, b"".join(chunks))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.writer.close()
            self._connection = None


def loopback_tls(ca_pem: bytes) -> ssl.SSLContext:
    """Trust in exactly this authority, whatever the environment says about certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_pem.decode())
    return context
