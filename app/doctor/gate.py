"""Whether the virtual nodes are as everybody else in the cluster needs them.

Who leads, whether bridges keep their nodes, and what words mean nothing, is `spillway status`' judgement; its
troubles are repeated here, one by one.
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import MORE_RIGHTS, Seen, Unread, known
from app.model.early import read_early
from app.model.grant import GrantsError, read_grants
from app.model.names import (
    COMPUTE_TYPE,
    COMPUTE_TYPE_LABEL,
    EXCLUDE_FROM_LOAD_BALANCERS,
    NODE_TYPE_LABEL,
    TAINT_EFFECT,
    TAINT_KEY,
    TAINT_VALUE,
    VIRTUAL_KUBELET,
    ZONE_LABEL,
)
from app.model.node import Node, allocatable, is_virtual, marks_virtual
from app.model.resources import Resources
from app.model.setting import named

GATE: Final = "gate"
NAMESPACES: Final = "namespaces"
NODE: Final = "node"
HOSTNAME: Final = "kubernetes.io/hostname"
_LABELS: Final = {
    NODE_TYPE_LABEL: VIRTUAL_KUBELET,
    COMPUTE_TYPE_LABEL: COMPUTE_TYPE,
    EXCLUDE_FROM_LOAD_BALANCERS: "true",
}
_RESTART: Final = "the bridge puts it back; look at its logs where it does not"


def check(seen: Seen) -> Iterator[Finding]:
    """The gate, then each virtual node."""
    yield from _gate(seen)
    if isinstance(seen.nodes, Unread):
        yield unread(NODE, "how the virtual nodes look", seen.nodes)
    for node in seen.virtual:
        faults = tuple(_faults(node, seen))
        yield from faults
        if not faults:
            zone = node.metadata.labels.get(ZONE_LABEL, "")
            yield ok(NODE, f"{node.name} has its taint and labels, no hostname, and stands in zone {zone}")


def _gate(seen: Seen) -> Iterator[Finding]:
    gate = seen.gate
    if isinstance(gate, Unread):
        yield unread(GATE, "how it stands", gate)
        return
    for trouble in gate.troubles:
        seen_words, _, mend = str(trouble).rpartition("; ")
        subject = NAMESPACES if trouble.message.startswith("namespace ") else GATE
        yield fail(subject, seen_words or mend, mend if seen_words else "spillway status")
    for note in gate.notes:
        yield warn(GATE, str(note), "spillway status")
    yield from (skip(GATE, f"not read: {each}", MORE_RIGHTS) for each in gate.unread)
    if not gate.troubles:
        yield ok(GATE, f"{gate.holder} leads, and every virtual node is kept and Ready")


def _faults(node: Node, seen: Seen) -> Iterator[Finding]:
    labels = node.metadata.labels
    if HOSTNAME in labels:
        yield fail(
            NODE,
            f"{node.name} has the label {HOSTNAME}: topology spread over hostnames then counts it, and keeps "
            "pods Pending that never opted in",
            f"kubectl label node {node.name} {HOSTNAME}-",
        )
    wrong = [key for key, value in _LABELS.items() if labels.get(key) != value]
    if wrong:
        yield fail(NODE, f"{node.name} lacks the labels {', '.join(wrong)}", _RESTART)
    if not any(marks_virtual(each) and each.effect == TAINT_EFFECT for each in node.spec.taints):
        yield fail(
            NODE,
            f"{node.name} has our taint with another effect than {TAINT_EFFECT}",
            f"kubectl taint node {node.name} {TAINT_KEY}={TAINT_VALUE}:{TAINT_EFFECT}",
        )
    yield from _zone(node, seen)
    yield from _room(node)


def _zone(node: Node, seen: Seen) -> Iterator[Finding]:
    zone = node.metadata.labels.get(ZONE_LABEL, "")
    real = [each for each in known(seen.nodes) if not is_virtual(each)]
    zones = {each.metadata.labels.get(ZONE_LABEL, "") for each in real} - {""}
    if not zones or zone in zones:
        return
    yield warn(
        NODE,
        f'{node.name} stands in zone "{zone}", which has no real node: pods that spread over zones wait for '
        "that one to fill",
        f"set {named('bridge', 'zone')} to one of the zones {', '.join(sorted(zones))}",
    )


def _room(node: Node) -> Iterator[Finding]:
    """Open without a grant means that somebody else than the gate wrote it, or that nobody closed it."""
    try:
        grants = read_grants(node.metadata.annotations)
    except GrantsError:
        return  # `spillway status` tells it
    offered, whole = allocatable(node), Resources.parse(node.status.capacity)
    has_early = read_early(node.metadata.annotations) is not None
    if (
        grants
        or has_early
        or not whole.pods
        or offered.pods < whole.pods
        or offered.cpu_milli < whole.cpu_milli
    ):
        return
    yield fail(
        NODE,
        f"{node.name} stands wide open (allocatable is its whole capacity) without a grant: whoever "
        "tolerates its taint lands there, and autoscalers count it as free",
        f"kubectl cordon {node.name}; then see that extender and bridge run",
    )
