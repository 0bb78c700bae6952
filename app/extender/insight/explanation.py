"""Why one pod would, would not, did or did not burst: every reason, and the numbers behind them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.decision.book import offer_on
from app.extender.decision.hindrance import NOT_TAKEN
from app.extender.decision.telling import BURSTING, OVERFLOW_REFUSED, OVERFLOW_WAITING, WOULD_BURST, told
from app.extender.insight.home import Asked, home_of
from app.extender.insight.life import NO_CAPACITY, REJECTIONS, Life, had_task
from app.extender.insight.seen import Seen
from app.extender.insight.situation import (
    Situation,
    State,
    admitted,
    asks_for_fargate_alone,
    bars,
    situation_of,
)
from app.extender.insight.views import (
    Budget,
    Gate,
    Level,
    Price,
    Said,
    budgets_of,
    gate_of,
    level_of,
    price_of,
    said_by_us,
)
from app.fargate.eligibility import caveats
from app.model.event import Event
from app.model.names import ATTEMPT, ATTEMPT_OF, ATTEMPTED_ON, TASK_ARN
from app.model.pod import Pod, controller_of, is_of_daemon_set
from app.model.policy import Overflow, PolicyError, max_wait, overflow_of
from app.model.reason import Reason
from app.model.virtual_node import is_overflow

_VERDICTS: Final = frozenset({OVERFLOW_REFUSED, OVERFLOW_WAITING, WOULD_BURST, BURSTING})
"""Reasons of the Events in which the leader says what it decided (`app.extender.announcer`)."""

_HELD_UP: Final = frozenset(
    {
        NO_CAPACITY,
        *REJECTIONS,
        "FailedLaunch",
        "Failed",
        "BackOff",
        "FailedMount",
    }
)
"""Reasons of the Events in which the bridge says why a pod does not run."""

_BURST: Final[frozenset[State]] = frozenset(
    {"granted", "due", "on-fargate", "failing", "rejected", "leaving", "ended", "failed"}
)
_AWAY: Final[frozenset[State]] = frozenset({"on-fargate", "failing"})

UNPRESSED: Final[frozenset[State]] = frozenset({"not-opted-in", "on-node", "gated", "unscheduled"})
"""States in which nobody has decided about the pod; it is told what would be."""

_HOUR: Final = timedelta(hours=1)


class Task(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The task that carries a pod, as the bridge noted it on the pod; empty until it did."""

    arn: str
    attempt: str
    capacity: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be said of one pod.

    Attributes:
        at: when it was looked at.
        overflow: what the labels of namespace and pod come to.
        reasons: why it is where it is: all of them.
        then: for a pod that waits for a time, what would keep it when that is over, as things are now.
        bars: for a pod that does not press, what would keep it off Fargate if it did.
        caveats: what runs differently on Fargate.
        node: the node that it has, or has leave to land on.
        since: when this began; `until` when the clock ends it.
        max_wait: seconds that it waits for a real node first.
        price: what it costs, or would; None where Fargate has no such size.
        spent: US dollars since it got its node, about, and at most where it was begun more than once; None
            where no task ever carried it.
        life: how it fares on the node that it has.
        alone: whether it asks for Fargate alone.
        task: what carries it on Fargate.
        home: why it does not come home, or that it does.
        level: how full the nodes are that it could use, where that was measured.
        budgets: those that it draws on.
        gates: the virtual nodes that its own words let it onto.
        said: Events of our programs about it, the latest first.
        led: whether an extender leads now.
        assumed: whether the policy is a guess, since no leader published one.
        unread: what could not be read.
    """

    at: datetime
    namespace: str
    name: str
    uid: str
    state: State
    overflow: Literal["no", "allowed", "required", "invalid"]
    reasons: tuple[Reason, ...]
    then: tuple[Reason, ...]
    bars: tuple[Reason, ...]
    caveats: tuple[Reason, ...]
    node: str
    since: datetime | None
    until: datetime | None
    max_wait: float | None
    price: Price | None
    spent: float | None
    life: Life
    alone: bool
    task: Task | None
    home: Reason | None
    level: Level | None
    budgets: tuple[Budget, ...]
    gates: tuple[Gate, ...]
    said: tuple[Said, ...]
    led: bool
    assumed: bool
    unread: tuple[str, ...]


def explain_pod(
    pod: Pod, seen: Seen, *, events: Iterable[Event] = (), replicas: Asked = "unasked"
) -> Explanation:
    """All that can be said of the pod.

    Args:
        pod: the whole of it, as of the same look.
        seen: the cluster.
        events: about the pod, whoever wrote them.
        replicas: what its controller says, for a pod on Fargate.
    """
    said = said_by_us(events)
    at = _remembered(situation_of(pod, seen), said)
    price = _price(pod, at, seen)
    away = at.state in _AWAY
    pressure = seen.facts.pressure.get(pod.uid)
    suitable = frozenset((*admitted(pod, seen), at.node))
    return Explanation(
        at=seen.now,
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        uid=pod.uid,
        state=at.state,
        overflow=_overflow(pod, seen),
        reasons=at.reasons,
        then=_then(pod, at, seen),
        bars=_bars(pod, at, seen),
        caveats=caveats(pod),
        node=at.node,
        since=at.since,
        until=at.until,
        max_wait=_max_wait(pod, seen),
        price=price,
        spent=_spent(at, price, now=seen.now) if away and had_task(pod) else None,
        life=at.life,
        alone=asks_for_fargate_alone(pod, seen),
        task=_task(pod) if away else None,
        home=home_of(pod, seen, replicas=replicas) if away else None,
        level=level_of(pressure, high=seen.policy.watermarks.high) if pressure is not None else None,
        budgets=budgets_of(
            pod,
            seen.book().balances(),
            purchase=price.purchase if price else None,
            observed=seen.observed,
        ),
        gates=tuple(gate_of(node, seen) for node in seen.facts.virtual if node.name in suitable),
        said=tuple(msgspec.structs.replace(each, past=_is_past(each, at)) for each in said),
        led=seen.is_led,
        assumed=not seen.is_published,
        unread=seen.unread,
    )


def _remembered(at: Situation, said: Iterable[Said]) -> Situation:
    """The situation with what only the leader remembers: grants that the scheduler left unused.

    It wrote an Event when it began to leave the pod alone, and writes none before it grants anew.
    """
    last = next((each for each in said if each.reason in _VERDICTS), None)
    if at.state != "due" or last is None or last.message != NOT_TAKEN.message:
        return at
    return msgspec.structs.replace(at, state="refused", reasons=(NOT_TAKEN,), node="")


def _is_past(said: Said, at: Situation) -> bool:
    """Whether what an Event says has gone: the API server keeps it for an hour all the same."""
    if said.reason == BURSTING:
        return at.state not in _BURST
    if said.reason == WOULD_BURST:
        return at.state != "observed"
    if said.reason in {OVERFLOW_REFUSED, OVERFLOW_WAITING}:
        wanted = "refused" if said.reason == OVERFLOW_REFUSED else "waiting"
        return at.state != wanted or said.message != told(at.reasons)
    return said.reason in _HELD_UP and at.state in {"on-fargate", "on-node", "ended"}


def _then(pod: Pod, at: Situation, seen: Seen) -> tuple[Reason, ...]:
    """The leader looks at budgets when nothing is left to wait for; people want to know before."""
    if at.state != "waiting" or at.until is None or at.node:
        return ()
    node = next(iter(admitted(pod, seen)), None)
    return seen.book().excess(pod, node) if node is not None else ()


def _bars(pod: Pod, at: Situation, seen: Seen) -> tuple[Reason, ...]:
    if at.state not in UNPRESSED:
        return ()
    return tuple(each for each in bars(pod, seen) if each not in at.reasons)


def asks_controller(pod: Pod, seen: Seen) -> bool:
    """Whether an explanation is the better for what the pod's controller says of its replicas."""
    return pod.spec.node_name in seen.facts.on_virtual and is_overflow(pod) and controller_of(pod) is not None


