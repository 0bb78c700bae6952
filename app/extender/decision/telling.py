"""In which words people are told what was decided about a pod: the Events of the gate."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from app.extender.cluster.facts import SHIPPED_OFFER, Facts
from app.extender.cluster.pressure import Pressure
from app.extender.decision.book import offer_on
from app.extender.decision.candidates import verdict_on
from app.extender.decision.decisions import Burst
from app.fargate.prices import cost_of
from app.model.names import NODE_TYPE_LABEL, OVERFLOW, REQUIRED
from app.model.offer import Offer
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.times import rfc3339

OVERFLOW_REFUSED: Final = "OverflowRefused"
OVERFLOW_WAITING: Final = "OverflowWaiting"
WOULD_BURST: Final = "WouldBurst"
BURSTING: Final = "Bursting"
"""Reasons of the Events."""

_EVENTS: Final[Mapping[str, str]] = {
    "refuse": OVERFLOW_REFUSED,
    "wait": OVERFLOW_WAITING,
    "would-burst": WOULD_BURST,
}
_LONGEST_REASON: Final = 300
"""Characters of one reason: some quote what tenants wrote, and every reason is to be read."""


def event_of(kind: str) -> str:
    """The Event's reason for a decision that is no burst."""
    return _EVENTS[kind]


def told(reasons: Iterable[Reason]) -> str:
    """All reasons as one message, each of a bearable length."""
    return "; ".join(_short(str(each)) for each in reasons)


def burst_words(burst: Burst, facts: Facts) -> Callable[[], str]:
    """What tells why the pod bursts; it keeps no more of the facts than it needs."""
    node = next((each for each in facts.virtual if each.name == burst.node), None)
    offer = offer_on(node) if node is not None else SHIPPED_OFFER
    return partial(_burst, burst.pod, burst.node, offer=offer, pressure=facts.pressure.get(burst.pod.uid))


def _burst(pod: Pod, node: str, *, offer: Offer, pressure: Pressure | None) -> str:
    """For what want of room the pod bursts, whereto, and at which price; as of when it got leave."""
    cost = cost_of(pod, offer)
    price = f"${cost.hourly:.4f} an hour {cost.purchase}" if cost is not None else "at an unknown price"
    return f"bursts to {node}, {price}: {_want(pod, pressure)}"


def _want(pod: Pod, pressure: Pressure | None) -> str:
    if pod.metadata.labels.get(OVERFLOW) == REQUIRED:
        return f"it asks for Fargate alone ({OVERFLOW}={REQUIRED})"
    if NODE_TYPE_LABEL in pod.spec.node_selector:
        return f"it asks for Fargate alone (its nodeSelector has {NODE_TYPE_LABEL})"
    verdict = verdict_on(pod)
    moment = verdict.last_transition_time if verdict is not None else None
    since = f" since {rfc3339(moment)}" if moment is not None else ""
    if pressure is None or not pressure.nodes:
        return f"no real node takes it{since}"
    what = "node" if pressure.nodes == 1 else "nodes"
    return f"no room on {pressure.nodes} real {what}{since}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"
