from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.extender.decision.allotment import QUEUE_FULL, allot, kept
from app.extender.decision.book import Book
from app.extender.decision.budget import Limits
from app.extender.decision.candidates import Candidate
from app.extender.decision.decisions import Burst, Wait
from app.extender.decision.ledger import Lapses
from app.extender.decision.mode import Mode
from app.model import names
from app.model.grant import Grant
from app.model.node import Node
from app.model.policy import Overflow
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod

EXPIRES = NOON + timedelta(seconds=60)
NODE = a_virtual_node()


def a_candidate(
    name: str, *nodes: Node, namespace: str = "shop", age: int = 0, cpu: str = "500m"
) -> Candidate:
    created = (NOON - timedelta(seconds=age)).isoformat()
    pod = a_pressing_pod(name, namespace=namespace, cpu=cpu, metadata={"creationTimestamp": created})
    return Candidate(pod=pod, overflow=Overflow.ALLOWED, nodes=nodes or (NODE,))


def a_book(
    *running: tuple[str, int], nodes: Sequence[Node] = (NODE,), limits: Limits | None = None, **budgets: str
) -> Book:
    """A book of namespaces with so many running pods, and budgets of pods by namespace."""
    namespaces = {
        name: a_namespace(name, annotations={names.MAX_PODS: most}) for name, most in budgets.items()
    }
    book = Book(limits=limits or Limits(), namespaces=namespaces, nodes=nodes)
    for namespace, count in running:
        for each in range(count):
            book.charge(a_pod(f"running-{each}", namespace=namespace), VIRTUAL)
    return book


def placed(
    due: Sequence[Candidate],
    book: Book,
    *,
    standing: Mapping[str, tuple[Grant, ...]] | None = None,
    most: int = 10,
    **more: Any,
) -> tuple[Burst | Wait, ...]:
    return allot(due, standing=standing or {}, book=book, expires=EXPIRES, most=most, **more)


def winners(answers: Sequence[Burst | Wait]) -> list[str]:
    return [each.pod.metadata.name for each in answers if isinstance(each, Burst)]


def nodes_of(answers: Sequence[Burst | Wait]) -> list[str]:
    return [each.node for each in answers if isinstance(each, Burst)]


def test_namespaces_take_turns_and_the_oldest_pod_of_each_comes_first() -> None:
    due = [
        a_candidate("a1", age=3),
        a_candidate("a2", age=9),
        a_candidate("a3", age=5),
        a_candidate("b1", namespace="blog"),
    ]
    assert winners(placed(due, a_book())) == ["a2", "b1", "a3", "a1"]


def test_a_namespace_that_has_overflow_pods_already_waits_its_turn() -> None:
    due = [a_candidate("a1", age=9), a_candidate("b1", namespace="blog")]
    assert winners(placed(due, a_book(("shop", 2)))) == ["b1", "a1"]


def test_a_pod_that_gets_no_place_costs_its_namespace_no_turn() -> None:
    due = [
        a_candidate("a-huge", age=9, cpu="16"),
        a_candidate("a-small", age=8),
        a_candidate("b1", namespace="blog"),
        a_candidate("b2", namespace="blog"),
    ]
    answers = placed(due, a_book(limits=Limits(vcpu=1)))
    assert winners(answers) == ["a-small", "b1"]


def test_a_namespace_that_spent_its_own_budget_holds_up_no_other() -> None:
    due = [a_candidate("a1", age=9), a_candidate("a2", age=8), a_candidate("b1", namespace="blog")]
    assert winners(placed(due, a_book(shop="1"))) == ["a1", "b1"]


def test_a_grant_holds_what_the_scheduler_reserves_for_the_pod() -> None:
    candidate = a_candidate("a")
    assert placed([candidate], a_book()) == (
        Burst(candidate.pod, VIRTUAL, a_grant(candidate.pod, expires=EXPIRES)),
    )


def test_grants_are_spread_over_the_nodes_that_suit() -> None:
    nodes = (a_virtual_node("v1"), a_virtual_node("v2"))
    due = [a_candidate(f"a{each}", *nodes) for each in range(3)]
    answers = placed(due, a_book(nodes=nodes), standing={"v1": (a_grant("x"),), "v2": ()})
    assert nodes_of(answers) == ["v2", "v1", "v2"]


def test_a_pod_that_let_a_grant_lapse_tries_the_next_node() -> None:
    candidate = a_candidate("a", a_virtual_node("v1"), a_virtual_node("v2"))
    lapses = {candidate.pod.uid: Lapses(1, NOON, ("v1",))}
    assert nodes_of(placed([candidate], a_book(), standing={"v2": (a_grant("x"),)}, lapses=lapses)) == ["v2"]


def test_a_node_that_is_not_ready_gets_none() -> None:
    nodes = (a_virtual_node("v1", ready=False), a_virtual_node("v2"))
    answers = placed([a_candidate("a", *nodes)], a_book(), standing={"v1": (), "v2": (a_grant("x"),)})
    assert nodes_of(answers) == ["v2"]


def test_no_more_grants_are_open_than_allowed() -> None:
    due = [a_candidate(f"a{each}") for each in range(3)]
    answers = placed(due, a_book(), standing={VIRTUAL: (a_grant("x"),)}, most=2)
    assert [each.reason for each in answers if isinstance(each, Wait)] == [QUEUE_FULL, QUEUE_FULL]


def test_no_more_grants_are_open_than_the_annotation_holds() -> None:
    nearly_full = a_virtual_node(annotations={"other": "x" * (247 * 1024)})
    due = [a_candidate(f"a{each}", nearly_full) for each in range(20)]
    assert 0 < len(winners(placed(due, a_book(), most=100))) < 10


def test_where_the_queue_is_full_and_the_budget_spent_the_budget_is_what_is_said() -> None:
    (answer,) = placed([a_candidate("a")], a_book(limits=Limits(pods=0)), most=0)
    assert isinstance(answer, Wait)
    assert [each.code for each in answer.reasons] == ["BudgetPods"]


def a_standing_grant(name: str, *, left: int) -> tuple[Grant, Any]:
    pod = a_pressing_pod(name)
    return a_grant(pod, expires=NOON + timedelta(seconds=left)), pod


OLD, OLD_POD = a_standing_grant("old", left=20)
NEW, NEW_POD = a_standing_grant("new", left=50)


@pytest.mark.parametrize(
    ("limits", "mode", "stands"),
    [
        pytest.param(Limits(), "auto", (OLD, NEW), id="no budget"),
        pytest.param(Limits(pods=2), "auto", (OLD, NEW), id="within budget"),
        pytest.param(Limits(pods=1), "auto", (OLD,), id="lowered: the newest goes first"),
        pytest.param(Limits(vcpu=0.25), "auto", (), id="lowered below one"),
        pytest.param(Limits(), "open", (OLD, NEW), id="open"),
        pytest.param(Limits(), "closed", (), id="closed"),
        pytest.param(Limits(), "observe", (), id="observe"),
    ],
)
def test_grants_stand_within_budget_where_the_gate_gives_any(
    limits: Limits, mode: Mode, stands: tuple[Grant, ...]
) -> None:
    unbound = {OLD_POD.uid: OLD_POD, NEW_POD.uid: NEW_POD}
    left = kept({VIRTUAL: (NEW, OLD)}, unbound=unbound, modes={VIRTUAL: mode}, book=a_book(limits=limits))
    assert left == {VIRTUAL: stands}
