"""Agent messages: the binary frames of a data channel.

Big-endian throughout. A header of 120 bytes, of which its own first member does not count the last one:

    0  HeaderLength (116)   40 CreatedDate, ms      64 MessageId: its low half, then its high half
    4  MessageType, padded  48 SequenceNumber       80 SHA-256 of the payload
    36 SchemaVersion (1)    56 Flags                112 PayloadType   116 PayloadLength   120 Payload
"""

import hashlib
import struct
from typing import Final
from uuid import RFC_4122, UUID

import msgspec

from app.local.fargate.session_manager.violation import Violation

SYN: Final = 1
FIN: Final = 2

_HEADER: Final = struct.Struct(">I32sIQQQ8s8s32sII")
_HEADER_LENGTH: Final = 116
_SCHEMA: Final = 1
_ALL_FLAGS: Final = SYN | FIN
_RANDOM: Final = 4
"""The version of ids that are made by chance."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One message; `created` is in milliseconds since 1970."""

    kind: str
    sequence: int
    flags: int
    id: UUID
    payload_type: int
    payload: bytes
    created: int


def written(frame: Frame) -> bytes:
    """The bytes of a message."""
    identity = frame.id.bytes
    header = _HEADER.pack(
        _HEADER_LENGTH,
        frame.kind.encode().ljust(32),
        _SCHEMA,
        frame.created,
        frame.sequence,
        frame.flags,
        identity[8:],
        identity[:8],
        hashlib.sha256(frame.payload).digest(),
        frame.payload_type,
        len(frame.payload),
    )
    return header + frame.payload


def read(data: bytes) -> Frame:
    """The message in these bytes.

    Raises:
        Violation: it is none, or not to the letter.
    """
    if len(data) < _HEADER.size:
        raise Violation(f"a message has {len(data)} bytes, fewer than its header")
    length, kind, schema, created, sequence, flags, low, high, digest, payload_type, size = (
        _HEADER.unpack_from(data)
    )
    payload = data[_HEADER.size :]
    identity = UUID(bytes=high + low)
    problems = {
        f"HeaderLength is {length}, not {_HEADER_LENGTH}": length != _HEADER_LENGTH,
        f"SchemaVersion is {schema}, not {_SCHEMA}": schema != _SCHEMA,
        "CreatedDate is no time": created == 0,
        f"Flags are {flags}: there are only SYN (1) and FIN (2)": flags > _ALL_FLAGS,
        f"PayloadLength is {size}, but there are {len(payload)} bytes": size != len(payload),
        "the digest is not the SHA-256 of the payload": digest != hashlib.sha256(payload).digest(),
        "MessageId is no random UUID, its low half first": not _is_random(identity),
    }
    for problem, present in problems.items():
        if present:
            raise Violation(problem)
    return Frame(
        kind=_kind(kind),
        sequence=sequence,
        flags=flags,
        id=identity,
        payload_type=payload_type,
        payload=payload,
        created=created,
    )


def _is_random(identity: UUID) -> bool:
    """One of the marks of such an id is in either half: in the wrong order they are at the wrong places."""
    return identity.variant == RFC_4122 and identity.version == _RANDOM


def _kind(padded: bytes) -> str:
    try:
        kind = padded.decode("ascii")
    except UnicodeDecodeError as cause:
        raise Violation("MessageType is not ASCII") from cause
    if "\0" in kind or kind.startswith(" "):
        raise Violation("MessageType is not padded with spaces at its end")
    return kind.rstrip(" ")
