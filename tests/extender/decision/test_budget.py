from collections.abc import Mapping

import pytest

from app.extender.decision.budget import Account, Amount, Limits, Scope, amount_of, limits_of
from app.fargate.prices import Cost, cost_of
from app.model import names
from app.model.offer import TABLE, Offer
from tests.builders import a_pod

CLUSTER = Scope(kind="cluster")
SHOP = Scope(kind="namespace", name="shop")
SPOT = Scope(kind="quota", name="eu-west-1", purchase="spot")


def a_cost(vcpu: float = 1, hourly: float = 0.1) -> Cost:
    return Cost(
        vcpu=vcpu, memory_mib=2048, storage_gib=20, hourly=hourly, on_demand=hourly, purchase="on-demand"
    )


def codes(account: Account, cost: Cost | None) -> list[str]:
    return [each.code for each in account.excess(amount_of(cost))]


@pytest.mark.parametrize(
    ("limits", "spent", "cost", "exceeded"),
    [
        pytest.param(Limits(), 1000, a_cost(64), [], id="no limit"),
        pytest.param(Limits(pods=2), 1, a_cost(), [], id="the last pod"),
        pytest.param(Limits(pods=2), 2, a_cost(), ["BudgetPods"], id="one pod too many"),
        pytest.param(Limits(pods=0), 0, a_cost(), ["BudgetPods"], id="a budget of none"),
        pytest.param(Limits(vcpu=2), 1, a_cost(1), [], id="the last vCPU"),
        pytest.param(Limits(vcpu=2), 1, a_cost(1.25), ["BudgetVcpu"], id="a quarter too much"),
        pytest.param(Limits(hourly=0.3), 2, a_cost(hourly=0.1), [], id="three dimes are thirty cents"),
        pytest.param(Limits(hourly=0.3), 3, a_cost(hourly=0.1), ["BudgetCost"], id="too dear"),
        pytest.param(
            Limits(pods=1, vcpu=1, hourly=0.1),
            1,
            a_cost(),
            ["BudgetPods", "BudgetVcpu", "BudgetCost"],
            id="every one is said",
        ),
        pytest.param(Limits(pods=1), 1, None, ["BudgetPods"], id="a pod without a price is a pod"),
    ],
)
def test_an_account_says_every_limit_that_a_pod_would_exceed(
    limits: Limits, spent: int, cost: Cost | None, exceeded: list[str]
) -> None:
    account = Account(CLUSTER, limits)
    for _ in range(spent):
        account.charge(amount_of(a_cost()))
    assert codes(account, cost) == exceeded


def test_what_is_over_budget_already_still_counts() -> None:
    account = Account(CLUSTER, Limits(pods=1))
    account.charge(Amount(pods=5))
    assert account.balance.spent.pods == 5


def test_ten_thousand_pods_cost_exactly_ten_thousand_times_one() -> None:
    cost = cost_of(a_pod(), Offer(rates=TABLE))
    account = Account(CLUSTER, Limits())
    for _ in range(10_000):
        account.charge(amount_of(cost))
    assert account.balance.spent == Amount(10_000, 5_000_000, 246_850_000_000)


@pytest.mark.parametrize(
    ("scope", "limits", "message"),
    [
        pytest.param(
            CLUSTER,
            Limits(pods=0),
            "the cluster's budget for overflow is 0 pods; raise --max-pods (extender.settings.maxPods)",
            id="a budget of none",
        ),
        pytest.param(
            SHOP,
            Limits(vcpu=0.5),
            "the pod takes 1 vCPU, more than all of the budget of namespace shop for overflow, 0.5 vCPU; "
            "raise the namespace's annotation spillway.dev/max-vcpu",
            id="a pod alone exceeds it",
        ),
        pytest.param(
            CLUSTER,
            Limits(hourly=0.15),
            "the cluster's budget for overflow, $0.15 an hour, is spent; wait until overflow pods end, or "
            "raise --max-hourly-cost (extender.settings.maxHourlyCost)",
            id="the cluster's",
        ),
        pytest.param(
            SHOP,
            Limits(vcpu=1.5),
            "the budget of namespace shop for overflow, 1.5 vCPU, is spent; wait until overflow pods end, "
            "or raise the namespace's annotation spillway.dev/max-vcpu",
            id="a namespace's",
        ),
        pytest.param(
            SPOT,
            Limits(vcpu=1),
            "the account's quota of Fargate spot vCPUs in eu-west-1, 1 vCPU, is spent; wait until "
            "overflow pods end, or have AWS raise it (Service Quotas, L-36FBB829)",
            id="a quota",
        ),
    ],
)
def test_a_reason_says_the_limit_and_where_it_is_raised(scope: Scope, limits: Limits, message: str) -> None:
    account = Account(scope, limits)
    account.charge(amount_of(a_cost()))
    assert [each.message for each in account.excess(amount_of(a_cost()))] == [message]


def test_a_reason_stays_the_same_while_the_spending_goes_on() -> None:
    account = Account(SHOP, Limits(pods=1, vcpu=1))
    account.charge(amount_of(a_cost()))
    first = account.excess(amount_of(a_cost()))
    account.charge(amount_of(a_cost()))
    assert account.excess(amount_of(a_cost())) == first


@pytest.mark.parametrize(
    ("annotations", "limits"),
    [
        pytest.param({}, Limits(), id="none"),
        pytest.param({names.MAX_PODS: "20"}, Limits(pods=20), id="pods"),
        pytest.param({names.MAX_VCPU: " 2.5 "}, Limits(vcpu=2.5), id="vCPU"),
        pytest.param({names.MAX_HOURLY_COST: "12.50"}, Limits(hourly=12.5), id="dollars"),
        pytest.param({names.MAX_PODS: "0"}, Limits(pods=0), id="zero is a budget"),
    ],
)
def test_a_namespaces_annotations_are_its_budget(annotations: Mapping[str, str], limits: Limits) -> None:
    assert limits_of(annotations) == (limits, ())


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5", "1e3", "inf", "20 pods", "٣", "1" * 10])
def test_a_number_of_pods_that_is_none_allows_none_and_names_the_mend(text: str) -> None:
    limits, faults = limits_of({names.MAX_PODS: text})
    assert limits == Limits(pods=0)
    assert [each.code for each in faults] == ["InvalidBudget"]
    assert "annotation spillway.dev/max-pods" in faults[0].message
    assert "write for instance 20" in faults[0].message


@pytest.mark.parametrize("text", ["", "$12", "12,50", "-1", "nan", "inf", "1e9", ".5", "5."])
def test_dollars_that_are_none_allow_none(text: str) -> None:
    limits, faults = limits_of({names.MAX_HOURLY_COST: text, names.MAX_PODS: "2"})
    assert limits == Limits(pods=2, hourly=0)
    assert len(faults) == 1
