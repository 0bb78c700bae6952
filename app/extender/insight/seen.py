"""What one look at the cluster showed, and what the gate would decide about it at that moment."""

import operator
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.cluster.facts import Facts
from app.extender.decision.book import Book, book_of
from app.extender.decision.budget import Amount, Scope, figures
from app.extender.decision.decisions import Decision, Plan, WouldBurst
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import Refusals
from app.extender.decision.memory import Memory
from app.extender.decision.mode import Mode, modes_of
from app.extender.insight.policy import DEFAULTS, Policy
from app.fargate import eligibility
from app.fargate.prices import cost_of
from app.model.event import Event
from app.model.lease import LeaseObject
from app.model.names import PodUid
from app.model.pod import Pod

_LATE: Final = timedelta(seconds=10)
"""How far two machines' clocks may differ before a Lease is called stale that is not."""

NO_LEASES: Final[Mapping[str, LeaseObject]] = MappingProxyType({})


class Seen(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One look. All of it is a moment old, and nothing in it was written by us.

    Attributes:
        facts: the cluster.
        now: when.
        policy: what the leader decides by.
        is_published: whether it said so itself; otherwise `policy` is what it decides by where nobody set
            anything.
        gate_lease: the leader's Lease; None where there is none.
        node_leases: the Leases of the virtual nodes, by node; a bridge renews each.
        placeholders: pods that ask for nodes in the name of overflow pods.
        unprepared: pods that the webhook did not prepare (`app.extender.insight.unprepared`).
        events: about the virtual nodes, whoever wrote them.
        unread: what we may not read, each with the mend.
        namespace: Spillway's own.
        option: how people name that namespace who look.
        refusals: why Fargate cannot run a pod.
    """

    facts: Facts
    now: datetime
    policy: Policy = DEFAULTS
    is_published: bool = True
    gate_lease: LeaseObject | None = None
    node_leases: Mapping[str, LeaseObject] = NO_LEASES
    placeholders: tuple[Pod, ...] = ()
    unprepared: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    unread: tuple[str, ...] = ()
    namespace: str = "spillway"
    option: str = "--spillway-namespace"
    refusals: Refusals = eligibility.refusals

    @cached_property
    def plan(self) -> Plan:
        """What a leader that starts now would decide."""
        return plan(
            self.facts,
            Memory(),
            now=self.now,
            config=self.policy.gate,
            refusals=self.refusals,
            costs=cost_of,
        )

    @cached_property
    def decisions(self) -> Mapping[PodUid, Decision]:
        """The same by pod."""
        return {each.pod.uid: each for each in self.plan.decisions}

    @cached_property
    def modes(self) -> Mapping[str, Mode]:
        """How the gate of each virtual node is run."""
        return modes_of(self.facts.virtual, default=self.policy.gate.gate)

    def book(self) -> Book:
        """The budgets, charged with what runs on Fargate."""
        return book_of(self.facts, limits=self.policy.gate.budget, costs=cost_of)

    @cached_property
    def observed(self) -> Mapping[Scope, Amount]:
        """What those pods take from each budget that would have burst where the gate only observes."""
        would = [each for each in self.plan.decisions if isinstance(each, WouldBurst)]
        book = self.book()
        before = {each.scope: figures(each.spent) for each in book.balances()}
        for each in would:
            book.charge(each.pod, each.node)
        return {
            each.scope: Amount(*map(operator.sub, figures(each.spent), before[each.scope]))
            for each in book.balances()
            if each.scope in before
        }

    @property
    def is_led(self) -> bool:
        """Whether some extender holds the gate's Lease and renews it."""
        return is_alive(self.gate_lease, now=self.now)


def is_alive(lease: LeaseObject | None, *, now: datetime) -> bool:
    """Whether the Lease's holder renewed it in time, as far as clocks agree."""
    if lease is None or not lease.holder or lease.spec.renew_time is None:
        return False
    return now - lease.spec.renew_time <= timedelta(seconds=lease.spec.lease_duration_seconds or 0) + _LATE


def oldest(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest of those that are known."""
    return min((each for each in moments if each is not None), default=None)
