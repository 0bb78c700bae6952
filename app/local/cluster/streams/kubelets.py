"""Connecting to a kubelet, and asking it to upgrade the connection."""

import asyncio
import os
import ssl
from collections.abc import Iterable
from typing import Final

import h11
import msgspec

from app.local.cluster.streams.locations import Location
from app.local.cluster.streams.pipes import Pipe

_CONNECT_SECONDS: Final = 10.0
_CHUNK: Final = 65_536
SWITCHING: Final = 101
Headers = Iterable[tuple[str, str]]


class DialError(Exception):
    """The kubelet was not reached, or gave no answer; the message is in Go's words."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A kubelet's answer: after 101 without a body, and the connection goes on; else whole."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first header of this name (in lower case); "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self) -> bytes:
        """The answer as it goes to the client; any but 101 closes the connection."""
        headers = self.headers
        if self.status != SWITCHING:
            framing = {"connection", "content-length", "transfer-encoding"}
            kept = tuple(pair for pair in headers if pair[0].lower() not in framing)
            headers = (*kept, ("Content-Length", str(len(self.body))), ("Connection", "close"))
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def asked(
    location: Location, tls: ssl.SSLContext, *, method: str, headers: Headers
) -> tuple[Reply, Pipe]:
    """The kubelet's answer to an upgrade, and the connection, which is the caller's to close.

    Raises:
        DialError: it was not reached, or its answer is none.
    """
    reader, writer = await _dialled(location, tls)
    connection = h11.Connection(h11.CLIENT)
    try:
        request = h11.Request(method=method, target=location.path, headers=list(headers))
        writer.write(connection.send(request) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        reply = await _reply(connection, reader)
    except (OSError, EOFError, h11.ProtocolError) as why:
        writer.close()
        raise DialError("EOF") from why
    except BaseException:
        writer.close()
        raise
    return reply, Pipe(reader, writer, first=connection.trailing_data[0])


async def _dialled(
    location: Location, tls: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await asyncio.open_connection(location.host, location.port, ssl=tls)
    except TimeoutError as why:
        raise DialError(f"dial tcp {location.address}: i/o timeout") from why
    except ssl.SSLCertVerificationError as why:
        raise DialError(f"tls: failed to verify certificate: {why.verify_message}") from why
    except OSError as why:
        text = os.strerror(why.errno).lower() if why.errno else str(why)
        raise DialError(f"dial tcp {location.address}: connect: {text}") from why


async def _reply(connection: h11.Connection, reader: asyncio.StreamReader) -> Reply:
    head: h11.Response | h11.InformationalResponse | None = None
    body: list[bytes] = []
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            if not data and head is None:
                raise EOFError("the kubelet closed the connection before it answered")
            connection.receive_data(data)
        elif isinstance(event, h11.Data):
            body.append(bytes(event.data))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.InformationalResponse) and event.status_code == SWITCHING:
            return _whole(event, b"")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _whole(head, b"".join(body))


def _whole(head: h11.Response | h11.InformationalResponse, body: bytes) -> Reply:
    raw = head.headers.raw_items()
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    return Reply(status=head.status_code, reason=head.reason.decode("latin-1"), headers=headers, body=body)
