"""Why one candidate may not burst now: what it asks for, what Fargate can run, and whether it is time."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.decision.budget import NO_LIMITS, Limits
from app.extender.decision.candidates import Candidate, takes_pods_now
from app.extender.decision.decisions import Refuse, Wait
from app.extender.decision.gangs import gang_of
from app.extender.decision.ledger import Lapses, held_off_until
from app.extender.decision.memory import NO_AHEAD, NO_GATES, Ahead, Gates, tried_since
from app.extender.decision.mode import Mode
from app.extender.decision.preference import AS_EVER, Preference, Preferences
from app.model.actuator import SCHEDULER, Actuator
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError, max_wait
from app.model.reason import Reason
from app.model.setting import named
from app.model.times import later

NO_NODE_READY: Final = Reason("NoVirtualNodeReady", "no virtual node is ready; is the bridge running?")
NO_NODE_SUITS: Final = Reason(
    "NoVirtualNodeSuits",
    "no virtual node has the labels that nodeSelector or node affinity ask for; loosen them",
    "spec.affinity",
)
NOT_PREPARED: Final = Reason(
    "NotPrepared",
    "the pod lacks what the webhook adds: it was made before the namespace was labelled, or while the "
    "webhook did not run; recreate it, unless the namespace is in webhook.excludedNamespaces",
    "spec.tolerations",
)
NOMINATED: Final = Reason(
    "NominatedNode", "a node is being made free for it by preemption, or is on its way; it waits for that"
)
REAL_NODE_FIRST: Final = Reason("MaxWait", "waits for a real node first, as its max-wait says")
NODE_ON_ITS_WAY: Final = Reason(
    "NodeOnItsWay", "a node that has room for it is on its way, and is expected before Fargate would run it"
)
_CLASSES: Final = named("extender", "priority_classes")
PREEMPTS: Final = Reason(
    "PriorityPreempts",
    f"pods of its priority class evict others and never burst, as {_CLASSES} says",
    "spec.priorityClassName",
)
WAITS: Final = Reason(
    "PriorityWaits",
    f"pods of its priority class wait for a real node, as {_CLASSES} says",
    "spec.priorityClassName",
)
NOT_TAKEN: Final = Reason(
    "GrantsUnused",
    "the scheduler left its grants unused on every virtual node that suits it; its PodScheduled condition "
    "says what else keeps the pod off, and the scheduler's log whether it asks the extender",
)
NO_SEATS: Final[Mapping[PodUid, datetime]] = MappingProxyType({})
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

Refusals = Callable[[Pod], tuple[Reason, ...]]
"""Why Fargate cannot run a pod (`app.fargate.eligibility.refusals`)."""


class GateConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's policy.

    Attributes:
        nomination: how long a pod that was nominated to a real node waits for it.
        max_wait: how long a pod waits for a real node where it does not say.
        grant_ttl: how long a grant stands before it is given anew.
        max_grants: how many grants may be open at once in the cluster.
        patience: unused grants in a row after which a pod is left alone for a while, once it tried every
            virtual node that suits it.
        preferences: what comes first, by priority class.
        gate: what the gate does on virtual nodes that do not say.
        budget: how much may run on Fargate in the whole cluster.
        actuator: how granted pods come onto the virtual node; it says what a pod must bring.
        fargate_start: how long a pod takes on Fargate from its grant to running, where that was not learned.
        arrival_margin: how much later than expected a node may come before nobody waits for it any longer.
        settling: how long the scheduler may take to fill a node that has come. Its longest back-off for a
            pod is 10 s.
        early_seats: for how many pods each virtual node keeps early room; 0 for no early burst.
    """

    nomination: timedelta = timedelta(minutes=2)
    max_wait: timedelta = timedelta(0)
    grant_ttl: timedelta = timedelta(seconds=60)
    max_grants: int = 1000
    patience: int = 3
    preferences: Preferences = AS_EVER
    gate: Mode = "auto"
    budget: Limits = NO_LIMITS
    actuator: Actuator = SCHEDULER
    fargate_start: timedelta = timedelta(seconds=45)
    arrival_margin: timedelta = timedelta(seconds=15)
    settling: timedelta = timedelta(seconds=10)
    early_seats: int = 0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What every pod is judged by.

    Attributes:
        now: the time.
        config: the policy.
        lapses: what was tried before.
        refusals: what Fargate can run.
        gates: the pods that were seen gated.
        ahead: the pods whose own times lie after now, and what counts in their place.
        seats: the pods that a node on its way has room for, and until when each waits for it.
    """

    now: datetime
    config: GateConfig
    lapses: Mapping[PodUid, Lapses]
    refusals: Refusals
    gates: Gates = NO_GATES
    ahead: Ahead = NO_AHEAD
    seats: Mapping[PodUid, datetime] = NO_SEATS


def hindrance(candidate: Candidate, moment: Moment) -> Wait | Refuse | None:
    """Why the candidate may not burst now; None where it may."""
    pod = candidate.pod
    reasons = unfit(candidate, config=moment.config, refusals=moment.refusals)
    if reasons:
        return Refuse(pod, reasons)
    if _preference(candidate, moment.config) is Preference.WAIT:
        return Wait(pod, WAITS)
    nodes = [node.name for node in candidate.nodes if takes_pods_now(node, pod)]
    if not nodes:
        return Wait(pod, NO_NODE_READY)
    left_alone = _left_alone(pod, nodes, moment)
    if left_alone is not None:
        return left_alone
    for reason, until in _waits(candidate, moment):
        if moment.now < until:
            return Wait(pod, reason, until)
    return None


def unfit(candidate: Candidate, *, config: GateConfig, refusals: Refusals) -> tuple[Reason, ...]:
    """Every reason why the candidate never bursts as it is, whatever room there is."""
    if candidate.invalid is not None:
        return (candidate.invalid,)
    reasons = (*_invalid_wait(candidate.pod), *refusals(candidate.pod), *_not_its_way(candidate, config))
    if candidate.nodes:
        return reasons
    if not candidate.prepared:
        return reasons or (NOT_PREPARED,)
    return (*reasons, NO_NODE_SUITS)


def _not_its_way(candidate: Candidate, config: GateConfig) -> Iterator[Reason]:
    """What keeps off Fargate those that could do without it; who *must* overflow has no other way."""
    if candidate.overflow is Overflow.REQUIRED:
        return
    gang = gang_of(candidate.pod)
    if gang is not None:
        yield gang
    if config.preferences.of(candidate.pod) is Preference.PREEMPT:
        yield PREEMPTS


def _preference(candidate: Candidate, config: GateConfig) -> Preference:
    """What comes first; for who *must* overflow evicting and waiting are of no use, whatever its class."""
    if candidate.overflow is Overflow.REQUIRED:
        return Preference.BURST
    return config.preferences.of(candidate.pod)


def _waits(candidate: Candidate, moment: Moment) -> Iterator[tuple[Reason, datetime]]:
    """What the pod may have to wait for, each with its end."""
    yield REAL_NODE_FIRST, _patient_until(candidate, moment)
    yield NOMINATED, _nominated_until(candidate, moment)
    if candidate.overflow is not Overflow.REQUIRED:
        yield NODE_ON_ITS_WAY, moment.seats.get(candidate.pod.uid, _LONG_AGO)


def _left_alone(pod: Pod, nodes: Collection[str], moment: Moment) -> Refuse | None:
    config = moment.config
    until = held_off_until(
        moment.lapses.get(pod.uid), nodes=nodes, patience=config.patience, ttl=config.grant_ttl
    )
    return Refuse(pod, (NOT_TAKEN,), until) if until is not None and moment.now < until else None


def _invalid_wait(pod: Pod) -> tuple[Reason, ...]:
    try:
        max_wait(pod.metadata.annotations, default=timedelta(0))
    except PolicyError as error:
        return (Reason("InvalidMaxWait", str(error)),)
    return ()


def _patient_until(candidate: Candidate, moment: Moment) -> datetime:
    pod = candidate.pod
    since = _tried_since(pod, moment)
    if since is None or candidate.overflow is Overflow.REQUIRED:
        return _LONG_AGO
    return later(since, max_wait(pod.metadata.annotations, default=moment.config.max_wait))


def _nominated_until(candidate: Candidate, moment: Moment) -> datetime:
    """The end of the wait for a nominated real node: its victims are being evicted already, or it is new.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#user-exposed-information
    """
    pod = candidate.pod
    name = pod.status.nominated_node_name
    since = _tried_since(pod, moment)
    if not name or since is None or any(node.name == name for node in candidate.nodes):
        return _LONG_AGO
    return later(since, moment.config.nomination)


def _tried_since(pod: Pod, moment: Moment) -> datetime | None:
    """Since when the scheduler finds no node for the pod; the time that it was gated does not count."""
    since = tried_since(pod)
    if since is not None and pod.uid in moment.ahead:
        since = min(since, moment.ahead[pod.uid])
    ungated = moment.gates.get(pod.uid)
    if since is None or ungated is None:
        return since
    return max(since, ungated)
