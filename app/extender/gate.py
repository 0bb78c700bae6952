"""When a pod bursts, and how far each virtual node's gate stands open.

`plan` is the whole decision: from what the cluster shows to the grants and the room of every virtual node.
First policy: an opted-in pod that the scheduler finds no node for, and that Fargate can run, is granted a
place once its max-wait is over.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from app.extender import ledger
from app.extender.allotment import Place, allot
from app.extender.ledger import NO_LAPSES, Lapses, Ledger, held_off_until
from app.extender.pressure import Candidate, Labels, Survey, candidates, survey, takes_pods_now, verdict_on
from app.model.grant import Grant
from app.model.names import MAX_WAIT, PodUid
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError, max_wait
from app.model.reason import Reason
from app.model.resources import Resources, total
from app.model.virtual_node import FLOOR, room

NO_NODE_READY: Final = Reason("NoVirtualNodeReady", "no virtual node is ready; is the bridge running?")
NO_NODE_SUITS: Final = Reason(
    "NoVirtualNodeSuits",
    "no virtual node has the labels that nodeSelector or node affinity ask for; loosen them",
    "spec.affinity",
)
NOT_PREPARED: Final = Reason(
    "NotPrepared",
    "the pod lacks the toleration that the webhook adds; see that the webhook runs, then recreate the pod",
    "spec.tolerations",
)
NOMINATED: Final = Reason(
    "NominatedNode", "a node is being made free for it by preemption, or is on its way; it waits for that"
)
REAL_NODE_FIRST: Final = Reason("MaxWait", "waits for a real node first, as its max-wait says")
NOT_TAKEN: Final = Reason(
    "GrantsUnused",
    "the scheduler left its grants unused; the PodScheduled condition says what else keeps the pod off",
)
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
        patience: unused grants in a row after which a pod is left alone for a while.
    """

    nomination: timedelta = timedelta(minutes=2)
    max_wait: timedelta = timedelta(0)
    grant_ttl: timedelta = timedelta(seconds=60)
    max_grants: int = 1000
    patience: int = 3


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the cluster shows: all pods, all nodes, namespaces' labels, the grants on the virtual nodes.

    `lapses` is what the last plan remembered of unused grants.
    """

    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    namespaces: Mapping[str, Labels]
    grants: Ledger
    lapses: Mapping[PodUid, Lapses] = NO_LAPSES


class Burst(msgspec.Struct, frozen=True):
    """The pod gets a place on this virtual node."""

    pod: Pod
    node: str
    grant: Grant


class Wait(msgspec.Struct, frozen=True):
    """The pod stays Unschedulable for now; `until` is None where an event, not the clock, will end it."""

    pod: Pod
    reason: Reason
    until: datetime | None = None


class Refuse(msgspec.Struct, frozen=True):
    """The pod does not burst, with every reason."""

    pod: Pod
    reasons: tuple[Reason, ...]


Decision = Burst | Wait | Refuse


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How one virtual node's gate is to stand: who may land there, and its allocatable."""

    node: str
    grants: tuple[Grant, ...]
    room: Resources


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of this moment, and `due`, the next moment at which time alone changes one.

    `unbound` are the pods without a node, whatever they want.
    """

    decisions: tuple[Decision, ...]
    openings: tuple[Opening, ...]
    lapses: Mapping[PodUid, Lapses]
    unbound: frozenset[PodUid]
    due: datetime | None


def plan(facts: Facts, *, now: datetime, config: GateConfig, refusals: Refusals) -> Plan:
    """Decide for every pod that presses, and sum up the room of every virtual node."""
    virtual = tuple(sorted((each for each in facts.nodes if is_virtual(each)), key=lambda each: each.name))
    seen = survey(facts.pods, virtual=(node.name for node in virtual))
    shown = {node.name: facts.grants.get(node.name, ()) for node in virtual}
    standing = ledger.live(shown, seen.unbound, namespaces=facts.namespaces, now=now, ttl=config.grant_ttl)
    lapses = ledger.lapses_after(facts.lapses, ledger=shown, unbound=seen.unbound, now=now)
    held = {grant.uid for grants in standing.values() for grant in grants}
    pressing = candidates(
        (pod for uid, pod in seen.unbound.items() if uid not in held),
        nodes=virtual,
        namespaces=facts.namespaces,
    )
    moment = Moment(now=now, config=config, lapses=lapses, refusals=refusals)
    decisions = decide(pressing, standing=standing, moment=moment)
    openings = _openings(standing, decisions, seen)
    return Plan(
        decisions=decisions,
        openings=openings,
        lapses=lapses,
        unbound=frozenset(seen.unbound),
        due=_due(decisions, openings),
    )


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What every pod is judged by: the time, the policy, what was tried before, and what Fargate can run."""

    now: datetime
    config: GateConfig
    lapses: Mapping[PodUid, Lapses]
    refusals: Refusals


