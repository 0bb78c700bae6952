"""Whether a pod's own words let it onto a node: nodeSelector, required node affinity and tolerations.

The same rules as kube-scheduler's NodeAffinity and TaintToleration plugins; room is not looked at.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from app.model.affinity import Requirement, Term, required_terms
from app.model.node import Node, Taint, marks_virtual
from app.model.pod import Pod, tolerates

NODE_NAME_FIELD: Final = "metadata.name"
"""The only field that `matchFields` may name."""

_TRANSIENT: Final = "node.kubernetes.io/"
"""Prefix of taints that the node's state comes and goes with (not-ready, unschedulable, …)."""

_HARD: Final = frozenset({"NoSchedule", "NoExecute"})

_INTEGER: Final = re.compile(r"^[+-]?\d{1,19}$", re.ASCII)


def admits(pod: Pod, node: Node) -> bool:
    """Whether the pod's nodeSelector and required node affinity let it onto the node."""
    return lets_onto(node, selector=pod.spec.node_selector.items(), required=required_of(pod))


def lets_onto(node: Node, *, selector: Iterable[tuple[str, str]], required: tuple[Term, ...] | None) -> bool:
    """As `admits`, from the words themselves: pairs of labels, and terms of which one must hold."""
    labels = node.metadata.labels
    for key, value in selector:
        if labels.get(key) != value:
            return False
    return required is None or any(_matches(term, node) for term in required)


def lacks_spread_key(pod: Pod, node: Node) -> bool:
    """Whether a hard spread constraint counts by a label that the node has not: then it never takes the pod.

    https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#conventions
    """
    hard = (
        each
        for each in pod.spec.topology_spread_constraints
        if isinstance(each, dict) and each.get("whenUnsatisfiable") == "DoNotSchedule"
    )
    return any(each.get("topologyKey") not in node.metadata.labels for each in hard)


def pinned_to(pod: Pod) -> frozenset[str]:
    """The nodes that the pod's required affinity names by `matchFields`, as the DaemonSet controller does.

    Empty where a term leaves the node open.

    https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
    """
    required = required_of(pod)
    if required is None:
        return frozenset()
    pins = [_pin(term) for term in required]
    return frozenset() if "" in pins else frozenset(pins)


def bears(pod: Pod, node: Node, *, transient: bool, but_ours: bool = False) -> bool:
    """Whether the pod tolerates the node's hard taints.

    Args:
        pod: the pod.
        node: the node.
        transient: also those of the node's passing state, such as not-ready.
        but_ours: leave the virtual nodes' own taint out, since the pod will be given the toleration for it.
    """
    hard = hard_taints(node, transient=transient)
    if but_ours:
        hard = tuple(each for each in hard if not marks_virtual(each))
    return all(tolerates(pod, key=each.key, value=each.value, effect=each.effect) for each in hard)


def hard_taints(node: Node, *, transient: bool) -> tuple[Taint, ...]:
    """The taints that keep pods off, with or without those of the node's passing state."""
    return tuple(
        taint
        for taint in node.spec.taints
        if taint.effect in _HARD and (transient or not is_transient(taint.key))
    )


def is_transient(key: str) -> bool:
    """Whether a taint of this key comes and goes with the node's state."""
    return key.startswith(_TRANSIENT)


def required_of(pod: Pod) -> tuple[Term, ...] | None:
    """The terms of the pod's required node affinity; None where it has none, empty where no node will do."""
    try:
        return required_terms(pod.spec.affinity)
    except msgspec.ValidationError:
        # An API server refuses such a pod; whatever it means, it admits no node, as no term does.
        return ()


def _pin(term: Term) -> str:
    for each in term.match_fields:
        if each.key == NODE_NAME_FIELD and each.operator == "In" and len(each.values) == 1:
            return each.values[0]
    return ""


def _matches(term: Term, node: Node) -> bool:
    if not term.match_expressions and not term.match_fields:
        return False
    labels = node.metadata.labels
    return all(_holds(each, labels.get(each.key)) for each in term.match_expressions) and all(
        _field_holds(each, node.name) for each in term.match_fields
    )


def _field_holds(requirement: Requirement, name: str) -> bool:
    if requirement.key != NODE_NAME_FIELD or len(requirement.values) != 1:
        return False
    if requirement.operator == "In":
        return requirement.values[0] == name
    return requirement.operator == "NotIn" and requirement.values[0] != name


def _holds(requirement: Requirement, found: str | None) -> bool:
    match requirement.operator:
        case "In":
            return found is not None and found in requirement.values
        case "NotIn":
            return found is None or found not in requirement.values
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt":
            return _compares(requirement, found)
        case _:
            return False


def _compares(requirement: Requirement, found: str | None) -> bool:
    if found is None or len(requirement.values) != 1:
        return False
    bound = requirement.values[0]
    if not _INTEGER.match(found) or not _INTEGER.match(bound):
        return False
    if requirement.operator == "Gt":
        return int(found) > int(bound)
    return int(found) < int(bound)