def _overflow(pod: Pod, seen: Seen) -> Literal["no", "allowed", "required", "invalid"]:
    namespace = seen.facts.namespaces.get(pod.metadata.namespace)
    labels = namespace.metadata.labels if namespace is not None else {}
    try:
        found = overflow_of(namespace=labels, pod=pod.metadata.labels)
    except PolicyError:
        return "invalid"
    match found:
        case Overflow.NO:
            return "no"
        case Overflow.ALLOWED:
            return "allowed"
        case Overflow.REQUIRED:
            return "required"


def _max_wait(pod: Pod, seen: Seen) -> float | None:
    try:
        return max_wait(pod.metadata.annotations, default=seen.policy.gate.max_wait).total_seconds()
    except PolicyError:
        return None


def _price(pod: Pod, at: Situation, seen: Seen) -> Price | None:
    """By the virtual node that it is on, or would go to first."""
    if is_of_daemon_set(pod):
        return None
    names = (at.node, *admitted(pod, seen), *(node.name for node in seen.facts.virtual))
    nodes = {node.name: node for node in seen.facts.virtual}
    node = next((nodes[name] for name in names if name in nodes), None)
    return price_of(pod, offer_on(node) if node is not None else SHIPPED_OFFER)


def _spent(at: Situation, price: Price | None, *, now: datetime) -> float | None:
    if price is None or at.since is None:
        return None
    return price.hourly * max(timedelta(0), now - at.since) / _HOUR


def _task(pod: Pod) -> Task | None:
    """What the bridge wrote on this very pod; copies of a pod copy its annotations, too."""
    noted = pod.metadata.annotations
    if noted.get(ATTEMPT_OF) != pod.uid:
        return None
    return Task(
        arn=noted.get(TASK_ARN, ""), attempt=noted.get(ATTEMPT, ""), capacity=noted.get(ATTEMPTED_ON, "")
    )
