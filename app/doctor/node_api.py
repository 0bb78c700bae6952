"""Whether the API server reaches the virtual nodes' own API: no logs, exec or metrics without it."""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import Seen, Unread
from app.doctor.versions import minor
from app.model.installed import Host

KUBELET: Final = "kubelet"
WEBSOCKETS: Final = "ExtendWebSocketsToKubelet"
DECLARED_SINCE: Final = (1, 36)
_ABSENT: Final = ": 404 "
_LOOPBACK: Final = "address not allowed"
"""API servers pass requests on to no loopback or link-local address, but for logs and exec of pods."""
_OUR_LEAVE: Final = 'cannot get resource "nodes/proxy"'
"""The API server's word about whoever runs the doctor; a node refuses the API server in other words."""


def check(seen: Seen) -> Iterator[Finding]:
    """Each virtual node."""
    if isinstance(seen.nodes, Unread):
        yield unread(KUBELET, "which virtual nodes there are", seen.nodes)
        return
    for name, answer in seen.healths.items():
        yield _health(name, answer)
    if isinstance(seen.hosts, Unread):
        yield unread(KUBELET, "how nodes are reached", seen.hosts)
        return
    for host in seen.hosts:
        yield from _declared(host, seen)


def _health(name: str, answer: str | Unread) -> Finding:
    if not isinstance(answer, Unread):
        return ok(KUBELET, f"the API server reaches {name}'s API, so kubectl logs and exec work")
    if _OUR_LEAVE in answer.why:
        return skip(KUBELET, f"whether {name}'s API is reached cannot be tried: {answer.why}", answer.mend)
    if _ABSENT in answer.why or _LOOPBACK in answer.why:
        return skip(
            KUBELET,
            f"this API server does not pass requests on to {name}: {answer.why}",
            f"kubectl logs of a pod on {name} tells whether its API is reached",
        )
    return fail(
        KUBELET,
        f"the API server does not reach {name}'s API, so kubectl logs and exec do not work: {answer.why}",
        f"kubectl get node {name} -o wide: the control plane must reach that address on the kubelet's port "
        "(security group, NetworkPolicy), and its user needs the ClusterRole system:kubelet-api-admin",
    )


def _declared(host: Host, seen: Seen) -> Iterator[Finding]:
    version = minor(seen.server)
    if version is None or version < DECLARED_SINCE or WEBSOCKETS in host.status.declared_features:
        return
    yield warn(
        KUBELET,
        f"{host.metadata.name} does not declare {WEBSOCKETS}: kubectl exec goes by SPDY",
        "restart the bridge, which learns the API server's version at its start",
    )
