"""What changed in the cluster, and whether it may help a pod that fitted nowhere: the queueing hints.

https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/#queueinghint
"""

import enum
from collections.abc import Callable, Mapping
from typing import Final, Self

import msgspec

from app.local.cluster.apiserver.selectors import selects
from app.local.cluster.scheduling.affinity import matches_required
from app.model.node import Node, allocatable
from app.model.pod import Pod, is_terminal, tolerates
from app.model.requests import requests_of
from app.model.resources import Resources

EXTENDER: Final = "Extender"
"""The pseudo-plugin of nodes that an extender took away: every change may have changed its mind."""


class Part(enum.Enum):
    """What of a node or pod changed."""

    ADDED = "added"
    REMOVED = "removed"
    ALLOCATABLE = "allocatable"
    LABELS = "labels"
    TAINTS = "taints"
    CONDITIONS = "conditions"
    ANNOTATIONS = "annotations"
    TOLERATIONS = "tolerations"
    OTHER = "other"


class NodeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A node before and after, and what differs; nothing differs in a heartbeat, which concerns nobody."""

    before: Node | None
    after: Node | None
    parts: frozenset[Part]

    @classmethod
    def of(cls, before: Node | None, after: Node | None) -> Self:
        """With the parts that scheduling looks at."""
        return cls(before=before, after=after, parts=_node_parts(before, after))


class PodChange(msgspec.Struct, frozen=True, kw_only=True):
    """A pod before and after: one that takes up room on a node, or the waiting pod itself (`own`).

    A bound pod that finished has been removed as far as room is concerned.
    """

    before: Pod | None
    after: Pod | None
    parts: frozenset[Part]
    own: bool = False

    @classmethod
    def of(cls, before: Pod | None, after: Pod | None, *, own: bool = False) -> Self:
        """With the parts that scheduling looks at; `OTHER` for anything else."""
        return cls(before=before, after=after, parts=_pod_parts(before, after), own=own)


Change = NodeChange | PodChange


def is_worth_retrying(pod: Pod, rejectors: frozenset[str], change: Change) -> bool:
    """Whether the change may lift a rejection by one of these plugins."""
    if not change.parts:
        return False
    return not rejectors or any(_HINTS.get(name, _always)(pod, change) for name in rejectors)


def takes_room(pod: Pod | None) -> bool:
    """Whether the pod is bound to a node and not over."""
    return pod is not None and bool(pod.spec.node_name) and not is_terminal(pod)


def _always(pod: Pod, change: Change) -> bool:  # noqa: ARG001  (one signature for all hints)
    return True


def _fit(pod: Pod, change: Change) -> bool:
    """Room: a pod that left, or a node that grew in something the pod asks for and could hold it empty."""
    if isinstance(change, PodChange):
        return not change.own and Part.REMOVED in change.parts
    if change.after is None or not change.parts & {Part.ADDED, Part.ALLOCATABLE}:
        return False
    asked = requests_of(pod)
    after = allocatable(change.after)
    if not asked.fits(after):
        return False
    return change.before is None or _grew(asked, allocatable(change.before), after)


def _grew(asked: Resources, before: Resources, after: Resources) -> bool:
    lent = dict(before.extended)
    return (
        before.pods < after.pods
        or (asked.cpu_milli > 0 and before.cpu_milli < after.cpu_milli)
        or (asked.memory > 0 and before.memory < after.memory)
        or (asked.storage > 0 and before.storage < after.storage)
        or any(lent.get(name, 0) < count for name, count in after.extended)
    )


def _taint(pod: Pod, change: Change) -> bool:
    if isinstance(change, PodChange):
        return change.own and Part.TOLERATIONS in change.parts
    return (
        change.after is not None
        and bool(change.parts & {Part.ADDED, Part.TAINTS})
        and all(
            tolerates(pod, key=taint.key, value=taint.value, effect=taint.effect)
            for taint in change.after.spec.taints
            if taint.effect in {"NoSchedule", "NoExecute"}
        )
    )


def _unschedulable(pod: Pod, change: Change) -> bool:  # noqa: ARG001  (one signature for all hints)
    if isinstance(change, PodChange):
        return change.own and Part.TOLERATIONS in change.parts
    return change.after is not None and not change.after.spec.unschedulable


def _affinity(pod: Pod, change: Change) -> bool:
    return (
        isinstance(change, NodeChange)
        and change.after is not None
        and bool(change.parts & {Part.ADDED, Part.LABELS})
        and matches_required(pod, change.after)
    )


def _node_added(pod: Pod, change: Change) -> bool:  # noqa: ARG001  (one signature for all hints)
    return isinstance(change, NodeChange) and Part.ADDED in change.parts


def _ports(pod: Pod, change: Change) -> bool:
    return _node_added(pod, change) or (isinstance(change, PodChange) and Part.REMOVED in change.parts)


def _spread(pod: Pod, change: Change) -> bool:
    """Domains that came, went or moved, and pods that the constraints count."""
    if isinstance(change, NodeChange):
        return bool(change.parts & {Part.ADDED, Part.REMOVED, Part.LABELS, Part.TAINTS})
    if change.own:
        return Part.LABELS in change.parts
    touched = bool(change.parts & {Part.ADDED, Part.REMOVED, Part.LABELS})
    return touched and any(
        selects(constraint.get("labelSelector"), other.metadata.labels)
        for constraint in pod.spec.topology_spread_constraints
        for other in (change.before, change.after)
        if other is not None and other.metadata.namespace == pod.metadata.namespace
    )


def _pod_affinity(pod: Pod, change: Change) -> bool:  # noqa: ARG001  (one signature for all hints)
    return bool(change.parts & {Part.ADDED, Part.REMOVED, Part.LABELS})


_HINTS: Final[Mapping[str, Callable[[Pod, Change], bool]]] = {
    EXTENDER: _always,
    "NodeResourcesFit": _fit,
    "TaintToleration": _taint,
    "NodeUnschedulable": _unschedulable,
    "NodeAffinity": _affinity,
    "NodeName": _node_added,
    "NodePorts": _ports,
    "PodTopologySpread": _spread,
    "InterPodAffinity": _pod_affinity,
}


def _node_parts(before: Node | None, after: Node | None) -> frozenset[Part]:
    if before is None or after is None:
        return frozenset({Part.ADDED if before is None else Part.REMOVED})
    differs = {
        Part.ALLOCATABLE: before.status.allocatable != after.status.allocatable,
        Part.LABELS: before.metadata.labels != after.metadata.labels,
        Part.TAINTS: before.spec.taints != after.spec.taints
        or (before.spec.unschedulable and not after.spec.unschedulable),
        Part.CONDITIONS: _conditions(before) != _conditions(after),
        Part.ANNOTATIONS: before.metadata.annotations != after.metadata.annotations,
    }
    return frozenset(part for part, changed in differs.items() if changed)


def _pod_parts(before: Pod | None, after: Pod | None) -> frozenset[Part]:
    if before is None or after is None:
        return frozenset({Part.ADDED if before is None else Part.REMOVED})
    differs = {
        Part.LABELS: before.metadata.labels != after.metadata.labels,
        Part.TOLERATIONS: len(before.spec.tolerations) != len(after.spec.tolerations),
    }
    return frozenset(part for part, changed in differs.items() if changed) or frozenset({Part.OTHER})


def _conditions(node: Node) -> dict[str, str]:
    return {each.type: each.status for each in node.status.conditions}
