"""One SPDY session, either side of it: what a frame means, and which streams are open.

There is no flow control. The peers that matter (moby/spdystream, so kubectl, the API server and the kubelet)
neither send WINDOW_UPDATE nor heed it: the only thing that holds them back is a connection that is not read.
Waiting for windows of theirs would wait for ever. So windows are neither kept nor announced; frames about
them, and SETTINGS, are checked for their shape and dropped.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

import msgspec

from app.streaming.spdy.events import (
    Broken,
    Event,
    HeadersAdded,
    Opened,
    PingAnswered,
    Received,
    Replied,
    WentAway,
)
from app.streaming.spdy.frames import (
    FIN,
    LOW_31,
    UNIDIRECTIONAL,
    ControlFrame,
    ControlType,
    DataPiece,
    FrameReader,
    GoAwayStatus,
    ResetStatus,
    SpdyError,
    SpdyLimits,
    control_frame,
    data_frame,
)
from app.streaming.spdy.headers import HeaderReader, HeaderWriter

DATA_BYTES: Final = 32 * 1024
"""The most that we put into one frame, so that streams take turns."""


class Role(Enum):
    """Which side of the connection we are: clients' streams and pings have odd numbers."""

    CLIENT = 1
    SERVER = 2


class _Halves(msgspec.Struct, kw_only=True):
    """Which directions of a stream are open."""

    sending: bool = True
    receiving: bool = True


