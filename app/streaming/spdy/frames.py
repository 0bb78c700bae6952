"""Frames as they lie on the wire (SPDY/3.1, 2.2), cut out of whatever pieces they come in."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

import msgspec

from app.streaming.transport import ProtocolViolation

VERSION: Final = 3
FIN: Final = 0x01
UNIDIRECTIONAL: Final = 0x02
_HEADER_BYTES: Final = 8
_CONTROL_BIT: Final = 1 << 31
LOW_31: Final = _CONTROL_BIT - 1
"""A stream's id, once the reserved bit is taken off."""


class ControlType(IntEnum):
    """Control frames (2.6)."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class ResetStatus(IntEnum):
    """Why a stream is broken off (2.6.3)."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    CANCEL = 5
    INTERNAL_ERROR = 6


class GoAwayStatus(IntEnum):
    """Why the session ends (2.6.6)."""

    OK = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2


class SpdyError(ProtocolViolation):
    """The peer broke the protocol, or a bound that we set it: the session is over."""


class SpdyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one peer may send.

    Attributes:
        control_bytes: of a control frame; its header block is compressed.
        header_bytes: of a header block, once it is decompressed; each stream keeps its own.
        headers: in one header block.
        streams: that it has open at once; further ones are refused.
    """

    control_bytes: int = 8 * 1024
    header_bytes: int = 4 * 1024
    headers: int = 100
    streams: int = 512


class ControlFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A whole control frame; `kind` may be one that nobody knows."""

    kind: int
    flags: int
    payload: bytes


class DataPiece(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a data frame as has come in; `fin` on the last piece of a frame that ends its stream."""

    stream: int
    data: bytes
    fin: bool


class FrameReader:
    """Cuts what comes in into frames. A data frame is never held: its pieces are passed on as they come."""

    def __init__(self, limits: SpdyLimits) -> None:
        self._most = limits.control_bytes
        self._buffer = bytearray()
        self._stream = 0
        self._left = 0
        self._fin = False

    def feed(self, data: bytes) -> Iterator[ControlFrame | DataPiece]:
        """The frames that are complete by now. Raises SpdyError."""
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> ControlFrame | DataPiece | None:
        if self._left:
            return self._piece() if self._buffer else None
        if len(self._buffer) < _HEADER_BYTES:
            return None
        word, size = int.from_bytes(self._buffer[:4]), int.from_bytes(self._buffer[5:8])
        flags = self._buffer[4]
        if word & _CONTROL_BIT:
            return self._control(word & LOW_31, flags, size)
        del self._buffer[:_HEADER_BYTES]
        self._stream, self._left, self._fin = word, size, bool(flags & FIN)
        return self._piece() if self._buffer or not size else None

    def _control(self, word: int, flags: int, size: int) -> ControlFrame | None:
        version, kind = word >> 16, word & 0xFFFF
        if version != VERSION:
            raise SpdyError(f"version {version} is not spoken here")
        if size > self._most:
            raise SpdyError(f"a control frame of {size} bytes is more than {self._most}")
        end = _HEADER_BYTES + size
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_HEADER_BYTES:end])
        del self._buffer[:end]
        return ControlFrame(kind=kind, flags=flags, payload=payload)

    def _piece(self) -> DataPiece:
        data = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(data)
        return DataPiece(stream=self._stream, data=data, fin=self._fin and not self._left)


def control_frame(kind: ControlType, payload: bytes, *, flags: int = 0) -> bytes:
    """A control frame's bytes."""
    word = _CONTROL_BIT | VERSION << 16 | kind
    return word.to_bytes(4) + flags.to_bytes(1) + len(payload).to_bytes(3) + payload


def data_frame(stream: int, data: bytes, *, fin: bool = False) -> bytes:
    """A data frame's bytes."""
    return stream.to_bytes(4) + (FIN if fin else 0).to_bytes(1) + len(data).to_bytes(3) + data
