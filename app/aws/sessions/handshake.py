"""What the agent asks for when a session begins, and our answer. Pure.

https://github.com/aws/session-manager-plugin, `src/message/messagecontract.go` (names of the fields)
"""

import enum
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

import msgspec

from app.model.wire import Json

CLIENT_VERSION: Final = "1.2.0.0"
"""The version of the protocol's client that we answer as."""

_TERMINALS: Final = frozenset({"Standard_Stream", "InteractiveCommands", "NonInteractiveCommands"})


class HandshakeError(Exception):
    """The agent's request is no request."""


class _Wanted(enum.StrEnum):
    SESSION_TYPE = "SessionType"
    ENCRYPTION = "KMSEncryption"


class _Status(enum.IntEnum):
    OK = 1
    FAILED = 2
    UNSUPPORTED = 3


class Action(msgspec.Struct, frozen=True, rename="pascal"):
    """Something that the agent wants done."""

    action_type: str
    action_parameters: Json = None


class Request(msgspec.Struct, frozen=True, rename="pascal"):
    """All of it."""

    requested_client_actions: tuple[Action, ...] = ()

    @property
    def key_id(self) -> str | None:
        """The KMS key that the session is to be encrypted with; None where it is not."""
        for each in self.requested_client_actions:
            if each.action_type == _Wanted.ENCRYPTION:
                return str(_parameter(each, "KMSKeyId"))
        return None


class _Outcome(msgspec.Struct, frozen=True, rename="pascal"):
    action_type: str
    action_status: int
    action_result: Json = None
    error: str = ""


class _Response(msgspec.Struct, frozen=True, rename="pascal"):
    client_version: str
    processed_client_actions: Sequence[_Outcome]
    errors: Sequence[str]


def request_of(payload: bytes) -> Request:
    """The agent's request.

    Raises:
        HandshakeError: it has another shape.
    """
    try:
        return msgspec.json.decode(payload, type=Request)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HandshakeError(f"the agent's handshake is not understood: {error}") from error


def answered(request: Request, *, sealed_key: bytes | None = None, keyless: str = "") -> tuple[bytes, str]:
    """Our answer's payload, and why the session cannot be, empty where it can.

    Args:
        request: the agent's.
        sealed_key: the data key as KMS has encrypted it; None where there is none.
        keyless: why there is none, where the agent asks for one.
    """
    outcomes = [_outcome(each, sealed_key, keyless) for each in request.requested_client_actions]
    errors = [each.error for each in outcomes if each.error]
    response = _Response(CLIENT_VERSION, outcomes, errors)
    return msgspec.json.encode(response), "; ".join(errors)


def _outcome(action: Action, sealed_key: bytes | None, keyless: str) -> _Outcome:
    match action.action_type:
        case _Wanted.SESSION_TYPE:
            kind = str(_parameter(action, "SessionType"))
            if kind in _TERMINALS:
                return _Outcome(action.action_type, _Status.OK)
            return _Outcome(action.action_type, _Status.FAILED, None, f"session type {kind} is no terminal")
        case _Wanted.ENCRYPTION if sealed_key is not None:
            result = {"KMSCipherTextKey": b64encode(sealed_key).decode()}
            return _Outcome(action.action_type, _Status.OK, result)
        case _Wanted.ENCRYPTION:
            return _Outcome(action.action_type, _Status.FAILED, None, keyless)
        case other:
            return _Outcome(other, _Status.UNSUPPORTED, None, f"action {other} is not supported")


def _parameter(action: Action, name: str) -> Json:
    parameters = action.action_parameters
    return parameters.get(name, "") if isinstance(parameters, dict) else ""