def decide(pressing: Iterable[Candidate], *, standing: Ledger, moment: Moment) -> tuple[Decision, ...]:
    """One decision for each candidate; none of them holds a grant that stands."""
    decisions: list[Decision] = []
    due: list[Candidate] = []
    for each in pressing:
        held_up = hindrance(each, moment)
        if held_up is None:
            due.append(each)
        else:
            decisions.append(held_up)
    expires = _whole_second(moment.now + moment.config.grant_ttl)
    placed = allot(due, standing=standing, expires=expires, most=moment.config.max_grants)
    decisions += (
        Burst(each.pod, where.node, where.grant) if isinstance(where, Place) else Wait(each.pod, where)
        for each, where in placed
    )
    return tuple(decisions)


def hindrance(candidate: Candidate, moment: Moment) -> Wait | Refuse | None:
    """Why the candidate may not burst now; None where it may."""
    pod = candidate.pod
    reasons = _refusal(candidate, moment.refusals)
    if reasons:
        return Refuse(pod, reasons)
    if not any(takes_pods_now(node, pod) for node in candidate.nodes):
        return Wait(pod, NO_NODE_READY)
    patient_until = _patient_until(candidate, moment.config)
    if moment.now < patient_until:
        return Wait(pod, REAL_NODE_FIRST, patient_until)
    nominated_until = _nominated_until(candidate, moment.config)
    if moment.now < nominated_until:
        return Wait(pod, NOMINATED, nominated_until)
    pause = held_off_until(
        moment.lapses.get(pod.uid), patience=moment.config.patience, ttl=moment.config.grant_ttl
    )
    if pause is not None and moment.now < pause:
        return Wait(pod, NOT_TAKEN, pause)
    return None


def first_step(opening: Opening, *, shown: tuple[Grant, ...], slots: int) -> Opening:
    """The opening itself, or the one to write before it so that the scheduler looks at its new pods again.

    A pod that the scheduler found too large for the node is looked at again only when the node grows. Where
    new pods would merely take over what others give back, the gate first closes by that much, then opens.

    Source: `haveAnyRequestedResourcesIncreased` of kube-scheduler's NodeResourcesFit plugin: more pod slots
    wake every pod.

    Args:
        opening: what is wanted.
        shown: the grants on the node now.
        slots: the pods in the node's allocatable now.
    """
    known = {grant.uid for grant in shown}
    new = [grant for grant in opening.grants if grant.uid not in known]
    if not new or opening.room.pods > slots:
        return opening
    return Opening(
        node=opening.node,
        grants=tuple(grant for grant in opening.grants if grant.uid in known),
        room=(opening.room - total(grant.room for grant in new)).at_least(FLOOR),
    )


def _refusal(candidate: Candidate, refusals: Refusals) -> tuple[Reason, ...]:
    if candidate.invalid is not None:
        return (candidate.invalid,)
    reasons = (*_invalid_wait(candidate.pod), *refusals(candidate.pod))
    if candidate.nodes:
        return reasons
    if not candidate.prepared:
        return reasons or (NOT_PREPARED,)
    return (*reasons, NO_NODE_SUITS)


def _invalid_wait(pod: Pod) -> tuple[Reason, ...]:
    try:
        max_wait(pod.metadata.annotations, default=timedelta(0))
    except PolicyError as error:
        return (Reason("InvalidMaxWait", str(error), f"metadata.annotations[{MAX_WAIT}]"),)
    return ()


def _patient_until(candidate: Candidate, config: GateConfig) -> datetime:
    pod = candidate.pod
    since = _tried_since(pod)
    if since is None or candidate.overflow is Overflow.REQUIRED:
        return _LONG_AGO
    return since + max_wait(pod.metadata.annotations, default=config.max_wait)


def _nominated_until(candidate: Candidate, config: GateConfig) -> datetime:
    """The end of the wait for a nominated real node: its victims are being evicted already, or it is new.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#user-exposed-information
    """
    pod = candidate.pod
    name = pod.status.nominated_node_name
    since = _tried_since(pod)
    if not name or since is None or any(node.name == name for node in candidate.nodes):
        return _LONG_AGO
    return since + config.nomination


def _tried_since(pod: Pod) -> datetime | None:
    verdict = verdict_on(pod)
    return (verdict.last_transition_time if verdict else None) or pod.metadata.creation_timestamp


def _whole_second(moment: datetime) -> datetime:
    """Rounded up, so that a grant never ends before it has begun."""
    return (moment + timedelta(microseconds=999_999)).replace(microsecond=0)


def _openings(standing: Ledger, decisions: Iterable[Decision], seen: Survey) -> tuple[Opening, ...]:
    given: dict[str, list[Grant]] = {node: list(grants) for node, grants in standing.items()}
    for each in decisions:
        if isinstance(each, Burst):
            given[each.node].append(each.grant)
    return tuple(
        Opening(
            node=node,
            grants=tuple(sorted(grants, key=lambda grant: grant.uid)),
            room=room(bound=seen.bound[node], granted=grants, daemons=seen.daemons[node]),
        )
        for node, grants in given.items()
    )


def _due(decisions: Iterable[Decision], openings: Iterable[Opening]) -> datetime | None:
    ends = [each.until for each in decisions if isinstance(each, Wait) and each.until is not None]
    ends += (grant.expires for opening in openings for grant in opening.grants)
    return min(ends, default=None)
