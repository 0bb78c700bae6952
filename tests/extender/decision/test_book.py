from typing import Any

import pytest

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.cluster.snapshot import Snapshot
from app.extender.decision.book import Book, book_of, offer_on
from app.extender.decision.budget import Amount, Balance, Limits, Scope
from app.fargate.prices import cost_of
from app.model import names
from app.model.node import Node
from app.model.offer import TABLE, Offer, VcpuQuota, written_offer
from app.model.pod import Pod
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node, owned_by
from tests.extender.fakes import ENABLED, a_namespace
from tests.extender.plans import facts_of
from tests.fakes import FakeWatched

HALF = Amount(1, 500, 24_685_000)


def offering(name: str = VIRTUAL, **offer: Any) -> Node:
    text = written_offer(Offer(rates=TABLE, **offer))
    return a_virtual_node(name, annotations={names.OFFER: text})


def a_book(*nodes: Node, limits: Limits | None = None) -> Book:
    return Book(limits=limits or Limits(), namespaces=ENABLED, nodes=nodes or (a_virtual_node(),))


def counted(snapshot: Snapshot) -> int:
    """The pods that the cluster's account has."""
    facts = snapshot.facts(virtual=snapshot.virtual(), namespaces={}, grants={})
    return book_of(facts, limits=Limits(), costs=cost_of).balances()[0].spent.pods


def spent(*pods: Pod) -> Amount:
    """What the cluster's account says of these pods."""
    facts = facts_of(pods, nodes=[a_virtual_node()])
    return book_of(facts, limits=Limits(), costs=cost_of).balances()[0].spent


def wishing(capacity: str) -> Pod:
    """A running pod whose annotation says this now."""
    return a_pod(node=VIRTUAL, phase="Running", annotations={names.CAPACITY: capacity})


@pytest.mark.parametrize(
    ("pod", "amount"),
    [
        pytest.param(a_pod(node=VIRTUAL), HALF, id="bound, not running yet"),
        pytest.param(a_pod(node=VIRTUAL, phase="Running"), HALF, id="running"),
        pytest.param(
            a_pod(node=VIRTUAL, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
            HALF,
            id="being deleted",
        ),
        pytest.param(a_pod(node=VIRTUAL, phase="Succeeded"), Amount(), id="ended"),
        pytest.param(a_pod(node="ec2-0", phase="Running"), Amount(), id="on a real node"),
        pytest.param(a_pod(), Amount(), id="without a node"),
        pytest.param(
            a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet")),
            Amount(),
            id="a DaemonSet's, which never starts",
        ),
        pytest.param(
            a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet"), status={"containerStatuses": [{}]}),
            HALF,
            id="running, and says since then that a DaemonSet made it",
        ),
        pytest.param(
            a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet") | {"annotations": {names.ATTEMPT: "1"}}),
            HALF,
            id="about to run, and says since then that a DaemonSet made it",
        ),
        pytest.param(a_pod(node=VIRTUAL, cpu="500"), Amount(pods=1), id="of a size that has no price"),
        pytest.param(wishing("spot"), HALF, id="on Spot by its present words, which its owner can edit"),
        pytest.param(wishing("oops"), HALF, id="its words were made unreadable once it ran"),
    ],
)
def test_what_is_spent_is_what_runs_or_will(pod: Pod, amount: Amount) -> None:
    assert spent(pod) == amount


def test_every_budget_that_a_pod_exceeds_is_said() -> None:
    shop = a_namespace(annotations={names.MAX_PODS: "1"})
    book = Book(
        limits=Limits(pods=1), namespaces={"shop": shop}, nodes=[offering(quota=VcpuQuota(on_demand=0.75))]
    )
    book.charge(a_pod(), VIRTUAL)
    reasons = book.excess(a_pod(), VIRTUAL)
    assert [each.code for each in reasons] == ["BudgetPods", "BudgetPods", "QuotaVcpu"]
    assert "the cluster's" in reasons[0].message
    assert "namespace shop" in reasons[1].message


@pytest.mark.parametrize(
    ("capacity", "exceeds"),
    [
        pytest.param("on-demand", True, id="on-demand"),
        pytest.param("spot-first", True, id="spot-first may end on demand"),
        pytest.param("spot", False, id="Spot has a quota of its own"),
    ],
)
def test_a_quota_holds_for_what_the_task_may_run_on(capacity: str, exceeds: bool) -> None:
    book = a_book(offering(quota=VcpuQuota(on_demand=0.25, spot=6)))
    pod = a_pod(annotations={names.CAPACITY: capacity})
    assert bool(book.excess(pod, VIRTUAL)) == exceeds


def test_a_pod_that_asks_for_spot_passes_only_a_budget_that_it_fits_on_demand() -> None:
    book = a_book(limits=Limits(hourly=0.02))
    asking = a_pod(annotations={names.CAPACITY: "spot"})
    assert [each.code for each in book.excess(asking, VIRTUAL)] == ["BudgetCost"]


def test_the_nodes_of_a_region_share_its_quota() -> None:
    book = a_book(offering("v1", quota=VcpuQuota(spot=1)), offering("v2", quota=VcpuQuota(spot=1)))
    spot = a_pod(annotations={names.CAPACITY: "spot"})
    book.charge(spot, "v1")
    book.charge(spot, "v2")
    assert [each.code for each in book.excess(spot, "v1")] == ["QuotaVcpu"]


def test_where_nobody_knows_the_quota_there_is_none() -> None:
    assert a_book(offering()).excess(a_pod(cpu="16", memory="32Gi"), VIRTUAL) == ()


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        pytest.param(Limits(), [], id="no budget"),
        pytest.param(Limits(pods=1), [], id="a budget of pods"),
        pytest.param(Limits(hourly=1), ["NoPrice"], id="a budget of dollars"),
        pytest.param(Limits(vcpu=1), ["NoPrice"], id="a budget of vCPU"),
    ],
)
def test_a_pod_without_a_price_passes_no_budget_of_vcpu_or_dollars(limits: Limits, codes: list[str]) -> None:
    unpriced = a_pod(cpu="500")
    assert [each.code for each in a_book(limits=limits).excess(unpriced, VIRTUAL)] == codes


