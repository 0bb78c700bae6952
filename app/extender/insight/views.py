"""What is shown of prices, budgets, pressure and gates, by one pod's explanation and by the whole status."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from app.extender.cluster.facts import Facts
from app.extender.cluster.pressure import Pressure
from app.extender.cluster.snapshot import is_pending
from app.extender.decision.book import offer_on
from app.extender.decision.budget import Amount, Balance, Scope
from app.extender.decision.mode import Mode
from app.extender.insight.seen import Seen
from app.fargate.prices import cost_of
from app.model.early import read_early
from app.model.event import Event
from app.model.grant import GrantsError, read_grants
from app.model.node import Node, is_ready
from app.model.offer import Offer, Purchase
from app.model.pod import Pod, is_terminal
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources, total
from app.model.virtual_node import is_overflow

OURS: Final = "spillway"
"""How the names begin that our programs write Events under."""

_MOST_SAID: Final = 5


class Price(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The size that Fargate sells the pod, and US dollars for an hour of it, at the dearest it may come to.

    Attributes:
        source: `live` from AWS's price list, or `table`, the figures that Spillway ships.
        region: whose prices.
        at: when the bridge read them; None for the table.
    """

    vcpu: float
    memory_mib: int
    storage_gib: int
    hourly: float
    purchase: Purchase
    source: Literal["live", "table"]
    region: str
    at: datetime | None = None


def price_of(pod: Pod, offer: Offer) -> Price | None:
    """What the pod costs by this offer; None where Fargate has no such size."""
    cost = cost_of(pod, offer)
    if cost is None:
        return None
    return Price(
        vcpu=cost.vcpu,
        memory_mib=cost.memory_mib,
        storage_gib=cost.storage_gib,
        hourly=cost.hourly,
        purchase=cost.purchase,
        source=offer.rates.source,
        region=offer.rates.region,
        at=offer.at,
    )


