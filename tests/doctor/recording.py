"""What adapters ask of an API server, as RBAC sees it."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Any, NamedTuple

from app.kube.transport import JSON, Query
from app.ports.failures import PortFailure, Unavailable

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Act(NamedTuple):
    """A verb on a resource; the resource has its subresource behind it."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


def act_of(method: str, path: str, query: Mapping[str, Any]) -> Act:
    """https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    selector = str(query.get("fieldSelector", ""))
    verb = _VERBS.get(method) or ("get" if name else "list")
    return Act(
        verb,
        group,
        "/".join([rest[0], *rest[2:]]),
        namespace,
        name or selector.partition("metadata.name=")[2],
    )


class Recorder:
    """Keeps what was asked, and answers each method as it is told to; with no answer at all otherwise."""

    def __init__(self, **answers: bytes | PortFailure) -> None:
        self.acts: list[Act] = []
        self._answers = answers

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109  (the port's signature)
    ) -> bytes:
        self.acts.append(act_of(method, path, query or {}))
        answer = self._answers.get(method, Unavailable("recorded"))
        if isinstance(answer, PortFailure):
            raise answer
        return answer

    async def stream(self, path: str, *, query: Query | None = None) -> AsyncGenerator[bytes, None]:
        self.acts.append(act_of("GET", path, query or {})._replace(verb="watch"))
        raise Unavailable("recorded")
        yield b""

    async def during(self, work: Awaitable[Any]) -> list[Act]:
        """What was asked until it gave up."""
        with contextlib.suppress(PortFailure):
            await work
        return self.acts
