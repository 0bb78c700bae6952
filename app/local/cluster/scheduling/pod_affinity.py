"""Required pod affinity and anti-affinity, an incoming pod's own and that of pods which run already.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
"""

from collections.abc import Sequence

from app.local.cluster.apiserver.selectors import selects
from app.local.cluster.scheduling.snapshot import REQUIRED, Rejection, Snapshot
from app.model.node import Node
from app.model.pod import Pod
from app.model.wire import Json

PLUGIN = "InterPodAffinity"


def rejection(pod: Pod, node: Node, snapshot: Snapshot) -> Rejection | None:
    """Why affinity to other pods keeps the pod off the node, if it does.

    Namespace selectors of terms are not looked at: a term means its `namespaces`, or its pod's own.
    """
    if not _satisfies_affinity(pod, node, snapshot):
        return Rejection(plugin=PLUGIN, reasons=("node(s) didn't match pod affinity rules",))
    if any(_meets(term, pod, node, snapshot) for term in _terms(pod, "podAntiAffinity")):
        reason = "node(s) didn't match pod anti-affinity rules"
        return Rejection(plugin=PLUGIN, reasons=(reason,), resolvable=True)
    if _repelled(pod, node, snapshot):
        reason = "node(s) didn't satisfy existing pods anti-affinity rules"
        return Rejection(plugin=PLUGIN, reasons=(reason,), resolvable=True)
    return None


def _terms(pod: Pod, kind: str) -> Sequence[Json]:
    rules = (pod.spec.affinity or {}).get(kind) or {}
    return rules.get(REQUIRED) or ()


def _satisfies_affinity(pod: Pod, node: Node, snapshot: Snapshot) -> bool:
    terms = _terms(pod, "podAffinity")
    if not all(term["topologyKey"] in node.metadata.labels for term in terms):
        return False
    if all(_meets(term, pod, node, snapshot) for term in terms):
        return True
    return _is_first_of_its_kind(pod, terms, snapshot)


def _is_first_of_its_kind(pod: Pod, terms: Sequence[Json], snapshot: Snapshot) -> bool:
    """A group whose pods attract each other could else never get its first pod."""
    if not all(_selects(term, pod, by=pod) for term in terms):
        return False
    running = (other for info in snapshot.nodes.values() for other in info.pods)
    return not any(_selects(term, other, by=pod) for other in running for term in terms)


def _meets(term: Json, pod: Pod, node: Node, snapshot: Snapshot) -> bool:
    """Whether a pod that the term selects runs in the node's domain."""
    key = term["topologyKey"]
    domain = node.metadata.labels.get(key)
    if domain is None:
        return False
    return any(
        _selects(term, other, by=pod)
        for info in snapshot.nodes.values()
        if info.node.metadata.labels.get(key) == domain
        for other in info.pods
    )


def _repelled(pod: Pod, node: Node, snapshot: Snapshot) -> bool:
    """Whether a running pod's anti-affinity selects this one in a domain that the node shares."""
    labels = node.metadata.labels
    return any(
        _selects(term, pod, by=other)
        for info in snapshot.nodes.values()
        for other in info.repelling
        for term in _terms(other, "podAntiAffinity")
        if term["topologyKey"] in labels
        and info.node.metadata.labels.get(term["topologyKey"]) == labels[term["topologyKey"]]
    )


def _selects(term: Json, pod: Pod, *, by: Pod) -> bool:
    namespaces = term.get("namespaces") or (by.metadata.namespace,)
    return pod.metadata.namespace in namespaces and selects(term.get("labelSelector"), pod.metadata.labels)
