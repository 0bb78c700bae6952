from datetime import timedelta

from app.extender.allotment import QUEUE_FULL, Place, allot, fair_order
from app.extender.pressure import Candidate
from app.model.node import Node
from app.model.policy import Overflow
from tests.builders import NOON, VIRTUAL, a_virtual_node
from tests.extender.fakes import a_grant, a_pressing_pod

EXPIRES = NOON + timedelta(seconds=60)


def a_candidate(name: str, *nodes: Node, namespace: str = "shop", age: int = 0) -> Candidate:
    created = (NOON - timedelta(seconds=age)).isoformat()
    pod = a_pressing_pod(name, namespace=namespace, metadata={"creationTimestamp": created})
    return Candidate(pod=pod, overflow=Overflow.ALLOWED, nodes=nodes or (a_virtual_node(),))


def test_namespaces_take_turns_and_the_oldest_pod_of_each_comes_first() -> None:
    due = [
        a_candidate("a1", age=3),
        a_candidate("a2", age=9),
        a_candidate("a3", age=5),
        a_candidate("b1", namespace="blog"),
    ]
    assert [each.pod.metadata.name for each in fair_order(due, standing={})] == ["a2", "b1", "a3", "a1"]


def test_a_namespace_that_holds_grants_already_waits_its_turn() -> None:
    due = [a_candidate("a1", age=9), a_candidate("b1", namespace="blog")]
    standing = {VIRTUAL: (a_grant("x"), a_grant("y"))}
    assert [each.pod.metadata.name for each in fair_order(due, standing=standing)] == ["b1", "a1"]


def test_a_grant_holds_what_the_scheduler_reserves_for_the_pod() -> None:
    ((candidate, place),) = allot([a_candidate("a")], standing={VIRTUAL: ()}, expires=EXPIRES, most=10)
    assert isinstance(place, Place)
    assert (place.node, place.grant) == (VIRTUAL, a_grant(candidate.pod, expires=EXPIRES))


def test_grants_are_spread_over_the_nodes_that_suit() -> None:
    nodes = (a_virtual_node("v1"), a_virtual_node("v2"))
    due = [a_candidate(f"a{each}", *nodes) for each in range(3)]
    placed = allot(due, standing={"v1": (a_grant("x"),), "v2": ()}, expires=EXPIRES, most=10)
    assert [place.node for _, place in placed if isinstance(place, Place)] == ["v2", "v1", "v2"]


def test_a_node_that_is_not_ready_gets_none() -> None:
    nodes = (a_virtual_node("v1", ready=False), a_virtual_node("v2"))
    ((_, place),) = allot(
        [a_candidate("a", *nodes)],
        standing={"v1": (), "v2": (a_grant("x"),)},
        expires=EXPIRES,
        most=10,
    )
    assert isinstance(place, Place)
    assert place.node == "v2"


def test_no_more_grants_are_open_than_allowed() -> None:
    due = [a_candidate(f"a{each}") for each in range(3)]
    placed = allot(due, standing={VIRTUAL: (a_grant("x"),)}, expires=EXPIRES, most=2)
    assert [place for _, place in placed][1:] == [QUEUE_FULL, QUEUE_FULL]


def test_no_more_grants_are_open_than_the_annotation_holds() -> None:
    nearly_full = a_virtual_node(annotations={"other": "x" * (247 * 1024)})
    due = [a_candidate(f"a{each}", nearly_full) for each in range(20)]
    placed = allot(due, standing={VIRTUAL: ()}, expires=EXPIRES, most=100)
    given = [place for _, place in placed if isinstance(place, Place)]
    assert 0 < len(given) < 10
