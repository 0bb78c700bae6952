"""Which nodes a pod asks for: nodeSelector, required and preferred node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from app.model.node import Node
from app.model.pod import Pod
from app.model.wire import Json

_NAME = "metadata.name"


def matches_required(pod: Pod, node: Node) -> bool:
    """Whether nodeSelector and required node affinity accept the node: terms are ORed, their parts ANDed."""
    labels = node.metadata.labels
    if any(labels.get(key) != value for key, value in pod.spec.node_selector.items()):
        return False
    terms = _required_terms(pod)
    return terms is None or any(_term_matches(term, node) for term in terms)


def preferred_weight(pod: Pod, node: Node) -> int:
    """The sum of the weights of the preferred terms that accept the node; an empty term accepts all."""
    preferred = _node_affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(int(each["weight"]) for each in preferred if _parts_match(each.get("preference") or {}, node))


def named_nodes(pod: Pod) -> frozenset[str] | None:
    """The only nodes that required affinity leaves by `metadata.name`; None where it does not name any.

    DaemonSet pods are pinned this way; kube-scheduler then looks at no other node at all.
    """
    terms = _required_terms(pod)
    if not terms:
        return None
    named = [_names_in(term) for term in terms]
    if any(names is None for names in named):
        return None
    return frozenset[str]().union(*(names for names in named if names is not None))


def _names_in(term: Json) -> frozenset[str] | None:
    listed = [
        frozenset(part.get("values") or ())
        for part in term.get("matchFields") or ()
        if part.get("key") == _NAME and part.get("operator") == "In"
    ]
    return reduce(frozenset.intersection, listed) if listed else None


def _node_affinity(pod: Pod) -> Mapping[str, Json]:
    return (pod.spec.affinity or {}).get("nodeAffinity") or {}


def _required_terms(pod: Pod) -> Sequence[Json] | None:
    required = _node_affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else required.get("nodeSelectorTerms") or ()


def _term_matches(term: Json, node: Node) -> bool:
    """As `_parts_match`, but an empty required term matches nothing."""
    return bool(term.get("matchExpressions") or term.get("matchFields")) and _parts_match(term, node)


def _parts_match(term: Json, node: Node) -> bool:
    fields = {_NAME: node.name}
    return all(
        _requirement_holds(part, node.metadata.labels) for part in term.get("matchExpressions") or ()
    ) and all(_requirement_holds(part, fields) for part in term.get("matchFields") or ())


def _requirement_holds(requirement: Json, values: Mapping[str, str]) -> bool:
    found = values.get(requirement["key"])
    wanted = requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return found in wanted
        case "NotIn":
            return found not in wanted
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, found, wanted)
        case _:
            return False  # an unknown operator matches no node, as a term that does not parse


def _compares(operator: str, found: str | None, wanted: Sequence[str]) -> bool:
    try:
        left, right = int(found or ""), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right
