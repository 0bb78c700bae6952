"""Where a probe goes: the action with its names resolved to the task's address. Pure."""

from typing import Final

import msgspec

from app.model.container import Container, HttpGetAction, Probe
from app.model.wire import IntOrString

USER_AGENT: Final = "kube-probe/1.36"
"""kubelet's own, which access logs and filters of applications know."""


class HttpTarget(msgspec.Struct, frozen=True):
    """A GET."""

    url: str
    headers: tuple[tuple[str, str], ...]


class TcpTarget(msgspec.Struct, frozen=True):
    """A connection."""

    host: str
    port: int


class GrpcTarget(msgspec.Struct, frozen=True):
    """A health check of a gRPC server; empty `service` is the server as a whole."""

    host: str
    port: int
    service: str


Target = HttpTarget | TcpTarget | GrpcTarget


def target_of(probe: Probe, container: Container, *, ip: str) -> Target | None:
    """Where to ask; None where the probe names a port that the container does not, or is a command."""
    if probe.http_get is not None:
        port = _port(probe.http_get.port, container)
        return None if port is None else _http(probe.http_get, host=probe.http_get.host or ip, port=port)
    if probe.tcp_socket is not None:
        port = _port(probe.tcp_socket.port, container)
        return None if port is None else TcpTarget(probe.tcp_socket.host or ip, port)
    if probe.grpc is not None:
        return GrpcTarget(ip, probe.grpc.port, probe.grpc.service or "")
    return None


def _http(action: HttpGetAction, *, host: str, port: int) -> HttpTarget:
    path = action.path if action.path.startswith("/") else f"/{action.path}"
    named = {each.name.lower() for each in action.http_headers}
    ours = (("User-Agent", USER_AGENT), ("Accept", "*/*"))
    headers = (
        *((name, value) for name, value in ours if name.lower() not in named),
        *((each.name, each.value) for each in action.http_headers if each.value or each.name),
    )
    return HttpTarget(f"{action.scheme.lower()}://{_bracketed(host)}:{port}{path}", headers)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(wanted: IntOrString, container: Container) -> int | None:
    if isinstance(wanted, int):
        return wanted
    if wanted.isdecimal():
        return int(wanted)
    return next((each.container_port for each in container.ports if each.name == wanted), None)
