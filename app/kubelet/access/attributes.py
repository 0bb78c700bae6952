"""What a request asks of the node, in the words of RBAC. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authorization
"""

from typing import Final
from urllib.parse import unquote

import msgspec

_VERBS: Final = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_PROXY: Final = "proxy"
_FINE: Final[dict[str, tuple[str, ...]]] = {
    "pods": ("pods", _PROXY),
    "runningpods": ("pods", _PROXY),
    "healthz": ("healthz", _PROXY),
    "configz": ("configz", _PROXY),
    "stats": ("stats",),
    "metrics": ("metrics",),
    "logs": ("log",),
    "checkpoint": ("checkpoint",),
    "statusz": ("statusz",),
    "flagz": ("configz",),
}
"""By the first word of the path. `/containerLogs`, `/exec` and all that stands not here is `proxy`."""


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """A verb on `nodes`, and the subresources of which any one suffices, in the order they are tried."""

    verb: str
    subresources: tuple[str, ...]


def attributes(method: str, target: str) -> Attributes:
    """What a request asks for.

    Args:
        method: as sent. Others than Kubernetes knows have the empty verb, which only `*` allows.
        target: undecoded. What is not in origin form is `proxy`, the right that stands above the others.
    """
    path, _, _ = target.partition("?")
    head, _, rest = path.partition("/")
    word = rest.partition("/")[0] if not head else ""
    return Attributes(
        verb=_VERBS.get(method, ""),
        subresources=_FINE.get(unquote(word, errors="replace"), (_PROXY,)),
    )
