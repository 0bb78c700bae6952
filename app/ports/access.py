"""Who calls the node's API, and what the cluster lets them do. All of it raises `app.ports.failures` only."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody that proved who they are; `extra` is what an authenticator adds for authorizers."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}


class NodeAccess(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: a verb on a subresource of `nodes` (`proxy`, `stats`, `metrics`, `pods`, …)."""

    node: str
    verb: str
    subresource: str


class Answered(msgspec.Struct, frozen=True):
    """An authorizer's answer, and its reason, which may be empty."""

    allowed: bool
    reason: str = ""


class Reviews(Protocol):
    """The API server's own judgement."""

    async def caller(self, token: str) -> Caller | None:
        """Whose bearer token it is; None where it is nobody's.

        https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
        """
        ...

    async def answer(self, caller: Caller, access: NodeAccess) -> Answered:
        """Whether they may.

        https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
        """
        ...


class ClientAuthorities(Protocol):
    """Who signs the client certificates that the cluster's API server shows and accepts."""

    async def pem(self) -> str:
        """`client-ca-file` of the ConfigMap kube-system/extension-apiserver-authentication; may be empty."""
        ...
