"""The gauges of budgets: set where something changed, and gone with what they told of."""

from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from app.extender.decision.budget import NO_LIMITS, Amount, Balance, Limits, Scope
from app.extender.metrics import BudgetMetrics

SHOP = Scope(kind="namespace", name="shop")
BANK = Scope(kind="namespace", name="bank")
QUOTA = Scope(kind="quota", name="us-east-1", purchase="on-demand")
TWO = Amount(pods=2, milli_vcpu=1000, nanodollars=50_000_000)


def a_balance(scope: Scope = SHOP, *, spent: Amount = TWO, limits: Limits = NO_LIMITS) -> Balance:
    """What the scope has spent, without limits unless told."""
    return Balance(scope=scope, spent=spent, limits=limits)


@dataclass
class Shown:
    """The gauges, and what they say."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    metrics: BudgetMetrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = BudgetMetrics(self.registry)

    def __getitem__(self, name: str) -> dict[tuple[str, ...], float]:
        """The values of one gauge, by its labels."""
        return {
            tuple(each.labels.values()): each.value
            for family in self.registry.collect()
            for each in family.samples
            if each.name == name
        }


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_a_budget_shows_what_is_spent_and_only_the_limits_that_there_are(shown: Shown) -> None:
    shown.metrics.show((a_balance(limits=Limits(pods=5, hourly=1.5)),))
    assert shown["spillway_budget_pods"] == {("namespace", "shop"): 2}
    assert shown["spillway_budget_vcpus"] == {("namespace", "shop"): 1}
    assert shown["spillway_budget_hourly_dollars"] == {("namespace", "shop"): 0.05}
    assert shown["spillway_budget_pods_limit"] == {("namespace", "shop"): 5}
    assert shown["spillway_budget_vcpus_limit"] == {}
    assert shown["spillway_budget_hourly_dollars_limit"] == {("namespace", "shop"): 1.5}


def test_a_limit_that_is_taken_away_is_gone_and_the_others_stay(shown: Shown) -> None:
    shown.metrics.show((a_balance(limits=Limits(pods=5, vcpu=3)),))
    shown.metrics.show((a_balance(limits=Limits(pods=6)),))
    assert shown["spillway_budget_pods_limit"] == {("namespace", "shop"): 6}
    assert shown["spillway_budget_vcpus_limit"] == {}
    assert shown["spillway_budget_pods"] == {("namespace", "shop"): 2}


def test_a_budget_that_is_no_more_is_gone_and_the_others_stay(shown: Shown) -> None:
    shown.metrics.show((a_balance(), a_balance(BANK), a_balance(QUOTA, limits=Limits(vcpu=6))))
    shown.metrics.show((a_balance(BANK),))
    assert shown["spillway_budget_pods"] == {("namespace", "bank"): 2}
    assert (shown["spillway_quota_vcpus"], shown["spillway_quota_vcpus_limit"]) == ({}, {})


def test_a_quota_shows_vcpus_by_region_and_purchase(shown: Shown) -> None:
    shown.metrics.show((a_balance(QUOTA, limits=Limits(vcpu=6)),))
    assert shown["spillway_quota_vcpus"] == {("us-east-1", "on-demand"): 1}
    assert shown["spillway_quota_vcpus_limit"] == {("us-east-1", "on-demand"): 6}
    assert shown["spillway_budget_pods"] == {}


def test_what_changed_is_set_and_what_did_not_is_left_alone(shown: Shown) -> None:
    shown.metrics.show((a_balance(), a_balance(BANK)))
    for gauge in shown.metrics._spent:
        gauge.labels("namespace", "bank").set(77)
    shown.metrics.show((a_balance(spent=Amount(pods=3)), a_balance(BANK)))
    assert shown["spillway_budget_pods"] == {("namespace", "shop"): 3, ("namespace", "bank"): 77}


def test_a_budget_that_comes_back_is_shown_again(shown: Shown) -> None:
    for balances in ((a_balance(),), (), (a_balance(),)):
        shown.metrics.show(balances)
    assert shown["spillway_budget_pods"] == {("namespace", "shop"): 2}
