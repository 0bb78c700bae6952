"""A gRPC probe: one call of grpc.health.v1.Health/Check over HTTP/2 without TLS.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import asyncio
import contextlib
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from app.ports.probes import Answer
from app.probing.tcp import address, said

_PATH: Final = "/grpc.health.v1.Health/Check"
_USER_AGENT: Final = "kube-probe/1.36"
_STATUSES: Final = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_SERVING: Final = 1
_OK: Final = "0"
_UNIMPLEMENTED: Final = "12"
_CHUNK: Final = 64 * 1024
_HEAD: Final = 5
_VARINT: Final = 0x80


async def check(host: str, port: int, service: str) -> Answer:
    """One probe; the caller bounds its time."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        return Answer(
            ok=False,
            output=f"error: failed to connect service {address(host, port)!r}: {said(error)}",
        )
    try:
        return await _called(reader, writer, host=address(host, port), service=service)
    except (OSError, h2.exceptions.ProtocolError) as error:
        return Answer(ok=False, output=f"error: health rpc failed: {error}")
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # the answer is in, or will never be
            await writer.wait_closed()


def late(host: str, port: int, within: float) -> Answer:
    """The probe took too long."""
    where = address(host, port)
    return Answer(
        ok=False,
        output=f'timeout: failed to connect service "{where}" within {within:g}s: context deadline exceeded',
    )


class _Reply:
    """What has come of the answer so far."""

    def __init__(self) -> None:
        self.body = b""
        self.status = ""
        self.http_status = ""
        self.message = ""
        self.ended = False

    def headers(self, pairs: "list[tuple[bytes, bytes]]") -> None:
        """Take in headers or trailers."""
        found = {_text(name): _text(value) for name, value in pairs}
        self.http_status = found.get(":status", self.http_status)
        self.status = found.get("grpc-status", self.status)
        self.message = found.get("grpc-message", self.message)


async def _called(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, service: str
) -> Answer:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(
        stream,
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", _PATH),
            (":authority", host),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", _USER_AGENT),
        ],
    )
    connection.send_data(stream, _framed(_request(service)), end_stream=True)
    writer.write(connection.data_to_send())
    reply = _Reply()
    while not reply.ended:
        data = await reader.read(_CHUNK)
        if not data:
            return Answer(ok=False, output="error: health rpc failed: the connection was closed")
        for event in connection.receive_data(data):
            _take(event, reply, connection)
        writer.write(connection.data_to_send())
    return _judged(reply)


def _take(event: h2.events.Event, reply: _Reply, connection: h2.connection.H2Connection) -> None:
    match event:
        case h2.events.ResponseReceived() | h2.events.TrailersReceived():
            reply.headers(list(event.headers or ()))
        case h2.events.DataReceived():
            reply.body = (reply.body + (event.data or b""))[:_CHUNK]
            connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 1)
        case h2.events.StreamEnded():
            reply.ended = True
        case h2.events.StreamReset() | h2.events.ConnectionTerminated():
            reply.ended = True
            reply.message = reply.message or "the stream was reset"
        case _:
            """Settings, pings and windows: h2 answers them by itself."""


def _judged(reply: _Reply) -> Answer:
    if reply.status == _UNIMPLEMENTED:
        return Answer(
            ok=False,
            output="error: this server does not implement the grpc health protocol (grpc.health.v1.Health)",
        )
    if reply.status != _OK:
        said_ = (
            reply.message
            or f"HTTP status {reply.http_status or 'none'}, grpc-status {reply.status or 'none'}"
        )
        return Answer(ok=False, output=f"error: health rpc failed: {said_}")
    status = _status(reply.body[_HEAD:])
    if status == _SERVING:
        return Answer(ok=True)
    return Answer(ok=False, output=f'service unhealthy (responded with "{_STATUSES.get(status, status)}")')


def _request(service: str) -> bytes:
    """HealthCheckRequest: field 1 is the service's name."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def _framed(message: bytes) -> bytes:
    """A gRPC message: not compressed, its length, itself."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def _status(message: bytes) -> int:
    """HealthCheckResponse: field 1 is the status, a varint; nothing is 0."""
    return message[1] if len(message) > 1 and message[0] == 0x08 else 0  # noqa: PLR2004  (field 1, varint)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= _VARINT:
        encoded.append(number % _VARINT | _VARINT)
        number //= _VARINT
    return bytes((*encoded, number))


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
