"""Which nodes take a pod: kube-scheduler's filters in its order; a node's first rejection is its answer.

https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
"""

from collections.abc import Mapping
from typing import Self

import msgspec

from app.local.cluster.scheduling import pod_affinity, spread
from app.local.cluster.scheduling.affinity import matches_required, named_nodes
from app.local.cluster.scheduling.snapshot import NodeInfo, Rejection, Snapshot, priority_of
from app.model.node import Node
from app.model.pod import Pod, tolerates
from app.model.requests import requests_of
from app.model.resources import Resources

UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"
_BLOCKING = frozenset({"NoSchedule", "NoExecute"})


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A pod with what every node is measured against, worked out once for a snapshot."""

    pod: Pod
    asked: Resources
    spread: tuple[spread.Constraint, ...]

    @classmethod
    def of(cls, pod: Pod, snapshot: Snapshot) -> Self:
        """The pod as this snapshot sees it."""
        return cls(pod=pod, asked=requests_of(pod), spread=spread.constraints(pod, snapshot))


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that passed, in order, and each other node's rejection.

    Attributes:
        feasible: names of the nodes that take the pod.
        rejected: by node name; a node in neither was never looked at (`absent` says why).
        absent: what holds for every node that is in neither.
    """

    feasible: tuple[str, ...]
    rejected: Mapping[str, Rejection]
    absent: Rejection | None = None


def filtered(pod: Pod, snapshot: Snapshot) -> Filtered:
    """Every node's verdict on the pod; only the named nodes are asked where affinity pins it to names."""
    named = named_nodes(pod)
    incoming = Incoming.of(pod, snapshot)
    looked_at = [name for name in snapshot.nodes if named is None or name in named]
    verdicts = {name: rejection(incoming, name, snapshot) for name in looked_at}
    absent = None
    if named is not None:
        absent = Rejection(
            plugin="NodeAffinity", reasons=("node(s) didn't satisfy plugin(s) [NodeAffinity]",)
        )
    return Filtered(
        feasible=tuple(name for name, verdict in verdicts.items() if verdict is None),
        rejected={name: verdict for name, verdict in verdicts.items() if verdict is not None},
        absent=absent,
    )


def rejection(incoming: Incoming, name: str, snapshot: Snapshot) -> Rejection | None:
    """Why the node does not take the pod, None where it does.

    Pods of the same or a higher priority that are nominated to the node count as if they ran there; and the
    pod must fit without them too, since they may never come.
    """
    info, pod = snapshot.nodes[name], incoming.pod
    waiting = [
        other
        for other in snapshot.nominated.get(name, ())
        if other.uid != pod.uid and priority_of(other) >= priority_of(pod)
    ]
    if waiting:
        crowded = snapshot.replacing(info.having(waiting))
        refused = _first_rejection(Incoming.of(pod, crowded), crowded.nodes[name], crowded)
        if refused is not None:
            return refused
    return _first_rejection(incoming, info, snapshot)


def _first_rejection(incoming: Incoming, info: NodeInfo, snapshot: Snapshot) -> Rejection | None:
    pod = incoming.pod
    return (
        _unschedulable(pod, info.node)
        or _other_name(pod, info.node)
        or _untolerated_taint(pod, info.node)
        or _unmatched_affinity(pod, info.node)
        or _taken_ports(pod, info)
        or _insufficient(incoming.asked, info)
        or spread.rejection(incoming.spread, info.node)
        or pod_affinity.rejection(pod, info.node, snapshot)
    )


def _unschedulable(pod: Pod, node: Node) -> Rejection | None:
    if not node.spec.unschedulable:
        return None
    if tolerates(pod, key=UNSCHEDULABLE_TAINT, value="", effect="NoSchedule"):
        return None
    return Rejection(plugin="NodeUnschedulable", reasons=("node(s) were unschedulable",))


def _other_name(pod: Pod, node: Node) -> Rejection | None:
    if pod.spec.node_name in {"", node.name}:
        return None
    return Rejection(plugin="NodeName", reasons=("node(s) didn't match the requested node name",))


def _untolerated_taint(pod: Pod, node: Node) -> Rejection | None:
    if all(
        tolerates(pod, key=taint.key, value=taint.value, effect=taint.effect)
        for taint in node.spec.taints
        if taint.effect in _BLOCKING
    ):
        return None
    return Rejection(plugin="TaintToleration", reasons=("node(s) had untolerated taint(s)",))


def _unmatched_affinity(pod: Pod, node: Node) -> Rejection | None:
    if matches_required(pod, node):
        return None
    return Rejection(plugin="NodeAffinity", reasons=("node(s) didn't match Pod's node affinity/selector",))


def _taken_ports(pod: Pod, info: NodeInfo) -> Rejection | None:
    wanted = _host_ports(pod)
    if not wanted:
        return None
    taken = [port for other in info.pods for port in _host_ports(other)]
    if not any(_clash(mine, theirs) for mine in wanted for theirs in taken):
        return None
    reason = "node(s) didn't have free ports for the requested pod ports"
    return Rejection(plugin="NodePorts", reasons=(reason,), resolvable=True)


def _host_ports(pod: Pod) -> list[tuple[str, int, str]]:
    sidecars = (each for each in pod.spec.init_containers if each.restart_policy == "Always")
    return [
        (port.protocol, port.host_port, port.host_ip or "0.0.0.0")
        for container in (*pod.spec.containers, *sidecars)
        for port in container.ports
        if port.host_port
    ]


def _clash(one: tuple[str, int, str], other: tuple[str, int, str]) -> bool:
    return one[:2] == other[:2] and (one[2] == other[2] or "0.0.0.0" in {one[2], other[2]})


def _insufficient(asked: Resources, info: NodeInfo) -> Rejection | None:
    """Every resource that is short; one that even the empty node lacks makes eviction useless."""
    free = info.room - info.requested
    shortages = [
        (f"Insufficient {name}", want > room)
        for name, want, left, room in _compared(asked, free, info.room)
        if want > left
    ]
    if asked.pods > free.pods:
        shortages.insert(0, ("Too many pods", False))
    if not shortages:
        return None
    return Rejection(
        plugin="NodeResourcesFit",
        reasons=tuple(reason for reason, _ in shortages),
        resolvable=not any(hopeless for _, hopeless in shortages),
    )


def _compared(asked: Resources, free: Resources, room: Resources) -> list[tuple[str, int, int, int]]:
    """(name, asked, free, allocatable) of each resource that the pod asks for."""
    left, all_of = dict(free.extended), dict(room.extended)
    standard = [
        ("cpu", asked.cpu_milli, free.cpu_milli, room.cpu_milli),
        ("memory", asked.memory, free.memory, room.memory),
        ("ephemeral-storage", asked.storage, free.storage, room.storage),
    ]
    extended = [(name, want, left.get(name, 0), all_of.get(name, 0)) for name, want in asked.extended]
    return [each for each in standard + extended if each[1] > 0]
