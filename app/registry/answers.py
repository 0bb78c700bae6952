"""What a registry's answer means to the caller: one of our few failures, in the registry's own words.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from http import HTTPStatus
from typing import Final

import msgspec

from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from app.registry.wire import WireError, read

_MEANT: Final[dict[int, type[PortFailure]]] = {
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_TIMEOUT: Unavailable,
}
_LONGEST: Final = 200


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a server; `challenges` are its WWW-Authenticate headers, the rest is empty if unsaid.

    `body` is whole for 200; of others it may be cut off.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    digest: str = ""
    location: str = ""
    retry_after: str = ""
    challenges: tuple[str, ...] = ()


class TooFast(Throttled):
    """The registry asked for a pause.

    Attributes:
        seconds: how long; 0 where it did not say, or named a date.
    """

    def __init__(self, message: str, *, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class _Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str | None = None


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Error, ...] | None = None


def failure(answer: Answer, *, asked: str) -> PortFailure:
    """The failure that any answer but 200 stands for.

    Args:
        answer: the server's.
        asked: what was wanted, as `registry.example/app:1`.
    """
    message = f"{asked}: the registry answered {answer.status} {said(answer)}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        pause = answer.retry_after
        return TooFast(message, seconds=float(pause) if pause.isdecimal() and pause.isascii() else 0.0)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(message)
    return _MEANT.get(answer.status, Refused)(message)


def said(answer: Answer) -> str:
    """The registry's words, cut and printable: they end up in Events."""
    try:
        errors = read(answer.body, _Errors).errors or ()
    except WireError:
        errors = ()
    words = "; ".join(each.message or each.code for each in errors)[:_LONGEST]
    return "".join(letter for letter in words if letter.isprintable()) or _phrase(answer.status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
