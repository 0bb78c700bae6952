"""Who presses for room: opted-in pods that the scheduler found no node for."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.extender.cluster import affinity
from app.model.actuator import SCHEDULER, TOLERATION, Actuator, is_marked
from app.model.affinity import speaks_of
from app.model.names import NODE_TYPE_LABEL
from app.model.namespace import Namespace
from app.model.node import Node, is_ready, is_virtual
from app.model.pod import Pod, PodCondition, condition, is_of_daemon_set
from app.model.policy import Overflow, PolicyError, overflow_of
from app.model.quantity import GIB, QuantityError
from app.model.reason import Reason
from app.model.requests import requests_of
from app.model.resources import Resources

SPREAD_KEY_MISSING: Final = Reason(
    "SpreadKeyMissing",
    "a DoNotSchedule constraint counts by a label that no virtual node has, as kubernetes.io/hostname; "
    "spread over zones, or use ScheduleAnyway",
    "spec.topologySpreadConstraints",
)
ASKS_ELSEWHERE: Final = Reason(
    "AsksForOtherNodes",
    "its nodeSelector or required node affinity admits no virtual node; loosen them if it may overflow",
    "spec.affinity",
)
UNSCHEDULABLE: Final = "Unschedulable"
"""The scheduler's reason; `SchedulingGated` and `SchedulerError` are others, and no pressure."""

MOST_FOR_DAEMONS: Final = Resources(cpu_milli=4000, memory=16 * GIB, storage=64 * GIB, pods=16)
"""The most room that a virtual node holds open for DaemonSet pods, which never start there."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An opted-in pod without a node, and the virtual nodes that its own words let it onto.

    `invalid` says what is wrong with what it asks; such a pod is refused. `prepared` is false where it bears
    with no virtual node, and will not be made to, as any pod that the webhook did not see or left alone.
    """

    pod: Pod
    overflow: Overflow
    nodes: tuple[Node, ...]
    invalid: Reason | None = None
    prepared: bool = True


def candidates(
    unbound: Iterable[Pod],
    *,
    nodes: Iterable[Node],
    namespaces: Mapping[str, Namespace],
    actuator: Actuator = SCHEDULER,
) -> tuple[Candidate, ...]:
    """The pods that may, or must, burst: opted in, Unschedulable, and let onto a virtual node by themselves.

    A toleration alone counts for nothing: the namespace must have the label. Without a node that suits them
    those stay candidates that should be told: who *must* overflow, whose label means nothing, who asks for
    other nodes or spreads by a label that no virtual node has, and who lacks the toleration (the webhook's
    warning reaches a ReplicaSet, and no person). Where there is no virtual node, nobody is told.

    Args:
        unbound: live pods without a node.
        nodes: the virtual nodes, ready or not.
        namespaces: by name.
        actuator: with `toleration`, a pod that the webhook prepared need not bear our own taint yet.
    """
    virtual = tuple(node for node in nodes if is_virtual(node))
    found = (
        candidate_of(pod, virtual=virtual, namespaces=namespaces, actuator=actuator)
        for pod in unbound
        if presses(pod)
    )
    return tuple(each for each in found if each is not None)


def presses(pod: Pod) -> bool:
    """Whether the scheduler tried the pod and found no node; DaemonSet pods never burst."""
    if verdict_on(pod) is None or pod.spec.scheduling_gates:
        return False
    return not is_of_daemon_set(pod)


def verdict_on(pod: Pod) -> PodCondition | None:
    """The scheduler's `Unschedulable`, if that is its last word on the pod."""
    found = condition(pod, "PodScheduled")
    if found is None or found.status != "False" or found.reason != UNSCHEDULABLE:
        return None
    return found


def wish(pod: Pod, namespaces: Mapping[str, Namespace]) -> Overflow | Reason:
    """What namespace and pod say together, or why their labels mean nothing."""
    namespace = namespaces.get(pod.metadata.namespace)
    labels = namespace.metadata.labels if namespace else {}
    try:
        return overflow_of(namespace=labels, pod=pod.metadata.labels)
    except PolicyError as error:
        return Reason("InvalidOverflowLabel", str(error), "metadata.labels")


def takes_pods_now(node: Node, pod: Pod) -> bool:
    """Whether a virtual node that suits the pod is up, and neither cordoned nor tainted against it."""
    borne = affinity.bears(pod, node, transient=True, but_ours=True)
    return borne and is_ready(node) and not node.spec.unschedulable


def candidate_of(
    pod: Pod,
    *,
    virtual: tuple[Node, ...],
    namespaces: Mapping[str, Namespace],
    actuator: Actuator = SCHEDULER,
) -> Candidate | None:
    """The pod as a candidate, whether or not it presses; None where it is not ours to speak for."""
    wished = wish(pod, namespaces)
    if wished is Overflow.NO:
        return None
    if isinstance(wished, Reason):
        return Candidate(pod=pod, overflow=Overflow.NO, nodes=(), invalid=wished)
    admitting = tuple(node for node in virtual if affinity.admits(pod, node))
    awaits = actuator == TOLERATION and speaks_of(pod.spec.affinity, NODE_TYPE_LABEL)
    bearing = tuple(node for node in admitting if affinity.bears(pod, node, transient=False, but_ours=awaits))
    suits = tuple(node for node in bearing if not affinity.lacks_spread_key(pod, node))
    if bearing and not suits:
        return Candidate(pod=pod, overflow=wished, nodes=(), invalid=SPREAD_KEY_MISSING)
    prepared = bool(suits) or not admitting
    if not suits and prepared and wished is not Overflow.REQUIRED:
        return Candidate(pod=pod, overflow=wished, nodes=(), invalid=ASKS_ELSEWHERE) if virtual else None
    return Candidate(pod=pod, overflow=wished, nodes=suits, prepared=prepared)


def daemons_on(unbound: Iterable[Pod], *, virtual: Iterable[Node]) -> dict[str, Resources]:
    """The room of unbound DaemonSet pods that would land on each virtual node, at most `MOST_FOR_DAEMONS`.

    Marked ones need none: the extender is asked about them, and keeps them off and from evicting others. Room
    for them would never be taken, and whoever else bears the taint could have it.
    Who owns a pod is its own word, and the room stays as long as the pod does: so only those count that the
    scheduler could bind there, the oldest first, and only so much is ever held.
    """
    nodes = {node.name: node for node in virtual}
    held = dict.fromkeys(nodes, Resources())
    daemons = (pod for pod in unbound if is_of_daemon_set(pod) and not is_marked(pod))
    for pod in sorted((each for each in daemons if not each.spec.scheduling_gates), key=_age):
        for name in affinity.pinned_to(pod) & nodes.keys():
            held[name] = _with(held[name], pod, nodes[name])
    return held


def _with(held: Resources, pod: Pod, node: Node) -> Resources:
    if not affinity.admits(pod, node) or not affinity.bears(pod, node, transient=False):
        return held
    try:
        together = held + requests_of(pod)
    except QuantityError:
        # An API server refuses such a pod, and no node takes it.
        return held
    return together if together.fits(MOST_FOR_DAEMONS) else held


def _age(pod: Pod) -> tuple[float, str]:
    created = pod.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, pod.key)
