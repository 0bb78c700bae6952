"""What messages say: the JSON in their payloads, read to the letter."""

import re
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from app.local.fargate.session_manager.frames import FIN, SYN, Frame
from app.local.fargate.session_manager.violation import Violation

ACKNOWLEDGE: Final = "acknowledge"
INPUT: Final = "input_stream_data"
OUTPUT: Final = "output_stream_data"
CHANNEL_CLOSED: Final = "channel_closed"

OUTPUT_PAYLOAD: Final = 1
SIZE_PAYLOAD: Final = 3
HANDSHAKE_REQUEST: Final = 5
HANDSHAKE_RESPONSE: Final = 6
HANDSHAKE_COMPLETE: Final = 7
FLAG_PAYLOAD: Final = 10

_INPUTS: Final = frozenset({OUTPUT_PAYLOAD, SIZE_PAYLOAD, HANDSHAKE_RESPONSE, FLAG_PAYLOAD})

LONGEST_INPUT: Final = 1024
"""Bytes of one message of what is typed."""

_LARGEST_SIZE: Final = 0xFFFF
_TERMINATE: Final = 2
_SUCCESS: Final = 1
_SESSION_TYPE: Final = "SessionType"
_AGENT_VERSION: Final = "3.3.1142.0"
_VERSION: Final = re.compile(r"\d+(\.\d+){3}")

T = TypeVar("T")


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """The first message of a channel, which is text."""

    message_schema_version: str
    request_id: UUID
    token_value: str
    client_id: UUID
    client_version: str


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """That a message has arrived."""

    acknowledged_message_type: str
    acknowledged_message_id: UUID
    acknowledged_message_sequence_number: int
    is_sequential_message: bool


class ProcessedAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What a client made of one of the agent's wishes: 1 done, 2 failed, 3 unknown."""

    action_type: str
    action_status: int
    action_result: Any
    error: str


class HandshakeResponse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """A client's answer to the agent's wishes."""

    client_version: str
    processed_client_actions: tuple[ProcessedAction, ...]
    errors: tuple[str, ...]


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size of the client's terminal."""

    cols: int
    rows: int


def opening_of(text: str | None) -> Opening:
    """The first message; None where it was binary.

    Raises:
        Violation: it is none.
    """
    if text is None:
        raise Violation("the first message is not text")
    opening = _read(text.encode(), Opening, what="the first message")
    if opening.message_schema_version != "1.0":
        raise Violation(f"MessageSchemaVersion is {opening.message_schema_version!r}, not '1.0'")
    _require_version(opening.client_version)
    return opening


def require_allowed(frame: Frame, *, complete: bool) -> None:
    """Raise Violation for a message that a client may not send, or not before the handshake is complete."""
    if frame.kind == ACKNOWLEDGE:
        return
    if frame.kind != INPUT:
        raise Violation(f"a client sends no {frame.kind!r}")
    if frame.payload_type not in _INPUTS:
        raise Violation(f"a client sends no payload of type {frame.payload_type}")
    if frame.payload_type == OUTPUT_PAYLOAD and len(frame.payload) > LONGEST_INPUT:
        raise Violation(f"input of {len(frame.payload)} bytes, more than {LONGEST_INPUT}")
    if frame.payload_type == FLAG_PAYLOAD:
        return
    answers = frame.payload_type == HANDSHAKE_RESPONSE
    if answers != (frame.sequence == 0):
        raise Violation("the message with the number 0, and only that one, answers the handshake")
    if not (complete or answers):
        raise Violation("input before the handshake is complete")


def acknowledgement_of(frame: Frame) -> Acknowledgement:
    """What a client acknowledges.

    Raises:
        Violation: it does so in the wrong way.
    """
    if (frame.sequence, frame.flags) != (0, SYN | FIN):
        raise Violation(
            f"an acknowledgement has number {frame.sequence} and flags {frame.flags}, not 0 and 3"
        )
    found = _read(frame.payload, Acknowledgement, what="an acknowledgement")
    if found.acknowledged_message_type != OUTPUT or not found.is_sequential_message:
        raise Violation("an acknowledgement is for no output_stream_data, or not sequential")
    return found


def handshake_problem(frame: Frame) -> str:
    """Why a handshake's answer leads to no session; empty where it does.

    Raises:
        Violation: it is not one.
    """
    answer = _read(frame.payload, HandshakeResponse, what="the handshake's answer")
    _require_version(answer.client_version)
    actions = {each.action_type: each for each in answer.processed_client_actions}
    if set(actions) != {_SESSION_TYPE}:
        raise Violation(f"the handshake's answer is about {sorted(actions)}, not {_SESSION_TYPE}")
    action = actions[_SESSION_TYPE]
    if action.action_status == _SUCCESS and not answer.errors:
        return ""
    return (
        f"the client failed {_SESSION_TYPE}: {action.error or ', '.join(answer.errors) or 'no reason given'}"
    )


def size_of(frame: Frame) -> Size:
    """A terminal's new size.

    Raises:
        Violation: it is none.
    """
    size = _read(frame.payload, Size, what="a size")
    if not (0 <= size.cols <= _LARGEST_SIZE and 0 <= size.rows <= _LARGEST_SIZE):
        raise Violation(f"a terminal cannot be {size.cols} by {size.rows}")
    return size


def require_termination(frame: Frame) -> None:
    """Raise Violation for a flag that does not mean the session's end."""
    if frame.payload != _TERMINATE.to_bytes(4, "big"):
        raise Violation(f"a flag is {frame.payload!r}, not the four bytes of {_TERMINATE}")


def acknowledging(frame: Frame) -> bytes:
    """The payload that acknowledges a message."""
    return _json(
        {
            "AcknowledgedMessageType": frame.kind,
            "AcknowledgedMessageId": str(frame.id),
            "AcknowledgedMessageSequenceNumber": frame.sequence,
            "IsSequentialMessage": True,
        }
    )


def handshake_request() -> bytes:
    """The agent's wishes."""
    return _json(
        {
            "AgentVersion": _AGENT_VERSION,
            "RequestedClientActions": [
                {
                    "ActionType": _SESSION_TYPE,
                    "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": None},
                }
            ],
        }
    )


def handshake_complete(*, seconds: float) -> bytes:
    """That the handshake is over, and how long it took."""
    return _json({"HandshakeTimeToComplete": int(seconds * 1e9), "CustomerMessage": ""})


def channel_closed(*, session: str, message: UUID, created: int, output: str) -> bytes:
    """That the session is over; `output` is what people are to be told of it."""
    return _json(
        {
            "MessageType": CHANNEL_CLOSED,
            "MessageId": str(message),
            "DestinationId": session,
            "SessionId": session,
            "SchemaVersion": 1,
            "CreatedDate": str(created),
            "Output": output,
        }
    )


def typed(payload: bytes) -> bytes:
    """What the terminal gets for a message: a line feed by itself is the return key."""
    return b"\r" if payload == b"\n" else payload


def _require_version(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise Violation(f"ClientVersion is {version!r}, not four numbers with dots between them")


def _json(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value)


def _read(payload: bytes, kind: type[T], *, what: str) -> T:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise Violation(f"{what} cannot be read: {cause}") from cause
