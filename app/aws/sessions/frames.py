"""The messages of a data channel: a head of fixed fields, big-endian, then the payload. Pure.

The format is that of https://github.com/aws/session-manager-plugin (`src/message`).
"""

import enum
import hashlib
import struct
from collections.abc import Iterator
from typing import Final

import msgspec


class Kind(enum.StrEnum):
    """What a message is."""

    INPUT = "input_stream_data"
    OUTPUT = "output_stream_data"
    ACKNOWLEDGE = "acknowledge"
    CLOSED = "channel_closed"
    START = "start_publication"
    PAUSE = "pause_publication"


class Payload(enum.IntEnum):
    """What an input or output message carries."""

    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    CHALLENGE_REQUEST = 8
    CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


SYN: Final = 1
FIN: Final = 2

TERMINATE: Final = struct.pack(">I", 2)
"""The payload of the flag that ends a session."""

MOST_TYPED: Final = 1_024
"""Bytes of input in one message."""

_HEAD: Final = struct.Struct(">I32sIQqQ8s8s32sI")
_LENGTH: Final = struct.Struct(">I")
_VERSION: Final = 1


class FrameError(Exception):
    """What arrived is no message of a data channel; it counts as lost."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        kind: one of `Kind`, or something newer.
        id: 16 bytes, as a UUID writes them.
        created: milliseconds since 1970.
        sequence: counts input and output messages, each from 0.
        flags: SYN, FIN, both or none.
        payload_type: one of `Payload`, or something newer.
    """

    kind: str
    id: bytes
    created: int
    sequence: int = 0
    flags: int = 0
    payload_type: int = 0
    payload: bytes = b""

    @property
    def id_text(self) -> str:
        """The id as UUIDs are written."""
        text = self.id.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def encoded(frame: Frame) -> bytes:
    """The message's bytes. The id goes with its lower half first."""
    head = _HEAD.pack(
        _HEAD.size,
        frame.kind.encode().ljust(32),
        _VERSION,
        frame.created,
        frame.sequence,
        frame.flags,
        frame.id[8:],
        frame.id[:8],
        hashlib.sha256(frame.payload).digest(),
        frame.payload_type,
    )
    return head + _LENGTH.pack(len(frame.payload)) + frame.payload


def decoded(message: bytes) -> Frame:
    """The message.

    A newer head may be longer than ours: the payload follows where the head says that it ends.

    Raises:
        FrameError: it is cut off, or its payload is not what its digest says.
    """
    if len(message) < _HEAD.size + _LENGTH.size:
        raise FrameError(f"{len(message)} bytes are less than a head")
    length, kind, _, created, sequence, flags, low, high, digest, payload_type = _HEAD.unpack_from(message)
    payload = _payload(message, head=length)
    named = kind.decode("latin-1").strip(" \0")
    if named == Kind.OUTPUT and hashlib.sha256(payload).digest() != digest:
        raise FrameError(f"the payload of message {sequence} is not what its digest says")
    return Frame(
        kind=named,
        id=high + low,
        created=created,
        sequence=sequence,
        flags=flags,
        payload_type=payload_type,
        payload=payload,
    )


def pieces(data: bytes) -> Iterator[bytes]:
    """The data in messages of at most `MOST_TYPED` bytes.

    No message holds a newline alone, unless that is all there is: Session Manager would turn it into a
    carriage return.
    """
    at = 0
    while at < len(data):
        leaves_newline = data[at + MOST_TYPED :] == b"\n" if len(data) - at == MOST_TYPED + 1 else False
        size = MOST_TYPED - 1 if leaves_newline else MOST_TYPED
        yield data[at : at + size]
        at += size


def _payload(message: bytes, *, head: int) -> bytes:
    start = head + _LENGTH.size
    if head < _HEAD.size or start > len(message):
        raise FrameError(f"a head of {head} bytes in a message of {len(message)}")
    (length,) = _LENGTH.unpack_from(message, head)
    if start + length != len(message):
        raise FrameError(f"a payload of {length} bytes was announced, {len(message) - start} came")
    return message[start:]
