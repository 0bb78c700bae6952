"""What the webhook does to a pod, as a pure decision: the patch, or every reason for leaving it alone.

A pod that may overflow gets the toleration for the virtual node's taint, a preference for any other node,
the scheduler that asks the extender, and the marker by which that one knows whom to ask about. A pod that
must overflow is bound to virtual nodes instead. Where the actuator is the toleration, that one is held back,
and no scheduler is asked: the gate adds it to pods that it granted a place.
Any other pod that bears the taint gets the marker alone, or it would land on virtual nodes unasked.
Deciding again on the patched pod changes nothing, as `reinvocationPolicy: IfNeeded` requires.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import jsonpatch
import msgspec

from app.fargate.eligibility import caveats, machine_bound, refusals
from app.model import actuator as actuators
from app.model import policy
from app.model.actuator import OUR_TOLERATION, Actuator, is_marked, tolerates_virtual_nodes
from app.model.names import NODE_TYPE_LABEL, OVERFLOW, VIRTUAL_KUBELET
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError
from app.model.reason import Reason
from app.model.wire import Json
from app.webhook import marker


class Mutation(msgspec.Struct, frozen=True):
    """RFC 6902 operations on the pod's spec.

    They touch `tolerations`, `affinity`, `schedulerName` and the first container's `resources` only.

    `caveats` say what would run differently on Fargate; its owner should hear them.
    """

    patch: tuple[Json, ...]
    caveats: tuple[Reason, ...] = ()


class Untouched(msgspec.Struct, frozen=True):
    """The pod is admitted as it is. `warn`: its owner asked for overflow and should hear the reasons."""

    reasons: tuple[Reason, ...]
    warn: bool


PREFER_REAL: Final[Mapping[str, Json]] = {
    "weight": 100,
    "preference": {
        "matchExpressions": [{"key": NODE_TYPE_LABEL, "operator": "NotIn", "values": [VIRTUAL_KUBELET]}]
    },
}
ONLY_VIRTUAL: Final[Mapping[str, Json]] = {
    "key": NODE_TYPE_LABEL,
    "operator": "In",
    "values": [VIRTUAL_KUBELET],
}

OWN_TOLERATION: Final = Reason(
    "OwnToleration",
    "borne without a grant: it may take another's place; tolerate single taints",
    "spec.tolerations",
)
"""A caveat: the pod may land on a virtual node as soon as that has room for anybody."""

_ALREADY_BOUND: Final = Reason("AlreadyBound", "the pod names its node itself", "spec.nodeName")
_ALREADY_PREPARED: Final = Reason("AlreadyPrepared", "the pod has all it needs")
_INTOLERANT: Final = Reason("Intolerant", "no virtual node takes the pod anyway", "spec.tolerations")

_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_DEFAULT_SCHEDULER: Final = "default-scheduler"


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How pods are prepared.

    Attributes:
        actuator: with `toleration`, the gate adds it later; with `scheduler`, pods have it from the start.
        scheduler_name: the scheduler that asks the extender; empty leaves `schedulerName` alone.
    """

    actuator: Actuator = actuators.SCHEDULER
    scheduler_name: str = ""


_AS_EVER: Final = How()


def decide(
    pod: Pod, *, namespace: Mapping[str, str], how: How = _AS_EVER, unknown: tuple[Reason, ...] = ()
) -> Mutation | Untouched:
    """What to do with a pod that is about to be created.

    Args:
        pod: as under review; defaults and other webhooks may have touched it.
        namespace: the labels of its namespace, or as many of them as the webhook's path implies.
        how: what it is prepared for.
        unknown: the fields that the pod sets and `pod` cannot hold, as reasons.
    """
    exempt = _exemptions(pod)
    if exempt:
        return Untouched(exempt, warn=False)
    try:
        overflow = policy.overflow_of(namespace=namespace, pod=pod.metadata.labels)
    except PolicyError as error:
        return Untouched((Reason("InvalidOverflow", str(error)),), warn=True)
    if overflow is Overflow.NO:
        return Untouched(
            (Reason("NotOptedIn", f"neither pod nor namespace asks for it ({OVERFLOW})"),), warn=False
        )
    found = (*_invalid_annotations(pod), *unknown, *refusals(pod))
    if found:
        return Untouched(found, warn=True)
    patch = _patch(pod, overflow=overflow, how=how)
    if not patch:
        return Untouched((_ALREADY_PREPARED,), warn=False)
    return Mutation(patch, (*_own_toleration(pod, how), *caveats(pod)))


