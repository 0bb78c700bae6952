"""Whom to evict so that a pod of higher priority fits: a dry run on every node where that could help.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
PodDisruptionBudgets are not counted: the embedded cluster runs no controller that would keep their numbers.
"""

from collections.abc import Mapping

import msgspec

from app.local.cluster.scheduling.filters import Incoming, rejection
from app.local.cluster.scheduling.snapshot import Rejection, Snapshot, priority_of
from app.model.pod import Pod, condition

PREEMPTED = "PreemptionByScheduler"
_OFFSET = 2**31
"""Added to each priority in a sum, so that a few very low victims do not outweigh many."""


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What evicting would do.

    Attributes:
        candidates: by node, the victims that make the pod fit there, most important first; never empty.
        failures: why evicting would not help on the other nodes that were tried.
        idle: nodes where evicting nobody would be enough: an extender alone keeps the pod off.
    """

    candidates: Mapping[str, tuple[Pod, ...]]
    failures: Mapping[str, Rejection]
    idle: tuple[str, ...] = ()


def ineligible(pod: Pod, snapshot: Snapshot, *, nominated_is_hopeless: bool) -> str:
    """Why the pod may not preempt now, in kube-scheduler's words; empty where it may.

    Args:
        pod: the pod that fits nowhere.
        snapshot: the nodes now.
        nominated_is_hopeless: whether the node that it waits for can no longer take it whoever is evicted.
    """
    if pod.spec.preemption_policy == "Never":
        return "not eligible due to preemptionPolicy=Never."
    info = snapshot.nodes.get(pod.status.nominated_node_name)
    if info is None or nominated_is_hopeless:
        return ""
    if any(_is_on_its_way_out(other) and _yields(other, pod) for other in info.pods):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def dry_run(pod: Pod, snapshot: Snapshot, *, rejected: Mapping[str, Rejection]) -> DryRun:
    """Try every node whose rejection evicting could lift."""
    candidates: dict[str, tuple[Pod, ...]] = {}
    failures: dict[str, Rejection] = {}
    idle: list[str] = []
    for name in (name for name, why in rejected.items() if why.resolvable and name in snapshot.nodes):
        outcome = _victims(pod, name, snapshot)
        if isinstance(outcome, Rejection):
            failures[name] = outcome
        elif outcome:
            candidates[name] = outcome
        else:
            idle.append(name)
    return DryRun(candidates=candidates, failures=failures, idle=tuple(idle))


def preferred_node(candidates: Mapping[str, tuple[Pod, ...]]) -> str:
    """The node that loses least.

    The lowest highest priority, then the lowest sum of priorities, then the fewest victims, then the one
    whose most important victims started last.
    """
    return min(candidates, key=lambda name: (*_loss(candidates[name]), name))


def _loss(victims: tuple[Pod, ...]) -> tuple[int, int, int, float]:
    highest = priority_of(victims[0])
    starts = [_started(pod) for pod in victims if priority_of(pod) == highest]
    return highest, sum(priority_of(pod) + _OFFSET for pod in victims), len(victims), -min(starts)


def _victims(pod: Pod, name: str, snapshot: Snapshot) -> tuple[Pod, ...] | Rejection:
    """The fewest pods, the least important first, without which the pod fits on the node."""
    info = snapshot.nodes[name]
    lower = [other for other in info.pods if _yields(other, pod)]
    if not lower:
        return Rejection(
            plugin="DefaultPreemption", reasons=("No preemption victims found for incoming pod",)
        )
    bare = info.without(lower)
    refused = _refused(pod, name, snapshot.replacing(bare))
    if refused is not None:
        return refused
    victims: list[Pod] = []
    for spared in sorted(lower, key=lambda other: (-priority_of(other), _started(other))):
        with_it = bare.having([spared])
        if _refused(pod, name, snapshot.replacing(with_it)) is None:
            bare = with_it
        else:
            victims.append(spared)
    return tuple(victims)


def _refused(pod: Pod, name: str, snapshot: Snapshot) -> Rejection | None:
    return rejection(Incoming.of(pod, snapshot), name, snapshot)


def _yields(other: Pod, pod: Pod) -> bool:
    return priority_of(other) < priority_of(pod)


def _is_on_its_way_out(pod: Pod) -> bool:
    disrupted = condition(pod, "DisruptionTarget")
    return (
        pod.metadata.deletion_timestamp is not None
        and disrupted is not None
        and disrupted.status == "True"
        and disrupted.reason == PREEMPTED
    )


def _started(pod: Pod) -> float:
    """Seconds since the epoch; a pod that never started counts as started last."""
    moment = pod.status.start_time or pod.metadata.creation_timestamp
    return moment.timestamp() if moment else float("inf")