class EarlyOpen(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Early room that stands open: for so many pods at once, of so many controllers, until then."""

    seats: int
    controllers: int
    until: datetime


class Gate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One virtual node: how its gate is run, and whether it takes pods at all.

    Attributes:
        pods: overflow pods on it that live.
        grants: grants on it that have not expired; None where the annotation cannot be read.
        early: its early room; None where none is open.
        bridge: who keeps the node; empty where nobody does.
    """

    node: str
    mode: Mode
    ready: bool
    cordoned: bool
    pods: int
    grants: int | None
    early: EarlyOpen | None
    bridge: str
    capacity: str
    prices: Literal["live", "table"]
    region: str
    prices_at: datetime | None


def gate_of(node: Node, seen: Seen) -> Gate:
    """The virtual node as it is."""
    offer = offer_on(node)
    lease = seen.node_leases.get(node.name)
    return Gate(
        node=node.name,
        mode=seen.modes[node.name],
        ready=is_ready(node),
        cordoned=node.spec.unschedulable,
        pods=sum(
            is_overflow(pod) and not is_terminal(pod) for pod in seen.facts.on_virtual.get(node.name, ())
        ),
        grants=_open_grants(node, seen.now),
        early=_open_early(node, seen.now),
        bridge=lease.holder if lease else "",
        capacity=offer.capacity,
        prices=offer.rates.source,
        region=offer.rates.region,
        prices_at=offer.at,
    )


def _open_grants(node: Node, now: datetime) -> int | None:
    try:
        return sum(now < grant.expires for grant in read_grants(node.metadata.annotations))
    except GrantsError:
        return None


def _open_early(node: Node, now: datetime) -> EarlyOpen | None:
    early = read_early(node.metadata.annotations)
    if early is None or early.expires <= now:
        return None
    return EarlyOpen(seats=early.seats, controllers=len(early.owners), until=early.expires)


class Level(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How full some nodes are: shares are requested over allocatable, amounts cores and GiB."""

    nodes: int
    cpu: float
    memory: float
    pods: float
    level: float
    high: bool
    pending: int
    wanted_cpu: float
    wanted_gib: float
    coming: int


def level_of(pressure: Pressure, *, high: float) -> Level:
    """The pressure for people; `high` is the watermark, where nobody has followed the level for longer."""
    mark = pressure.mark
    return Level(
        nodes=pressure.nodes,
        cpu=pressure.cpu,
        memory=pressure.memory,
        pods=pressure.pods,
        level=pressure.level,
        high=mark.mark == "high" if mark is not None else pressure.level >= high,
        pending=pressure.pending,
        wanted_cpu=pressure.wanted.cpu_milli / 1000,
        wanted_gib=pressure.wanted.memory / 2**30,
        coming=pressure.coming,
    )


def whole(facts: Facts) -> Pressure:
    """The pressure on all real nodes that take pods, whoever could use them."""
    pending = [pod for pod in facts.unbound.values() if is_pending(pod)]
    able = [each for each in facts.real.values() if is_ready(each.node) and not each.node.spec.unschedulable]
    return Pressure(
        nodes=len(able),
        allocatable=total(each.allocatable for each in able),
        used=total(each.used for each in able),
        pending=len(pending),
        wanted=total(_asked(pod) for pod in pending),
        coming=len(facts.coming),
    )


def _asked(pod: Pod) -> Resources:
    try:
        return requests_of(pod)
    except QuantityError:
        # An API server refuses such a pod; what it wants nobody can say.
        return Resources(pods=1)


Observed = Mapping[Scope, Amount]
"""What pods would take that the gate only observes, by budget."""

NOTHING_OBSERVED: Final[Observed] = MappingProxyType({})


class Budget(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is spent of one budget; None where there is no limit. `hourly` is US dollars.

    The amounts `observed` come on top, by pods that would have burst where the gate only observes.
    """

    whose: str
    pods: int
    most_pods: int | None
    vcpu: float
    most_vcpu: float | None
    hourly: float
    most_hourly: float | None
    observed_pods: int = 0
    observed_vcpu: float = 0.0
    observed_hourly: float = 0.0

    @property
    def is_limited(self) -> bool:
        """Whether it limits anything."""
        return (self.most_pods, self.most_vcpu, self.most_hourly) != (None, None, None)


def all_budgets(balances: Iterable[Balance], *, observed: Observed = NOTHING_OBSERVED) -> tuple[Budget, ...]:
    """Those that limit something; of AWS's quotas those of which something is spent."""
    told = (each for each in balances if each.scope.kind != "quota" or each.spent.pods)
    return _limited(told, observed)


def budgets_of(
    pod: Pod,
    balances: Iterable[Balance],
    *,
    purchase: Purchase | None,
    observed: Observed = NOTHING_OBSERVED,
) -> tuple[Budget, ...]:
    """Those that limit something and that the pod draws on; `purchase` is what its price is for."""
    names = {"cluster": "", "namespace": pod.metadata.namespace}
    told = (
        each
        for each in balances
        if names.get(each.scope.kind) == each.scope.name
        or (each.scope.kind == "quota" and each.scope.purchase == purchase)
    )
    return _limited(told, observed)


def _limited(balances: Iterable[Balance], observed: Observed) -> tuple[Budget, ...]:
    budgets = (_budget(each, observed.get(each.scope, Amount())) for each in balances)
    return tuple(each for each in budgets if each.is_limited)


def _budget(balance: Balance, observed: Amount) -> Budget:
    return Budget(
        whose=_whose(balance.scope),
        pods=balance.spent.pods,
        most_pods=balance.limits.pods,
        vcpu=balance.spent.vcpu,
        most_vcpu=balance.limits.vcpu,
        hourly=balance.spent.hourly,
        most_hourly=balance.limits.hourly,
        observed_pods=observed.pods,
        observed_vcpu=observed.vcpu,
        observed_hourly=observed.hourly,
    )


def _whose(scope: Scope) -> str:
    match scope.kind:
        case "cluster":
            return "cluster"
        case "namespace":
            return f"namespace {scope.name}"
        case "quota":
            return f"AWS quota, {scope.purchase}" + (f" in {scope.name}" if scope.name else "")


class Said(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An Event of one of our programs; `past` where what it says is no longer so."""

    at: datetime | None
    by: str
    reason: str
    message: str
    times: int
    past: bool = False


def said_by_us(events: Iterable[Event]) -> tuple[Said, ...]:
    """The latest Events of our programs, the very latest first."""
    ours = [each for each in events if each.component.startswith(OURS)]
    ours.sort(key=lambda each: each.at.timestamp() if each.at is not None else 0.0, reverse=True)
    return tuple(
        Said(at=each.at, by=each.component, reason=each.reason, message=each.message, times=each.count or 1)
        for each in ours[:_MOST_SAID]
    )
