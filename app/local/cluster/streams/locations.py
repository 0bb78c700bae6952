"""Where the kubelet of a pod's node serves a stream, and what it is asked for, checked as by the real server.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (PodExecOptions and its likes)
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.log_proxy import container_of, kubelet_address
from app.local.cluster.apiserver.objects import Object

FEATURE: Final = "ExtendWebSocketsToKubelet"
"""What a node declares whose kubelet takes WebSockets as they are."""

_FLAGS: Final = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
"""The API server's names of the options, and the kubelet's."""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A kubelet's address, the path with its query, and the streams wanted (`stdin`, `stdout`, …)."""

    host: str
    port: int
    path: str
    wanted: frozenset[str] = frozenset()
    takes_web_sockets: bool = False

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


def path_of(pod: Object, subresource: str, query: Sequence[tuple[str, str]]) -> tuple[str, frozenset[str]]:
    """The kubelet's path for a stream of the pod, and the streams wanted.

    Raises:
        ApiError: 400 for a container that is not clear or not there, and for a pod without a node.
    """
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    if subresource == "portforward":
        parts, wanted = f"portForward/{namespace}/{name}", frozenset[str]()
        ports = [value for key, value in query if key == "ports"]
        passed = [("port", ",".join(str(_port(each)) for each in ports))] if ports else []
    else:
        asked = next((value for key, value in query if key == "container"), "")
        parts = f"{subresource}/{namespace}/{name}/{container_of(pod, asked)}"
        wanted = frozenset(flag for flag in _FLAGS if _is_set(query, flag))
        passed = [(_FLAGS[flag], "1") for flag in wanted]
        if subresource == "exec":
            passed += [pair for pair in query if pair[0] == "command"]
    if not pod["spec"].get("nodeName"):
        raise errors.bad_request(f"pod {name} does not have a host assigned")
    ordered = sorted(passed, key=lambda pair: pair[0])
    return f"/{parts}?{urlencode(ordered)}" if ordered else f"/{parts}", wanted


def location_of(node: Object, path: str, wanted: frozenset[str]) -> Location:
    """Where the node serves the path. Raises ApiError 500 for a node without an address."""
    host, port = kubelet_address(node)
    declared = node.get("status", {}).get("declaredFeatures", ())
    return Location(host=host, port=port, path=path, wanted=wanted, takes_web_sockets=FEATURE in declared)


def _is_set(query: Sequence[tuple[str, str]], name: str) -> bool:
    values = [value for key, value in query if key == name]
    return bool(values) and values[0] != "0" and values[0].lower() != "false"


def _port(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
