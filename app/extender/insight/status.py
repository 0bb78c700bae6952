"""How all of it stands: gate, pressure, spend, who waits and why, who comes home, and what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from app.extender.cluster.reach import reach_of
from app.extender.decision.book import offer_on
from app.extender.decision.candidates import verdict_on
from app.extender.decision.decisions import Burst, Decision, Refuse, Wait, WouldBurst
from app.extender.homing.returning import overflow_pods
from app.extender.insight.home import homing
from app.extender.insight.seen import Seen, oldest
from app.extender.insight.situation import NOT_LED
from app.extender.insight.troubles import troubles
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
from app.model.pod import Pod
from app.model.reason import Reason

_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Leader(msgspec.Struct, frozen=True, kw_only=True):
    """Who leads; `holder` is who did last where nobody does."""

    alive: bool
    holder: str
    renewed: datetime | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Pods that one reason keeps.

    Attributes:
        message: the reason in the words for the oldest of them.
        pods: how many.
        oldest: the pod that has waited longest, as `namespace/name`.
        since: since when it has.
        until: when the clock ends it for the first of them; None where an event will.
    """

    code: str
    message: str
    pods: int
    oldest: str
    since: datetime | None
    until: datetime | None = None


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """The overflow pods of a namespace, and what they cost an hour; `unpriced` of them have no price."""

    namespace: str
    pods: int
    vcpu: float
    hourly: float
    unpriced: int = 0


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that some pending pods could use, all by the same words, and how full those are."""

    pods: int
    example: str
    level: Level


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Overflow pods that could go home as room is now, and those that stay, by reason."""

    on: bool
    going: int
    staying: tuple[Group, ...]


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """Placeholder pods that ask for nodes: still without one, and on one."""

    on: bool
    waiting: int
    running: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        troubles: what is wrong with Spillway itself, each with the mend.
        bursting: pods that hold a grant, or are due for one.
        observed: pods that would have burst, were their gate not in `observe`.
        observed_hourly: what those would cost an hour, in US dollars.
        said: Events of our programs about the virtual nodes, as of nodes that were asked for.
    """

    at: datetime
    troubles: tuple[Reason, ...]
    leader: Leader
    gates: tuple[Gate, ...]
    level: Level
    reached: tuple[Reached, ...]
    overflow: tuple[Spend, ...]
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
    lease = seen.gate_lease
    would = [each for each in seen.plan.decisions if isinstance(each, WouldBurst)]
    return Status(
        at=seen.now,
        troubles=troubles(seen),
        leader=Leader(
            alive=seen.is_led,
            holder=lease.holder if lease is not None else "",
            renewed=lease.spec.renew_time if lease is not None else None,
        ),
        gates=tuple(gate_of(node, seen) for node in seen.facts.virtual),
        level=level_of(whole(seen.facts), high=seen.policy.watermarks.high),
        reached=_reached(seen),
        overflow=_spends(seen),
        budgets=all_budgets(seen.book().balances()),
        bursting=_bursting(seen),
        waiting=_groups(each for decision in seen.plan.decisions for each in _waits(decision, seen)),
        refused=_groups(each for decision in seen.plan.decisions for each in _refusals(decision)),
        observed=len(would),
        observed_hourly=sum(each.cost.hourly for each in would if each.cost is not None),
        home=_home(seen),
        handover=_handover(seen),
        said=said_by_us(seen.events),
        assumed=not seen.is_published,
        unread=seen.unread,
    )


class _Kept(msgspec.Struct, frozen=True):
    """A pod, one of the reasons that keep it, and when the clock ends that."""

    pod: Pod
    reason: Reason
    until: datetime | None


def _bursting(seen: Seen) -> int:
    """Those that hold a grant that stands, and those that get one now: the plan's openings have both."""
    granted = sum(len(each.grants) for each in seen.plan.openings)
    due = sum(isinstance(each, Burst) for each in seen.plan.decisions)
    return granted if seen.is_led else granted - due


def _waits(decision: Decision, seen: Seen) -> Iterable[_Kept]:
    """Without a leader those wait, too, whom nothing else keeps."""
    match decision:
        case Wait(pod=pod, until=until):
            return [_Kept(pod, reason, until) for reason in decision.reasons]
        case Burst(pod=pod) if not seen.is_led:
            return [_Kept(pod, NOT_LED, None)]
        case _:
            return []


def _refusals(decision: Decision) -> Iterable[_Kept]:
    if not isinstance(decision, Refuse):
        return []
    return [_Kept(decision.pod, reason, decision.until) for reason in decision.reasons]


def _groups(kept: Iterable[_Kept]) -> tuple[Group, ...]:
    """By the reason's code, the largest group first; a pod with two reasons is in two groups."""
    by_code: dict[str, list[_Kept]] = defaultdict(list)
    for each in kept:
        by_code[each.reason.code].append(each)
    groups = (_group(code, found) for code, found in by_code.items())
    return tuple(sorted(groups, key=lambda each: (-each.pods, each.code)))


def _group(code: str, found: list[_Kept]) -> Group:
    first = min(found, key=lambda each: (_since(each.pod), each.pod.key))
    return Group(
        code=code,
        message=str(first.reason),
        pods=len({each.pod.uid for each in found}),
        oldest=first.pod.key,
        since=_since(first.pod) if _since(first.pod) != _EVER else None,
        until=oldest(each.until for each in found),
    )


def _since(pod: Pod) -> datetime:
    """Since when it waits for a node, or exists; long ago where nothing says so."""
    verdict = verdict_on(pod)
    found = verdict.last_transition_time if verdict is not None else None
    return found or pod.metadata.creation_timestamp or _EVER


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
        )
        for found in pods.values()
    )
    return tuple(sorted(rows, key=lambda each: (-each.pods, each.example)))


def _spends(seen: Seen) -> tuple[Spend, ...]:
    offers = {node.name: offer_on(node) for node in seen.facts.virtual}
    by_namespace: dict[str, list[Pod]] = defaultdict(list)
    for pod in overflow_pods(seen.facts):
        by_namespace[pod.metadata.namespace].append(pod)
    found = []
    for name, pods in by_namespace.items():
        prices = [price_of(pod, offers[pod.spec.node_name]) for pod in pods]
        known = [each for each in prices if each is not None]
        found.append(
            Spend(
                namespace=name,
                pods=len(pods),
                vcpu=sum(each.vcpu for each in known),
                hourly=sum(each.hourly for each in known),
                unpriced=len(pods) - len(known),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.hourly, each.namespace)))


def _home(seen: Seen) -> Home:
    found = homing(seen)
    pods: Mapping[str, Pod] = {pod.uid: pod for pod in overflow_pods(seen.facts)}
    staying = _groups(_Kept(pods[uid], reason, None) for uid, reason in found.stays.items() if uid in pods)
    return Home(on=seen.policy.returns is not None, going=len(found.going), staying=staying)


def _handover(seen: Seen) -> Handover:
    phases: Counter[Literal["waiting", "running"]] = Counter(
        "running" if pod.status.phase == "Running" else "waiting" for pod in seen.placeholders
    )
    return Handover(on=seen.policy.handover, waiting=phases["waiting"], running=phases["running"])
