"""What a request shows of who sent it: a client certificate's subject, or a bearer token. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import base64
import binascii
from collections.abc import Collection
from typing import Final

import msgspec

from app.kubelet.messages import Request

AUTHENTICATED: Final = "system:authenticated"
_WORDS: Final = 2
_PROTOCOL: Final = "base64url.bearer.authorization.k8s.io."
"""Where browsers put the token: they cannot set headers of a WebSocket."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A client certificate's: its common name is the user, its organizations are the groups."""

    name: str
    groups: tuple[str, ...]


class Secret(msgspec.Struct, frozen=True):
    """A bearer token; its text form never shows it."""

    text: str

    def __repr__(self) -> str:
        return "Secret(...)"


def subject_of(request: Request, *, names: Collection[str]) -> Subject | None:
    """The certificate's subject; TLS has verified it.

    None where no certificate was shown, where it has no common name, or one that is not among `names`, if
    there are any: it counts for nothing then.
    """
    if not request.client or (names and request.client not in names):
        return None
    return Subject(name=request.client, groups=request.organizations)


def token_of(request: Request) -> Secret | None:
    """The bearer token, as the kubelet looks for it: in `Authorization`, then among WebSocket's protocols."""
    words = request.header("authorization").strip().split(" ", _WORDS)
    if len(words) >= _WORDS and words[0].lower() == "bearer" and words[1]:
        return Secret(words[1])
    return _among_protocols(request)


def _among_protocols(request: Request) -> Secret | None:
    offered = ",".join(value for name, value in request.headers if name == "sec-websocket-protocol")
    for protocol in (each.strip() for each in offered.split(",")):
        if protocol.startswith(_PROTOCOL):
            return _decoded(protocol.removeprefix(_PROTOCOL))
    return None


def _decoded(text: str) -> Secret | None:
    try:
        token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return Secret(token) if token else None


def with_everybody(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of somebody who proved who they are."""
    return groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED)
