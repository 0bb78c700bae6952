"""How all of it stands: gate, pressure, spend, who waits and why, who comes home, and what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from app.extender.cluster.reach import reach_of
from app.extender.decision.book import offer_on
from app.extender.decision.decisions import Burst, Decision, Refuse, Wait, WouldBurst
from app.extender.homing.returning import overflow_pods
from app.extender.insight.failing import failing
from app.extender.insight.groups import Group, Kept, groups_of
from app.extender.insight.home import homing
from app.extender.insight.life import life_of
from app.extender.insight.seen import Seen
from app.extender.insight.situation import NOT_LED, asks_for_fargate_alone
from app.extender.insight.troubles import FAULTS_OF_NODES, notes, troubles
from app.extender.insight.views import (
    Budget,
    Gate,
    Level,
    Said,
    all_budgets,
    gate_of,
    level_of,
    price_of,
    said_by_us,
    whole,
)
from app.model.offer import Offer
from app.model.pod import Pod
from app.model.reason import Reason


class Leader(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who leads; `holder` is who did last where nobody does."""

    alive: bool
    holder: str
    renewed: datetime | None


class Spend(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The overflow pods of a namespace.

    Attributes:
        vcpu: of all, whether or not a task runs: so much is reserved, and counts in the budgets.
        hourly: US dollars for an hour of all.
        unpriced: how many of them have no price.
        tasks: how many have a task now; `tasks_vcpu` and `tasks_hourly` are what those come to.
    """

    namespace: str
    pods: int
    vcpu: float
    hourly: float
    unpriced: int = 0
    tasks: int = 0
    tasks_vcpu: float = 0.0
    tasks_hourly: float = 0.0


class Reached(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The nodes that some pending pods could use, all by the same words, and how full those are.

    `alone` says that they ask for Fargate alone, whatever room real nodes have.
    """

    pods: int
    example: str
    level: Level
    alone: bool = False


class Home(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Overflow pods that could go home as room is now, and those that stay, by reason."""

    on: bool
    going: int
    staying: tuple[Group, ...]


class Handover(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Placeholder pods that ask for nodes: still without one, and on one."""

    on: bool
    waiting: int
    running: int


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All of it.

    Attributes:
        troubles: what is wrong with Spillway itself, each with the mend.
        notes: what keeps it from bursting because somebody said so.
        failing: pods on Fargate that do not run, by kubelet's reason; most are no trouble of ours.
        bursting: pods that hold a grant, or are due for one.
        observed: pods that would have burst, were their gate not in `observe`.
        observed_hourly: what those would cost an hour, in US dollars.
        said: Events of our programs about the virtual nodes, as of nodes that were asked for.
    """

    at: datetime
    troubles: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    leader: Leader
    gates: tuple[Gate, ...]
    level: Level
    reached: tuple[Reached, ...]
    overflow: tuple[Spend, ...]
    failing: tuple[Group, ...]
    budgets: tuple[Budget, ...]
    bursting: int
    waiting: tuple[Group, ...]
    refused: tuple[Group, ...]
    observed: int
    observed_hourly: float
    home: Home
    handover: Handover
    said: tuple[Said, ...]
    assumed: bool
    unread: tuple[str, ...]


def summary(seen: Seen) -> Status:
    """How it stands at the moment of the look."""
    lease, found = seen.gate_lease, troubles(seen)
    would = [each for each in seen.plan.decisions if isinstance(each, WouldBurst)]
    return Status(
        at=seen.now,
        troubles=found,
        notes=notes(seen),
        leader=Leader(
            alive=seen.is_led,
            holder=lease.holder if lease is not None else "",
            renewed=lease.spec.renew_time if lease is not None else None,
        ),
        gates=tuple(gate_of(node, seen) for node in seen.facts.virtual),
        level=level_of(whole(seen.facts), high=seen.policy.watermarks.high),
        reached=_reached(seen),
        overflow=_spends(seen),
        failing=groups_of(failing(seen)),
        budgets=all_budgets(seen.book().balances(), observed=seen.observed),
        bursting=_bursting(seen),
        waiting=groups_of(each for decision in seen.plan.decisions for each in _waits(decision, seen)),
        refused=groups_of(each for decision in seen.plan.decisions for each in _refusals(decision)),
        observed=len(would),
        observed_hourly=sum(each.cost.hourly for each in would if each.cost is not None),
        home=_home(seen),
        handover=_handover(seen),
        said=_said(seen, found),
        assumed=not seen.is_published,
        unread=seen.unread,
    )


def _bursting(seen: Seen) -> int:
    """Those that hold a grant that stands, and those that get one now: the plan's openings have both."""
    granted = sum(len(each.grants) for each in seen.plan.openings)
    due = sum(isinstance(each, Burst) for each in seen.plan.decisions)
    return granted if seen.is_led else granted - due


def _waits(decision: Decision, seen: Seen) -> Iterable[Kept]:
    """Without a leader those wait, too, whom nothing else keeps."""
    match decision:
        case Wait(pod=pod, until=until):
            return [Kept(pod, reason, until) for reason in decision.reasons]
        case Burst(pod=pod) if not seen.is_led:
            return [Kept(pod, NOT_LED, None)]
        case _:
            return []


def _refusals(decision: Decision) -> Iterable[Kept]:
    if not isinstance(decision, Refuse):
        return []
    return [Kept(decision.pod, reason, decision.until) for reason in decision.reasons]


def _said(seen: Seen, found: Iterable[Reason]) -> tuple[Said, ...]:
    """Of what is wrong with a node's words, only what still is: the Event stays when they are mended."""
    wrong = {each.code for each in found}
    said = said_by_us(seen.events)
    return tuple(each for each in said if each.reason not in FAULTS_OF_NODES or each.reason in wrong)


def _reached(seen: Seen) -> tuple[Reached, ...]:
    """The reaches of pods that press, the one with most of them first."""
    pods: dict[object, list[Pod]] = defaultdict(list)
    for uid in seen.facts.pressure.keys() & seen.decisions.keys():
        pod = seen.decisions[uid].pod
        pods[reach_of(pod)].append(pod)
    high = seen.policy.watermarks.high
    rows = (
        Reached(
            pods=len(found),
            example=min(pod.key for pod in found),
            level=level_of(seen.facts.pressure[found[0].uid], high=high),
            alone=asks_for_fargate_alone(found[0], seen),
        )
        for found in pods.values()
    )
    return tuple(sorted(rows, key=lambda each: (-each.pods, each.example)))


def _spends(seen: Seen) -> tuple[Spend, ...]:
    offers = {node.name: offer_on(node) for node in seen.facts.virtual}
    by_namespace = defaultdict(list)
    for pod in overflow_pods(seen.facts):
        by_namespace[pod.metadata.namespace].append(pod)
    found = (_spend(name, pods, offers) for name, pods in by_namespace.items())
    return tuple(sorted(found, key=lambda each: (-each.hourly, each.namespace)))


def _spend(name: str, pods: Sequence[Pod], offers: Mapping[str, Offer]) -> Spend:
    prices = {pod.uid: price_of(pod, offers[pod.spec.node_name]) for pod in pods}
    known = [each for each in prices.values() if each is not None]
    carried = [prices[pod.uid] for pod in pods if life_of(pod).has_task]
    bought = [each for each in carried if each is not None]
    return Spend(
        namespace=name,
        pods=len(pods),
        vcpu=sum(each.vcpu for each in known),
        hourly=sum(each.hourly for each in known),
        unpriced=len(pods) - len(known),
        tasks=len(carried),
        tasks_vcpu=sum(each.vcpu for each in bought),
        tasks_hourly=sum(each.hourly for each in bought),
    )


def _home(seen: Seen) -> Home:
    found = homing(seen)
    pods: Mapping[str, Pod] = {pod.uid: pod for pod in overflow_pods(seen.facts)}
    staying = groups_of(Kept(pods[uid], reason, None) for uid, reason in found.stays.items() if uid in pods)
    return Home(on=seen.policy.returns is not None, going=len(found.going), staying=staying)


def _handover(seen: Seen) -> Handover:
    phases: Counter[Literal["waiting", "running"]] = Counter(
        "running" if pod.status.phase == "Running" else "waiting" for pod in seen.placeholders
    )
    return Handover(on=seen.policy.handover, waiting=phases["waiting"], running=phases["running"])
