"""WebSocket without I/O (RFC 6455), by the library `websockets`. No extensions, so no compression."""

from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from app.streaming.fragments import PIECE_BYTES, Fragments
from app.streaming.transport import ProtocolViolation

_MOST_FRAME: Final = 2 * PIECE_BYTES
"""What the library has to take: it never gets more of one frame than a piece."""

_SUBPROTOCOL: Final = "sec-websocket-protocol"
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})
_NOWHERE: Final = parse_uri("ws://localhost/")


class WebSocketError(ProtocolViolation):
    """The peer broke the protocol."""


class Side(Enum):
    """Which side of the connection we are; clients mask what they send."""

    CLIENT = "client"
    SERVER = "server"


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request for a WebSocket: 101 where it is one, else why not."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message, text or binary alike; `first` where the message begins with it."""

    data: bytes
    first: bool


def offered(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The subprotocols that the client speaks, best first; names of `headers` are in lower case."""
    values = [value for name, value in headers if name == _SUBPROTOCOL]
    return tuple(each.strip() for value in values for each in value.split(",") if each.strip())


def accept(method: str, target: str, headers: Iterable[tuple[str, str]], *, subprotocol: str) -> Handshake:
    """Answer a request, choosing one of the `offered` subprotocols, or none by an empty name."""
    # The library wants tokens (RFC 6455, 4.1); "SPDY/3.1+portforward.k8s.io" is none, for its slash.
    others = [(name, value) for name, value in headers if name != _SUBPROTOCOL]
    response = ServerProtocol().accept(Request(target, Headers(others), method))
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return Handshake(status=response.status_code, text=bytes(response.body).decode().strip())
    chosen = [("Sec-WebSocket-Protocol", subprotocol)] if subprotocol else []
    return Handshake(status=response.status_code, headers=(*response.headers.raw_items(), *chosen))


class WebSocketSession:
    """An open WebSocket: bytes in, pieces of messages out; what is to be sent gathers until it is taken.

    Messages and frames may be of any length: none is held whole.
    """

    def __init__(self, side: Side) -> None:
        self._fragments = Fragments()
        self._protocol = _protocol(side, OPEN, (None, _MOST_FRAME))

    @property
    def closed(self) -> bool:
        """Whether the peer said that it is done; what we owe it for that is in `data_to_send`."""
        return self._protocol.close_rcvd is not None

    def receive(self, data: bytes) -> list[Piece]:
        """What the peer sent. Pings are answered.

        Raises WebSocketError where the peer broke the protocol: send what there is to send, and close the
        connection. Nothing comes after the peer is done.
        """
        self._protocol.receive_data(self._fragments.feed(data))
        frames = self._protocol.events_received()
        if failure := self._protocol.parser_exc:
            raise WebSocketError(str(failure)) from failure
        return [
            Piece(data=bytes(frame.data), first=frame.opcode is not Opcode.CONT)
            for frame in frames
            if isinstance(frame, Frame) and frame.opcode in _DATA
        ]

    def data_to_send(self) -> bytes:
        """Everything that has to be sent by now, once."""
        return b"".join(self._protocol.data_to_send())

    def send(self, data: bytes) -> None:
        """Send a binary message; dropped once the connection closes."""
        if self._protocol.state is OPEN:
            self._protocol.send_binary(data)

    def ping(self) -> None:
        """Ask for a sign of life; dropped once the connection closes."""
        if self._protocol.state is OPEN:
            self._protocol.send_ping(b"")

    def close(self) -> None:
        """Say that we are done; a second time is nothing."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)


def _protocol(side: Side, state: State, max_size: tuple[None, int]) -> ServerProtocol | ClientProtocol:
    if side is Side.SERVER:
        return ServerProtocol(state=state, max_size=max_size)
    return ClientProtocol(_NOWHERE, state=state, max_size=max_size)
