"""How many pods a ReplicaSet adds or drops, which ones, and what it says about itself.

https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-down
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from app.local.cluster.controllers.objects import ReplicaSet, ReplicaSetStatus
from app.model.names import DELETION_COST
from app.model.pod import Pod, condition, is_terminal

BURST = 500
"""How many pods one round creates or deletes at most."""


class ReplicaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one round does."""

    create: int = 0
    delete: tuple[Pod, ...] = ()


def active(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods that count: neither over nor on their way out."""
    return tuple(pod for pod in pods if not is_terminal(pod) and pod.metadata.deletion_timestamp is None)


def plan(owned: Sequence[Pod], *, wanted: int, related: Iterable[Pod], now: datetime) -> ReplicaPlan:
    """Create what is missing, or delete what is too much, least useful first.

    Args:
        owned: the ReplicaSet's active pods.
        wanted: `spec.replicas`.
        related: active pods of the same Deployment's ReplicaSets, these included: nodes that hold many of
            them lose one first.
        now: the time, for how long pods have been ready.
    """
    missing = wanted - len(owned)
    if missing >= 0:
        return ReplicaPlan(create=min(missing, BURST))
    crowds = Counter(pod.spec.node_name for pod in related)
    ordered = sorted(owned, key=lambda pod: _usefulness(pod, crowds, now))
    return ReplicaPlan(delete=tuple(ordered[: min(-missing, BURST)]))


def _usefulness(pod: Pod, crowds: Counter[str], now: datetime) -> tuple[float, ...]:
    """Sorts the first to go first; the order of the parts is Kubernetes' own."""
    ready = is_ready(pod)
    return (
        bool(pod.spec.node_name),
        _PHASES.get(pod.status.phase, 1),
        ready,
        deletion_cost(pod),
        -crowds[pod.spec.node_name],
        (now - _ready_since(pod, now)).total_seconds() if ready else 0,
        -_restarts(pod),
        (now - (pod.metadata.creation_timestamp or now)).total_seconds(),
    )


_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_cost(pod: Pod) -> int:
    """The pod's annotation; 0 where it has none or one that is not a 32-bit number."""
    text = pod.metadata.annotations.get(DELETION_COST, "0")
    try:
        cost = int(text)
    except ValueError:
        return 0
    return cost if -(2**31) <= cost < 2**31 else 0


def is_ready(pod: Pod) -> bool:
    """Whether the pod's Ready condition is true."""
    found = condition(pod, "Ready")
    return found is not None and found.status == "True"


def is_available(pod: Pod, *, min_ready_seconds: int, now: datetime) -> bool:
    """Whether the pod has been ready for long enough."""
    if not is_ready(pod):
        return False
    return now - _ready_since(pod, now) >= timedelta(seconds=min_ready_seconds)


def next_available(pods: Iterable[Pod], *, min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until the next ready pod becomes available just by waiting; None if none will."""
    waits = [
        timedelta(seconds=min_ready_seconds) - (now - _ready_since(pod, now))
        for pod in pods
        if is_ready(pod) and not is_available(pod, min_ready_seconds=min_ready_seconds, now=now)
    ]
    return min((wait.total_seconds() for wait in waits), default=None)


def status(replica_set: ReplicaSet, owned: Sequence[Pod], *, now: datetime) -> ReplicaSetStatus:
    """What the ReplicaSet reports of its active pods."""
    labels = (replica_set.spec.template.get("metadata") or {}).get("labels") or {}
    seconds = replica_set.spec.min_ready_seconds
    return ReplicaSetStatus(
        replicas=len(owned),
        fully_labeled_replicas=sum(labels.items() <= pod.metadata.labels.items() for pod in owned),
        ready_replicas=sum(is_ready(pod) for pod in owned),
        available_replicas=sum(is_available(pod, min_ready_seconds=seconds, now=now) for pod in owned),
        observed_generation=replica_set.metadata.generation,
    )


def _ready_since(pod: Pod, now: datetime) -> datetime:
    found = condition(pod, "Ready")
    return (found.last_transition_time if found is not None else None) or now


def _restarts(pod: Pod) -> int:
    return max((int(each.get("restartCount", 0)) for each in pod.status.container_statuses), default=0)
