"""Which resource a request means. Pure.

Paths: https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/server/server.go
"""

from http import HTTPStatus
from typing import assert_never
from urllib.parse import unquote

import msgspec

from app.kubelet.messages import Answer


class ContainerPath(msgspec.Struct, frozen=True, kw_only=True):
    """A container by the names in its path."""

    namespace: str
    pod: str
    container: str


class ContainerLogsRoute(msgspec.Struct, frozen=True):
    """`GET /containerLogs/{namespace}/{pod}/{container}?{query}`."""

    path: ContainerPath
    query: str


class HealthzRoute(msgspec.Struct, frozen=True):
    """`GET /healthz`."""


Route = ContainerLogsRoute | HealthzRoute
"""Every resource that there is."""

NOT_FOUND = Answer(status=HTTPStatus.NOT_FOUND, text="404 page not found")
BAD_PATH = Answer(status=HTTPStatus.BAD_REQUEST, text="the path is not percent-encoded UTF-8")
NOT_ALLOWED = Answer(
    status=HTTPStatus.METHOD_NOT_ALLOWED, text="405: Method Not Allowed", headers=(("Allow", "GET"),)
)


def route(method: str, target: str) -> Route | Answer:
    """The resource, or the answer where there is none.

    Args:
        method: as sent, `GET`.
        target: the request target in origin form (`/path?query`) or absolute form (RFC 9112, 3.2).
    """
    path, _, query = _origin_form(target).partition("?")
    try:
        segments = [unquote(segment, errors="strict") for segment in path.split("/")]
    except UnicodeDecodeError:
        return BAD_PATH
    found = _resource(segments, query)
    return found if isinstance(found, Answer) or method == "GET" else NOT_ALLOWED


def name_of(found: Route | Answer) -> str:
    """The route's name in metrics: one word for all that is not served, whatever the path says."""
    match found:
        case ContainerLogsRoute():
            return "containerLogs"
        case HealthzRoute():
            return "healthz"
        case Answer():
            return "none"
        case _:
            assert_never(found)


def _origin_form(target: str) -> str:
    if target.startswith("/"):
        return target
    scheme, separator, rest = target.partition("://")
    is_absolute = bool(separator) and scheme.lower() in {"http", "https"}
    return "/" + rest.partition("/")[2] if is_absolute else ""


def _resource(segments: list[str], query: str) -> Route | Answer:
    match segments:
        case ["", "healthz"]:
            return HealthzRoute()
        case ["", "containerLogs", namespace, pod, container] if namespace and pod and container:
            return ContainerLogsRoute(ContainerPath(namespace=namespace, pod=pod, container=container), query)
        case _:
            return NOT_FOUND