@pytest.mark.parametrize(
    "annotations",
    [
        pytest.param({}, id="no bridge wrote one yet"),
        pytest.param({names.OFFER: "cheap!"}, id="somebody else wrote it"),
    ],
)
def test_without_an_offer_the_shipped_prices_hold(annotations: dict[str, str]) -> None:
    assert offer_on(a_virtual_node(annotations=annotations)) == SHIPPED_OFFER


def test_each_node_has_its_own_prices() -> None:
    book = a_book(offering("v1"), offering("v2", capacity="spot"))
    costs = [book.cost(a_pod(), "v1"), book.cost(a_pod(), "v2")]
    assert [each.purchase for each in costs if each] == ["on-demand", "spot"]


def test_the_balances_name_the_cluster_all_budgets_and_all_quotas() -> None:
    shop = a_namespace(annotations={names.MAX_PODS: "5"})
    book = Book(
        namespaces={"shop": shop, "free": a_namespace("free")},
        nodes=[offering(quota=VcpuQuota(on_demand=6))],
    )
    book.charge(a_pod(namespace="blog"), VIRTUAL)
    quota = Scope(kind="quota", name="us-east-1", purchase="on-demand")
    assert book.balances() == (
        Balance(scope=Scope(kind="cluster"), spent=HALF, limits=Limits()),
        Balance(scope=Scope(kind="namespace", name="blog"), spent=HALF, limits=Limits()),
        Balance(scope=Scope(kind="namespace", name="shop"), spent=Amount(), limits=Limits(pods=5)),
        Balance(scope=quota, spent=HALF, limits=Limits(vcpu=6)),
    )


@pytest.mark.parametrize(
    "becomes",
    [
        pytest.param(a_node("other"), id="it is deleted"),
        pytest.param(a_node("v1"), id="it comes back without its taint"),
    ],
)
def test_pods_of_a_virtual_node_that_is_lost_count_until_they_end(becomes: Node) -> None:
    pods = FakeWatched([a_pod("web-1", uid="u1", node="v1", phase="Running")])
    nodes = FakeWatched([a_virtual_node("v1"), a_virtual_node("v2")])
    snapshot = Snapshot(pods, nodes)
    nodes.drop("v1")
    nodes.put(becomes)
    assert counted(snapshot) == 1
    pods.put(a_pod("web-2", uid="u2", node="v1", phase="Running"))
    assert counted(snapshot) == 2
    pods.drop("shop/web-1")
    assert counted(snapshot) == 1
    nodes.put(a_virtual_node("v1"))
    assert counted(snapshot) == 1
    pods.put(a_pod("web-2", uid="u2", node="v1", phase="Succeeded"))
    assert counted(snapshot) == 0
