"""What an answer of the API server means to the caller: a decoded value, or one of our failures."""

from http import HTTPStatus
from typing import Final, TypeVar

import msgspec

from app.ports.failures import (
    Conflict,
    DisruptionBudget,
    NotFound,
    PortFailure,
    Refused,
    Throttled,
    Unavailable,
)

T = TypeVar("T")


class Expired(Unavailable):
    """410: the resource version or the continue token is too old; list anew.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
    """


class Cause(msgspec.Struct, frozen=True):
    """One of the reasons of a 422 or 429."""

    field: str = ""
    reason: str = ""
    message: str = ""


class Details(msgspec.Struct, frozen=True):
    """What a Status says to programs."""

    causes: tuple[Cause, ...] = ()


class Status(msgspec.Struct, frozen=True):
    """The part that we read of https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


_MEANT: Final[dict[int, type[PortFailure]]] = {
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Expired,
    HTTPStatus.TOO_MANY_REQUESTS: Throttled,
    HTTPStatus.REQUEST_TIMEOUT: Unavailable,
    # It says nothing about the request: tokens rotate, and the next try carries the new one.
    HTTPStatus.UNAUTHORIZED: Unavailable,
}


def failure(status: int, body: bytes, *, asked: str) -> PortFailure:
    """The failure that an HTTP answer other than 2xx stands for, in the server's own words.

    Args:
        status: the HTTP status.
        body: the answer's body; a Status, unless something between us and the server answered.
        asked: the request, as `GET /api/v1/nodes`.
    """
    said = _status(body)
    kind = _MEANT.get(status, Unavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Refused)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and _is_about_uid(said):
        kind = Conflict
    message = f"{asked}: {status} {said.message or _phrase(status)}"
    budget = _budget(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS and budget is not None:
        return DisruptionBudget(f"{said.message} {budget.message}".strip())
    if status == HTTPStatus.UNAUTHORIZED:
        message += "; the API server does not know our credentials, renew them in the kubeconfig"
    return kind(message)


def _status(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.MsgspecError:
        return Status(message=body[:200].decode(errors="replace").strip())


def _is_about_uid(status: Status) -> bool:
    """Whether a patch was meant for an earlier object of this name: some answer that with 422, not 409."""
    causes = status.details.causes if status.details else ()
    return any(cause.field == "metadata.uid" for cause in causes)


def _budget(status: Status) -> Cause | None:
    """What a PodDisruptionBudget says against an eviction.

    https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/#how-api-initiated-eviction-works
    """
    causes = status.details.causes if status.details else ()
    return next((cause for cause in causes if cause.reason == "DisruptionBudget"), None)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def decoded(data: bytes, kind: type[T], *, asked: str) -> T:
    """The answer as a value.

    Raises:
        Unavailable: the answer is not one; what happened on the far side is unknown.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"{asked}: the answer is not a {kind.__name__} ({error})") from error