class SpdySession:
    """Bytes in, events out; what is to be sent gathers until `data_to_send` takes it.

    What is sent on a stream that is over is dropped: the peer may have broken it off a moment ago.
    """

    def __init__(self, role: Role, *, limits: SpdyLimits | None = None) -> None:
        self._role = role
        self._limits = limits or SpdyLimits()
        self._frames = FrameReader(self._limits)
        self._reader = HeaderReader(self._limits)
        self._writer = HeaderWriter()
        self._streams: dict[int, _Halves] = {}
        self._next_stream = role.value
        self._next_ping = role.value
        self._last_stream = 0
        self._leaving = False
        self._failure: SpdyError | None = None
        self._outgoing: list[bytes] = []

    def receive(self, data: bytes) -> list[Event]:
        """What the peer did.

        Raises SpdyError where it broke the protocol, from then on always: send what there is to send, and
        close the connection.
        """
        if self._failure:
            raise self._failure
        try:
            return [event for frame in self._frames.feed(data) for event in self._events(frame)]
        except SpdyError as error:
            self._failure = error
            self.go_away(GoAwayStatus.PROTOCOL_ERROR)
            raise

    def data_to_send(self) -> bytes:
        """Everything that has to be sent by now, once."""
        outgoing, self._outgoing = b"".join(self._outgoing), []
        return outgoing

    def open(self, headers: Iterable[tuple[str, str]], *, ended: bool = False) -> int:
        """Open a stream, on which we send nothing where it `ended` at once; its number."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._streams[stream] = _Halves(sending=not ended)
        # Associated to no stream, of the highest priority, in slot 0.
        start = stream.to_bytes(4) + bytes(6)
        self._control(ControlType.SYN_STREAM, start + self._writer.write(headers), fin=ended)
        return stream

    def reply(self, stream: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Accept a stream. moby/spdystream drops all data that comes before."""
        if stream in self._streams:
            self._control(ControlType.SYN_REPLY, stream.to_bytes(4) + self._writer.write(headers))

    def send(self, stream: int, data: bytes, *, ended: bool = False) -> None:
        """Send data, in as many frames as it takes; the last one ends our half where `ended`."""
        halves = self._streams.get(stream)
        if halves is None or not halves.sending:
            return
        for start in range(0, len(data), DATA_BYTES):
            piece = data[start : start + DATA_BYTES]
            is_last = start + DATA_BYTES >= len(data)
            self._outgoing.append(data_frame(stream, piece, fin=ended and is_last))
        if ended and not data:
            self._outgoing.append(data_frame(stream, b"", fin=True))
        if ended:
            halves.sending = False
            self._forget_if_over(stream)

    def reset(self, stream: int, status: ResetStatus = ResetStatus.CANCEL) -> None:
        """Break a stream off, both ways."""
        if self._streams.pop(stream, None):
            self._control(ControlType.RST_STREAM, stream.to_bytes(4) + status.to_bytes(4))

    def is_open(self, stream: int) -> bool:
        """Whether anything may still come or go on a stream."""
        return stream in self._streams

    def ping(self) -> int:
        """Ask for a sign of life; the number that `PingAnswered` will tell."""
        ping, self._next_ping = self._next_ping, (self._next_ping + 2) & LOW_31
        self._control(ControlType.PING, ping.to_bytes(4))
        return ping

    def go_away(self, status: GoAwayStatus = GoAwayStatus.OK) -> None:
        """Accept no more streams; those that are open go on. Once is enough."""
        if not self._leaving:
            self._leaving = True
            self._control(ControlType.GOAWAY, self._last_stream.to_bytes(4) + status.to_bytes(4))

    def _control(self, kind: ControlType, payload: bytes, *, fin: bool = False) -> None:
        self._outgoing.append(control_frame(kind, payload, flags=FIN if fin else 0))

    def _events(self, frame: ControlFrame | DataPiece) -> Iterator[Event]:
        if isinstance(frame, DataPiece):
            return self._data(frame)
        match frame.kind:
            case ControlType.SYN_STREAM:
                return self._syn_stream(frame)
            case ControlType.SYN_REPLY | ControlType.HEADERS:
                return self._headers(frame)
            case ControlType.RST_STREAM | ControlType.GOAWAY | ControlType.WINDOW_UPDATE:
                return self._numbers(frame)
            case ControlType.PING:
                return self._ping(frame)
            case ControlType.SETTINGS:
                _check_settings(frame.payload)
                return iter(())
            case _:
                raise SpdyError(f"there is no control frame of type {frame.kind}")

    def _data(self, piece: DataPiece) -> Iterator[Event]:
        if not piece.stream:
            raise SpdyError("there is no stream 0")
        halves = self._streams.get(piece.stream)
        # Sent before the peer heard that the stream is over.
        if halves is None or not halves.receiving:
            return
        if piece.data or piece.fin:
            yield Received(stream=piece.stream, data=piece.data, ended=piece.fin)
        self._end(piece.stream, ended=piece.fin)

    def _syn_stream(self, frame: ControlFrame) -> Iterator[Event]:
        stream = _number(frame.payload, 0)
        headers = self._reader.read(frame.payload[10:])
        if stream % 2 == self._role.value % 2 or stream <= self._last_stream:
            raise SpdyError(f"stream {stream} is not the peer's to open")
        self._last_stream = stream
        if self._leaving or len(self._streams) >= self._limits.streams:
            status = ResetStatus.REFUSED_STREAM
            self._control(ControlType.RST_STREAM, stream.to_bytes(4) + status.to_bytes(4))
            return
        ended = bool(frame.flags & FIN)
        self._streams[stream] = _Halves(sending=not frame.flags & UNIDIRECTIONAL)
        yield Opened(stream=stream, headers=headers, ended=ended)
        self._end(stream, ended=ended)

    def _headers(self, frame: ControlFrame) -> Iterator[Event]:
        stream = _number(frame.payload, 0)
        headers = self._reader.read(frame.payload[4:])
        halves = self._streams.get(stream)
        if halves is None or not halves.receiving:
            return
        ended = bool(frame.flags & FIN)
        event = Replied if frame.kind == ControlType.SYN_REPLY else HeadersAdded
        yield event(stream=stream, headers=headers, ended=ended)
        self._end(stream, ended=ended)

    def _numbers(self, frame: ControlFrame) -> Iterator[Event]:
        first, second = _number(frame.payload, 0), _number(frame.payload, 1)
        if frame.kind == ControlType.GOAWAY:
            yield WentAway(last_stream=first, status=second)
        elif frame.kind == ControlType.RST_STREAM and first in self._streams:
            del self._streams[first]
            yield Broken(stream=first, status=second)

    def _ping(self, frame: ControlFrame) -> Iterator[Event]:
        ping = _number(frame.payload, 0)
        if ping % 2 == self._role.value % 2:
            yield PingAnswered(ping)
        else:
            self._control(ControlType.PING, frame.payload[:4])

    def _end(self, stream: int, *, ended: bool) -> None:
        if ended and stream in self._streams:
            self._streams[stream].receiving = False
            self._forget_if_over(stream)

    def _forget_if_over(self, stream: int) -> None:
        halves = self._streams[stream]
        if not (halves.sending or halves.receiving):
            del self._streams[stream]


def _number(payload: bytes, index: int) -> int:
    """The index-th number of 32 bits."""
    found = payload[4 * index : 4 * index + 4]
    if len(found) < 4:  # noqa: PLR2004  (bytes of such a number)
        raise SpdyError("a control frame breaks off")
    return int.from_bytes(found) & LOW_31


def _check_settings(payload: bytes) -> None:
    if len(payload) != 4 + 8 * _number(payload, 0):
        raise SpdyError("a SETTINGS frame is not as long as it says")
