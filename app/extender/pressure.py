"""Who presses for room: opted-in pods that the scheduler found no node for, and what virtual nodes hold."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.extender import affinity
from app.model.names import PodUid
from app.model.node import Node, is_ready, is_virtual
from app.model.pod import Pod, PodCondition, condition, is_of_daemon_set, is_terminal
from app.model.policy import Overflow, PolicyError, overflow_of
from app.model.reason import Reason
from app.model.requests import requests_of
from app.model.resources import Resources

Labels = Mapping[str, str]

SPREAD_KEY_MISSING: Final = Reason(
    "SpreadKeyMissing",
    "a DoNotSchedule constraint counts by a label that no virtual node has, as kubernetes.io/hostname; "
    "spread over zones, or use ScheduleAnyway",
    "spec.topologySpreadConstraints",
)
UNSCHEDULABLE: Final = "Unschedulable"
"""The scheduler's reason; `SchedulingGated` and `SchedulerError` are others, and no pressure."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An opted-in pod without a node, and the virtual nodes that its own words let it onto.

    `invalid` says what is wrong with what it asks; such a pod is refused. `prepared` is false where it bears
    with no virtual node, as any pod does that the webhook did not see or left alone.
    """

    pod: Pod
    overflow: Overflow
    nodes: tuple[Node, ...]
    invalid: Reason | None = None
    prepared: bool = True


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """The pods that concern the gate.

    Attributes:
        unbound: live pods without a node, by uid.
        bound: the pods on each virtual node.
        daemons: the room of unbound DaemonSet pods that are pinned to each virtual node.
    """

    unbound: dict[PodUid, Pod]
    bound: dict[str, tuple[Pod, ...]]
    daemons: dict[str, Resources]


def survey(pods: Iterable[Pod], *, virtual: Iterable[str]) -> Survey:
    """Sort out, in one pass over all pods of the cluster, those that concern the gate."""
    bound: dict[str, list[Pod]] = {name: [] for name in virtual}
    unbound: dict[PodUid, Pod] = {}
    for pod in pods:
        node = pod.spec.node_name
        if node:
            if node in bound:
                bound[node].append(pod)
        elif not is_terminal(pod) and pod.metadata.deletion_timestamp is None:
            unbound[pod.uid] = pod
    return Survey(
        unbound=unbound,
        bound={name: tuple(here) for name, here in bound.items()},
        daemons=_daemons(unbound.values(), virtual=bound),
    )


def candidates(
    unbound: Iterable[Pod], *, nodes: Iterable[Node], namespaces: Mapping[str, Labels]
) -> tuple[Candidate, ...]:
    """The pods that may, or must, burst: opted in, Unschedulable, and let onto a virtual node by themselves.

    A toleration alone counts for nothing: the namespace must have the label. Without a node that suits them
    those stay candidates that should be told: who *must* overflow, whose label means nothing, who spreads by
    a label that no virtual node has, and who lacks the toleration (the webhook's warning reaches a
    ReplicaSet, and no person). Only a pod that itself asks for other nodes is passed over.

    Args:
        unbound: live pods without a node.
        nodes: the virtual nodes, ready or not.
        namespaces: labels by namespace.
    """
    virtual = tuple(node for node in nodes if is_virtual(node))
    found = (_candidate(pod, virtual, namespaces) for pod in unbound if presses(pod))
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


def wish(pod: Pod, namespaces: Mapping[str, Labels]) -> Overflow | Reason:
    """What namespace and pod say together, or why their labels mean nothing."""
    labels = namespaces.get(pod.metadata.namespace, {})
    try:
        return overflow_of(namespace=labels, pod=pod.metadata.labels)
    except PolicyError as error:
        return Reason("InvalidOverflowLabel", str(error), "metadata.labels")


def takes_pods_now(node: Node, pod: Pod) -> bool:
    """Whether the node is up and neither cordoned nor tainted against the pod."""
    return is_ready(node) and not node.spec.unschedulable and affinity.bears(pod, node, transient=True)


def _candidate(pod: Pod, virtual: tuple[Node, ...], namespaces: Mapping[str, Labels]) -> Candidate | None:
    wished = wish(pod, namespaces)
    if wished is Overflow.NO:
        return None
    if isinstance(wished, Reason):
        return Candidate(pod=pod, overflow=Overflow.NO, nodes=(), invalid=wished)
    admitting = tuple(node for node in virtual if affinity.admits(pod, node))
    bearing = tuple(node for node in admitting if affinity.bears(pod, node, transient=False))
    suits = tuple(node for node in bearing if not affinity.lacks_spread_key(pod, node))
    if bearing and not suits:
        return Candidate(pod=pod, overflow=wished, nodes=(), invalid=SPREAD_KEY_MISSING)
    prepared = bool(suits) or not admitting
    if not suits and prepared and wished is not Overflow.REQUIRED:
        return None
    return Candidate(pod=pod, overflow=wished, nodes=suits, prepared=prepared)


def _daemons(unbound: Iterable[Pod], *, virtual: Iterable[str]) -> dict[str, Resources]:
    held = dict.fromkeys(virtual, Resources())
    for pod in unbound:
        if not is_of_daemon_set(pod):
            continue
        for name in affinity.pinned_to(pod) & held.keys():
            held[name] += requests_of(pod)
    return held
