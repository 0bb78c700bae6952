"""Topology spread constraints with `whenUnsatisfiable: DoNotSchedule`.

A node without one of the keys is no domain at all: it never counts, and it never takes such a pod.
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from collections.abc import Iterable, Mapping

import msgspec

from app.local.cluster.apiserver.selectors import selects
from app.local.cluster.scheduling.affinity import matches_required
from app.local.cluster.scheduling.snapshot import NodeInfo, Rejection, Snapshot
from app.model.node import Node
from app.model.pod import Pod, tolerates
from app.model.wire import Json

PLUGIN = "PodTopologySpread"
_MISMATCH = "node(s) didn't match pod topology spread constraints"
_NO_LABEL = f"{_MISMATCH} (missing required label)"


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """One hard constraint, with the number of matching pods in each domain now."""

    key: str
    max_skew: int
    selects_itself: bool
    min_domains: int = 1
    counts: Mapping[str, int] = {}

    @property
    def minimum(self) -> int:
        """The emptiest domain's number; 0 while there are fewer domains than `minDomains`."""
        return min(self.counts.values(), default=0) if len(self.counts) >= self.min_domains else 0


def constraints(pod: Pod, snapshot: Snapshot) -> tuple[Constraint, ...]:
    """The pod's hard constraints, counted over the nodes that carry all of their keys."""
    hard = [each for each in pod.spec.topology_spread_constraints if _is_hard(each)]
    if not hard:
        return ()
    keys = [each["topologyKey"] for each in hard]
    domains = [
        info for info in snapshot.nodes.values() if all(key in info.node.metadata.labels for key in keys)
    ]
    return tuple(_counted(pod, each, domains) for each in hard)


def rejection(counted: Iterable[Constraint], node: Node) -> Rejection | None:
    """Why these constraints keep the pod off the node, if they do."""
    for constraint in counted:
        domain = node.metadata.labels.get(constraint.key)
        if domain is None:
            return Rejection(plugin=PLUGIN, reasons=(_NO_LABEL,))
        skew = constraint.counts.get(domain, 0) + constraint.selects_itself - constraint.minimum
        if skew > constraint.max_skew:
            return Rejection(plugin=PLUGIN, reasons=(_MISMATCH,), resolvable=True)
    return None


def _is_hard(constraint: Json) -> bool:
    return bool(constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule")


def _counted(pod: Pod, constraint: Json, domains: Iterable[NodeInfo]) -> Constraint:
    key = constraint["topologyKey"]
    selector = _selector(pod, constraint)
    counts: dict[str, int] = {}
    for info in domains:
        if _included(pod, constraint, info.node):
            domain = info.node.metadata.labels[key]
            counts[domain] = counts.get(domain, 0) + _matching(info.pods, selector, pod.metadata.namespace)
    return Constraint(
        key=key,
        max_skew=constraint.get("maxSkew", 1),
        min_domains=constraint.get("minDomains") or 1,
        selects_itself=selects(selector, pod.metadata.labels),
        counts=counts,
    )


def _selector(pod: Pod, constraint: Json) -> Json:
    """The label selector, narrowed by `matchLabelKeys` to the pod's own values."""
    selector = constraint.get("labelSelector")
    own = pod.metadata.labels
    narrowed = {key: own[key] for key in constraint.get("matchLabelKeys") or () if key in own}
    if selector is None or not narrowed:
        return selector
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **narrowed}}


def _included(pod: Pod, constraint: Json, node: Node) -> bool:
    """Node inclusion policies: affinity is honoured unless told otherwise, taints only where told."""
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_required(pod, node):
        return False
    if constraint.get("nodeTaintsPolicy", "Ignore") == "Ignore":
        return True
    return all(
        tolerates(pod, key=taint.key, value=taint.value, effect=taint.effect)
        for taint in node.spec.taints
        if taint.effect in {"NoSchedule", "NoExecute"}
    )


def _matching(pods: Iterable[Pod], selector: Json, namespace: str) -> int:
    return sum(
        pod.metadata.namespace == namespace
        and pod.metadata.deletion_timestamp is None
        and selects(selector, pod.metadata.labels)
        for pod in pods
    )
