"""Which resource a request means. Pure.

Paths: https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/server/server.go
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final
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

    name: ClassVar[str] = "containerLogs"
    methods: ClassVar[tuple[str, ...]] = ("GET",)
    path: ContainerPath
    query: str


class ExecRoute(msgspec.Struct, frozen=True):
    """`GET` (WebSocket) or `POST` (SPDY) `/exec/{namespace}/{pod}/{container}?{query}`."""

    name: ClassVar[str] = "exec"
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    path: ContainerPath
    query: str


class AttachRoute(msgspec.Struct, frozen=True):
    """`GET` (WebSocket) or `POST` (SPDY) `/attach/{namespace}/{pod}/{container}?{query}`."""

    name: ClassVar[str] = "attach"
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    path: ContainerPath
    query: str


class PortForwardRoute(msgspec.Struct, frozen=True):
    """`GET` (WebSocket) or `POST` (SPDY) `/portForward/{namespace}/{pod}?{query}`."""

    name: ClassVar[str] = "portForward"
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    namespace: str
    pod: str
    query: str


class HealthzRoute(msgspec.Struct, frozen=True):
    """`GET /healthz`."""

    name: ClassVar[str] = "healthz"
    methods: ClassVar[tuple[str, ...]] = ("GET",)


class PodsRoute(msgspec.Struct, frozen=True):
    """`GET /pods`: the pods that are bound to the node."""

    name: ClassVar[str] = "pods"
    methods: ClassVar[tuple[str, ...]] = ("GET",)


class RunningPodsRoute(msgspec.Struct, frozen=True):
    """`GET /runningpods/`: the pods of which something runs."""

    name: ClassVar[str] = "runningpods"
    methods: ClassVar[tuple[str, ...]] = ("GET",)


class SummaryRoute(msgspec.Struct, frozen=True):
    """`GET /stats/summary`: what the node's pods use. CPU and memory are all that there is of it."""

    name: ClassVar[str] = "summary"
    methods: ClassVar[tuple[str, ...]] = ("GET",)


class ResourceMetricsRoute(msgspec.Struct, frozen=True):
    """`GET /metrics/resource`: the same, as metrics-server reads it."""

    name: ClassVar[str] = "resourceMetrics"
    methods: ClassVar[tuple[str, ...]] = ("GET",)


Route = (
    ContainerLogsRoute
    | ExecRoute
    | AttachRoute
    | PortForwardRoute
    | HealthzRoute
    | PodsRoute
    | RunningPodsRoute
    | SummaryRoute
    | ResourceMetricsRoute
)
"""Every resource that there is: each with its name in metrics, and the methods that it has."""

_PLAIN: Final[Mapping[str, Route]] = {
    "/healthz": HealthzRoute(),
    "/pods": PodsRoute(),
    "/runningpods": RunningPodsRoute(),
    "/runningpods/": RunningPodsRoute(),
    "/stats/summary": SummaryRoute(),
    "/metrics/resource": ResourceMetricsRoute(),
}
"""What is about no pod in particular."""

NOT_FOUND = Answer(status=HTTPStatus.NOT_FOUND, text="404 page not found")
BAD_PATH = Answer(status=HTTPStatus.BAD_REQUEST, text="the path is not percent-encoded UTF-8")


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
    return found if isinstance(found, Answer) or method in found.methods else _not_allowed(found.methods)


def name_of(found: Route | Answer) -> str:
    """The route's name in metrics: one word for all that is not served, whatever the path says."""
    return "none" if isinstance(found, Answer) else found.name


def _not_allowed(methods: tuple[str, ...]) -> Answer:
    return Answer(
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        text="405: Method Not Allowed",
        headers=(("Allow", ", ".join(methods)),),
    )


def _origin_form(target: str) -> str:
    if target.startswith("/"):
        return target
    scheme, separator, rest = target.partition("://")
    is_absolute = bool(separator) and scheme.lower() in {"http", "https"}
    return "/" + rest.partition("/")[2] if is_absolute else ""


def _resource(segments: list[str], query: str) -> Route | Answer:
    plain = _PLAIN.get("/".join(segments))
    if plain is not None:
        return plain
    match _without_uid(segments):
        case ["", "portForward", namespace, pod] if namespace and pod:
            return PortForwardRoute(namespace, pod, query)
        case ["", verb, namespace, pod, container] if namespace and pod and container:
            path = ContainerPath(namespace=namespace, pod=pod, container=container)
            return _container_resource(verb, path, query)
        case _:
            return NOT_FOUND


def _without_uid(segments: list[str]) -> list[str]:
    # Older API servers send the pod's uid behind its name.
    match segments:
        case ["", "exec" | "attach", _, _, _, container]:
            return [*segments[:4], container]
        case ["", "portForward", _, _, _]:
            return segments[:4]
        case _:
            return segments


def _container_resource(verb: str, path: ContainerPath, query: str) -> Route | Answer:
    match verb:
        case "containerLogs":
            return ContainerLogsRoute(path, query)
        case "exec":
            return ExecRoute(path, query)
        case "attach":
            return AttachRoute(path, query)
        case _:
            return NOT_FOUND