def decide_tolerant(pod: Pod, *, how: How = _AS_EVER) -> Mutation | Untouched:
    """The marker for a pod that bears virtual nodes' taint, whoever it is; what overflow takes is `decide`'s.

    Args:
        pod: as under review, of any namespace.
        how: what pods are prepared for; where no extender is asked, nobody is marked.
    """
    if pod.spec.node_name:
        return Untouched((_ALREADY_BOUND,), warn=False)
    if not tolerates_virtual_nodes(pod):
        return Untouched((_INTOLERANT,), warn=False)
    before = _first_container(pod)
    patch = _difference(before, {**before, **_marking(pod, how)})
    return Mutation(patch) if patch else Untouched((_ALREADY_PREPARED,), warn=False)


def _exemptions(pod: Pod) -> tuple[Reason, ...]:
    if pod.spec.node_name:
        return (_ALREADY_BOUND,)
    return machine_bound(pod)


def _invalid_annotations(pod: Pod) -> tuple[Reason, ...]:
    try:
        policy.max_wait(pod.metadata.annotations, default=timedelta())
    except PolicyError as error:
        return (Reason("InvalidMaxWait", str(error)),)
    return ()


def _own_toleration(pod: Pod, how: How) -> tuple[Reason, ...]:
    """A toleration that the pod brought stays, for it may bear other taints as well; its owner is told."""
    held_back = how.actuator == actuators.TOLERATION
    return (OWN_TOLERATION,) if held_back and tolerates_virtual_nodes(pod) else ()


def _patch(pod: Pod, *, overflow: Overflow, how: How) -> tuple[Json, ...]:
    """The difference between the four fields as they are and as they should be."""
    before = _first_container(pod)
    if pod.spec.tolerations:
        before["tolerations"] = [msgspec.to_builtins(each) for each in pod.spec.tolerations]
    if pod.spec.affinity:
        before["affinity"] = pod.spec.affinity
    after = {**before, **_marking(pod, how), "affinity": _affinity(pod.spec.affinity or {}, overflow)}
    if how.actuator == actuators.SCHEDULER:
        if not tolerates_virtual_nodes(pod):
            after["tolerations"] = [*before.get("tolerations", ()), OUR_TOLERATION]
        defaults = {"", _DEFAULT_SCHEDULER}
        if pod.spec.scheduler_name in defaults and how.scheduler_name not in defaults:
            after["schedulerName"] = how.scheduler_name
    return _difference(before, after)


def _first_container(pod: Pod) -> dict[str, Json]:
    """What the first container asks for, as the part of a spec that holds it."""
    resources = [marker.written(each.resources) for each in pod.spec.containers[:1]]
    return {"containers": [{"resources": each} if each else {} for each in resources]}


def _marking(pod: Pod, how: How) -> dict[str, Json]:
    """The same with the marker; nothing where the pod has it, or where no extender is asked."""
    if how.actuator != actuators.SCHEDULER or is_marked(pod):
        return {}
    resources = [marker.written(each.resources) for each in pod.spec.containers[:1]]
    return {"containers": [{"resources": marker.marked(each)} for each in resources]}


def _difference(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[Json, ...]:
    """The patch of a spec.

    What is absent, null, empty or a default counts as absent in `before`: `add` creates and replaces alike,
    so the patch applies whichever of these the pod's own JSON has, and no parent can be missing.
    """
    return tuple(jsonpatch.make_patch({"spec": before}, {"spec": after}))


def _affinity(affinity: Mapping[str, Json], overflow: Overflow) -> dict[str, Json]:
    node = affinity.get("nodeAffinity") or {}
    extended = _only_virtual(node) if overflow is Overflow.REQUIRED else _preferring_real(node)
    return {**affinity, "nodeAffinity": extended}


def _preferring_real(node: Mapping[str, Json]) -> dict[str, Json]:
    preferred = node.get(_PREFERRED) or []
    if PREFER_REAL in preferred:
        return dict(node)
    return {**node, _PREFERRED: [*preferred, PREFER_REAL]}


def _only_virtual(node: Mapping[str, Json]) -> dict[str, Json]:
    required = node.get(_REQUIRED) or {}
    terms = required.get("nodeSelectorTerms") or [{"matchExpressions": [ONLY_VIRTUAL]}]
    return {**node, _REQUIRED: {**required, "nodeSelectorTerms": [_narrowed(term) for term in terms]}}


def _narrowed(term: Mapping[str, Json]) -> Mapping[str, Json]:
    """The term ANDed with "is virtual". Terms are ORed, so each needs it; an empty term matches no node.

    Filling an empty term would widen what the pod accepts, so it stays empty.
    """
    expressions = term.get("matchExpressions") or []
    if ONLY_VIRTUAL in expressions or not (expressions or term.get("matchFields")):
        return term
    return {**term, "matchExpressions": [*expressions, ONLY_VIRTUAL]}
