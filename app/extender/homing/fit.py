"""Whether pods would find room on real nodes now: a small stand-in for kube-scheduler, careful and cheap.

It judges by what is known of every node: whether it admits the pod, bears with it and has the room. What it
cannot judge (`unjudged`) speaks against a move. Preferences, and anti-affinity of pods that are there
already, are not looked at: a pod that comes back to Fargate for those is held off (`homing.trials`).
"""

from collections.abc import Iterable
from typing import Final

from app.extender.cluster import affinity
from app.extender.cluster.facts import RealNode
from app.extender.cluster.reach import Reach, reach_of
from app.extender.cluster.snapshot import is_placeholder
from app.model.node import Node, is_ready
from app.model.pod import Pod, Toleration
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from app.model.volume import Volume
from app.model.wire import Json

_LEAVING: Final = frozenset({"DeletionCandidateOfClusterAutoscaler", "ToBeDeletedByClusterAutoscaler"})
"""Taints of nodes that cluster-autoscaler is about to take away, soft ones included.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""

_ANYWHERE: Final = frozenset(
    {"name", "empty_dir", "config_map", "secret", "downward_api", "projected", "image"}
)
"""Sources of volumes that every node has."""

_Kind = tuple[Reach, tuple[Toleration, ...], Resources, bool]
"""What decides where a pod fits. A reach leaves tolerations of passing taints out; here they matter."""


class Berths:
    """Free room on the real nodes, taken pod by pod.

    Pods of one reach and size are alike, and room only shrinks: where one of them did not fit, none of
    those after it does. So many pods of few kinds cost little more than one look at each node per kind.

    Args:
        real: the nodes; those that take nobody now, or are about to leave, are passed over.
    """

    def __init__(self, real: Iterable[RealNode]) -> None:
        takers = sorted((each for each in real if _takes_pods(each.node)), key=lambda each: each.node.name)
        self._nodes = [each.node for each in takers]
        self._index = {node.name: index for index, node in enumerate(self._nodes)}
        self._free = [each.free - each.placeholders for each in takers]
        self._placeholders = [each.placeholders for each in takers]
        self._most_cpu = [each.free.cpu_milli for each in takers]
        self._tried: dict[_Kind, int] = {}

    def seat(self, pod: Pod, *, aside: bool = False) -> str | None:
        """The first node where the pod fits, its room taken from now on; None where it fits nowhere.

        Args:
            pod: the pod, or one that a controller would make in its place.
            aside: whether placeholders may be pushed aside for it.
        """
        try:
            asked = requests_of(pod)
        except QuantityError:
            return None
        kind = (reach_of(pod), pod.spec.tolerations, asked, aside)
        found = self._first(pod, asked, start=self._tried.get(kind, 0), aside=aside)
        self._tried[kind] = len(self._nodes) if found is None else found
        if found is None:
            return None
        self._take(found, asked)
        return self._nodes[found].name

    def give_way(self, pending: Iterable[Pod]) -> None:
        """Let pods without a node take what they would take first: by priority, the largest before others.

        One that was nominated, or pinned, to a node takes its room there, whether it is free yet or not.
        """
        waiting = (pod for pod in pending if not pod.spec.scheduling_gates)
        for pod in sorted(waiting, key=_rank):
            claimed = _claim(pod)
            if claimed in self._index:
                self._take(self._index[claimed], asked_by(pod))
            elif self.seat(pod) is None and not is_placeholder(pod):
                self.seat(pod, aside=True)

    def _first(self, pod: Pod, asked: Resources, *, start: int, aside: bool) -> int | None:
        cpu = asked.cpu_milli
        for index in range(start, len(self._nodes)):
            if cpu > self._most_cpu[index]:  # the one comparison that most nodes of a large cluster get
                continue
            if self._has_room(index, asked, aside=aside) and suits(self._nodes[index], pod):
                return index
        return None

    def _has_room(self, index: int, asked: Resources, *, aside: bool) -> bool:
        free = self._free[index]
        return asked.fits(free + self._placeholders[index] if aside else free)

    def _take(self, index: int, asked: Resources) -> None:
        self._free[index] -= asked
        self._most_cpu[index] -= asked.cpu_milli


def suits(node: Node, pod: Pod) -> bool:
    """Whether the pod's own words let it onto the node, and the node's taints do."""
    return affinity.admits(pod, node) and affinity.bears(pod, node, transient=True)


def unjudged(pod: Pod) -> tuple[str, ...]:
    """Fields of the pod's spec that keep it off nodes in ways that are not simulated here; often none."""
    spec = pod.spec
    spoken = {
        "topologySpreadConstraints": any(map(_is_hard, spec.topology_spread_constraints)),
        "affinity.podAffinity": _requires(spec.affinity, "podAffinity"),
        "affinity.podAntiAffinity": _requires(spec.affinity, "podAntiAffinity"),
        "volumes": any(map(_is_bound_to_place, spec.volumes)),
        "resourceClaims": bool(spec.resource_claims),
        "hostPort": any(port.host_port for each in spec.containers for port in each.ports),
    }
    return tuple(field for field, is_so in spoken.items() if is_so)


def by_size(pod: Pod) -> tuple[int, int]:
    """Sorts the largest first."""
    asked = asked_by(pod)
    return (-asked.cpu_milli, -asked.memory)


def _takes_pods(node: Node) -> bool:
    if node.metadata.deletion_timestamp is not None or node.spec.unschedulable or not is_ready(node):
        return False
    return all(taint.key not in _LEAVING for taint in node.spec.taints)


def asked_by(pod: Pod) -> Resources:
    """What the pod asks for; a mere pod slot where its quantities mean nothing."""
    try:
        return requests_of(pod)
    except QuantityError:
        return Resources(pods=1)


def _rank(pod: Pod) -> tuple[int, int, int]:
    return (-(pod.spec.priority or 0), *by_size(pod))


def _claim(pod: Pod) -> str:
    """The node whose room is promised to the pod; empty where there is none."""
    if pod.status.nominated_node_name:
        return pod.status.nominated_node_name
    pins = affinity.pinned_to(pod)
    return next(iter(pins)) if len(pins) == 1 else ""


def _is_hard(constraint: Json) -> bool:
    return not isinstance(constraint, dict) or constraint.get("whenUnsatisfiable") != "ScheduleAnyway"


def _requires(rules: Json, kind: str) -> bool:
    part = rules.get(kind) if isinstance(rules, dict) else None
    return isinstance(part, dict) and bool(part.get("requiredDuringSchedulingIgnoredDuringExecution"))


def _is_bound_to_place(volume: Volume) -> bool:
    return any(name not in _ANYWHERE and getattr(volume, name) for name in volume.__struct_fields__)
