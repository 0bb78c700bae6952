"""The API server's judgement of callers (`app.ports.access.Reviews`). Needs `create` on both kinds of review.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
"""

from typing import Final

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import Transport
from app.model.wire import Json, Wire
from app.ports.access import Answered, Caller, NodeAccess
from app.ports.failures import Unavailable

_TIMEOUT: Final = 10.0
"""Seconds; somebody waits for the answer, and has a timeout of their own."""


class _User(Wire, frozen=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None
    extra: dict[str, tuple[str, ...]] | None = None


class _TokenStatus(Wire, frozen=True):
    authenticated: bool = False
    user: _User = _User()


class _TokenReview(Wire, frozen=True):
    status: _TokenStatus


class _AccessStatus(Wire, frozen=True):
    allowed: bool = False
    denied: bool = False
    reason: str = ""


class _AccessReview(Wire, frozen=True):
    status: _AccessStatus


class Reviews:
    """Asks anew each time. What the server could not judge is Unavailable, never a yes."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def caller(self, token: str) -> Caller | None:
        """Whose bearer token it is; None where it is nobody's."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        data = await self._connection.request("POST", paths.TOKEN_REVIEWS, body=body, timeout=_TIMEOUT)
        status = decoded(data, _TokenReview, asked=f"POST {paths.TOKEN_REVIEWS}").status
        user = status.user
        if not status.authenticated or not user.username:
            return None
        return Caller(name=user.username, groups=user.groups or (), uid=user.uid, extra=user.extra or {})

    async def answer(self, caller: Caller, access: NodeAccess) -> Answered:
        """Whether they may."""
        asked = f"POST {paths.SUBJECT_ACCESS_REVIEWS}"
        data = await self._connection.request(
            "POST", paths.SUBJECT_ACCESS_REVIEWS, body=_question(caller, access), timeout=_TIMEOUT
        )
        status = decoded(data, _AccessReview, asked=asked).status
        if status.allowed and status.denied:
            raise Unavailable(f"{asked}: the answer is both yes and no")
        return Answered(allowed=status.allowed, reason=status.reason)


def _question(caller: Caller, access: NodeAccess) -> dict[str, Json]:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": caller.name,
            "groups": list(caller.groups),
            "uid": caller.uid,
            "extra": {name: list(values) for name, values in caller.extra.items()},
            "resourceAttributes": {
                "verb": access.verb,
                "version": "v1",
                "resource": "nodes",
                "subresource": access.subresource,
                "name": access.node,
            },
        },
    }
