"""The node affinity that a pod's spec requires, decoded; what a term means is for those who judge it.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#NodeAffinity
"""

import msgspec

from app.model.wire import Json, Wire


class Requirement(Wire, frozen=True):
    """One condition on a label or a field; all of a term's must hold."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class Term(Wire, frozen=True):
    """One of the alternatives; it admits nothing where it is empty."""

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


class _Selector(Wire, frozen=True):
    node_selector_terms: tuple[Term, ...] = ()


class _Preferred(Wire, frozen=True):
    preference: Term = Term()


class _NodeAffinity(Wire, frozen=True):
    required: _Selector | None = msgspec.field(
        name="requiredDuringSchedulingIgnoredDuringExecution", default=None
    )
    preferred: tuple[dict[str, Json], ...] | None = msgspec.field(
        name="preferredDuringSchedulingIgnoredDuringExecution", default=None
    )


class _Affinity(Wire, frozen=True):
    node_affinity: _NodeAffinity | None = None


def required_terms(affinity: Json) -> tuple[Term, ...] | None:
    """The terms of the required node affinity, of which one must hold; None where nothing is required.

    Raises:
        msgspec.ValidationError: it is no affinity; an API server would refuse it.
    """
    if not affinity:
        return None
    node = msgspec.convert(affinity, _Affinity).node_affinity
    return node.required.node_selector_terms if node and node.required else None


def speaks_of(affinity: Json, key: str) -> bool:
    """Whether the node affinity, required or preferred, says anything about the label `key`."""
    try:
        node = msgspec.convert(affinity or {}, _Affinity).node_affinity or _NodeAffinity()
        preferred = msgspec.convert(node.preferred or (), tuple[_Preferred, ...])
    except msgspec.ValidationError:
        return False
    required = node.required.node_selector_terms if node.required else ()
    terms = (*required, *(each.preference for each in preferred))
    return any(each.key == key for term in terms for each in term.match_expressions)
