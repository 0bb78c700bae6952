from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from app.extender.decision.ledger import (
    Lapses,
    held_off_until,
    lapses_after,
    live,
    size_of,
    space_on,
    turn_of,
)
from app.extender.decision.once import Once
from app.model.grant import Grant, written
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.model.requests import requests_of
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node
from tests.extender.fakes import ENABLED, a_grant, a_pressing_pod, granting, namespaces_with

TTL = timedelta(seconds=60)
POD = a_pressing_pod(uid="u1")
UNBOUND = {POD.uid: POD}


@pytest.mark.parametrize(
    ("grant", "unbound", "namespaces", "stands"),
    [
        pytest.param(a_grant(POD), UNBOUND, ENABLED, True, id="a waiting pod's"),
        pytest.param(a_grant(POD, expires=NOON), UNBOUND, ENABLED, False, id="expired this very moment"),
        pytest.param(a_grant(POD), {}, ENABLED, False, id="pod bound or gone"),
        pytest.param(a_grant("old-uid"), UNBOUND, ENABLED, False, id="the name belongs to another pod now"),
        pytest.param(
            a_grant(POD), UNBOUND, namespaces_with({"shop": {}}), False, id="the namespace lost its label"
        ),
        pytest.param(
            msgspec.structs.replace(a_grant(POD), room=Resources(cpu_milli=64_000, pods=100)),
            UNBOUND,
            ENABLED,
            False,
            id="opens more room than its pod asks for",
        ),
        pytest.param(
            msgspec.structs.replace(a_grant(POD), pod="shop/other"),
            UNBOUND,
            ENABLED,
            False,
            id="names another pod",
        ),
        pytest.param(
            a_grant(POD, expires=NOON + timedelta(days=1)),
            UNBOUND,
            ENABLED,
            False,
            id="longer than the gate ever gives",
        ),
    ],
)
def test_a_grant_stands_while_its_pod_waits(
    grant: Grant,
    unbound: Mapping[PodUid, Pod],
    namespaces: Mapping[str, Namespace],
    stands: bool,
) -> None:
    kept = live({VIRTUAL: (grant,)}, unbound, namespaces=namespaces, now=NOON, ttl=TTL)
    assert kept == {VIRTUAL: (grant,) if stands else ()}


def test_a_pod_keeps_one_grant_where_two_leaders_gave_two() -> None:
    grant = a_grant(POD)
    kept = live({"v2": (grant,), "v1": (grant, grant)}, UNBOUND, namespaces=ENABLED, now=NOON, ttl=TTL)
    assert kept == {"v1": (grant,), "v2": ()}


def test_an_expired_grant_of_a_waiting_pod_counts_as_a_lapse() -> None:
    ledger = {VIRTUAL: (a_grant(POD, expires=NOON),)}
    assert lapses_after({}, ledger=ledger, unbound=UNBOUND, now=NOON) == {
        POD.uid: Lapses(1, NOON, (VIRTUAL,))
    }


def test_the_same_expired_grant_counts_once_though_it_is_seen_again() -> None:
    ledger = {VIRTUAL: (a_grant(POD, expires=NOON),)}
    once = lapses_after({}, ledger=ledger, unbound=UNBOUND, now=NOON)
    assert lapses_after(once, ledger=ledger, unbound=UNBOUND, now=NOON) == once


def test_the_next_expired_grant_counts_up() -> None:
    later = NOON + TTL
    ledger = {VIRTUAL: (a_grant(POD, expires=later),)}
    known = {POD.uid: Lapses(1, NOON, (VIRTUAL,))}
    assert lapses_after(known, ledger=ledger, unbound=UNBOUND, now=later) == {
        POD.uid: Lapses(2, later, (VIRTUAL,))
    }


@pytest.mark.parametrize(
    ("tried", "after"),
    [
        pytest.param((), (VIRTUAL,), id="the first"),
        pytest.param(("v2",), ("v2", VIRTUAL), id="another one"),
        pytest.param((VIRTUAL, "v2"), ("v2", VIRTUAL), id="once more"),
    ],
)
def test_the_node_tried_last_stands_last(tried: tuple[str, ...], after: tuple[str, ...]) -> None:
    later = NOON + TTL
    ledger = {VIRTUAL: (a_grant(POD, expires=later),)}
    known = {POD.uid: Lapses(1, NOON, tried)}
    found = lapses_after(known, ledger=ledger, unbound=UNBOUND, now=later)
    assert found[POD.uid].tried == after


@pytest.mark.parametrize(
    ("lapses", "order"),
    [
        pytest.param(None, ["v1", "v2", "v3"], id="no grant lapsed"),
        pytest.param(Lapses(1, NOON, ("v1",)), ["v2", "v3", "v1"], id="one was tried"),
        pytest.param(Lapses(3, NOON, ("v3", "v1", "v2")), ["v3", "v1", "v2"], id="all were tried"),
    ],
)
def test_a_pod_tries_its_nodes_in_turn(lapses: Lapses | None, order: list[str]) -> None:
    nodes = ["v1", "v2", "v3"]
    assert sorted(nodes, key=lambda node: turn_of(node, lapses)) == order


def test_a_pod_that_found_a_node_is_forgotten() -> None:
    assert lapses_after({POD.uid: Lapses(2, NOON)}, ledger={}, unbound={}, now=NOON) == {}


def test_a_live_grant_is_no_lapse() -> None:
    assert lapses_after({}, ledger={VIRTUAL: (a_grant(POD),)}, unbound=UNBOUND, now=NOON) == {}


@pytest.mark.parametrize(
    ("count", "seconds"),
    [
        pytest.param(3, 60, id="first pause, one grant's life"),
        pytest.param(4, 120, id="doubled"),
        pytest.param(5, 240, id="doubled again"),
        pytest.param(9, 1800, id="at most half an hour"),
        pytest.param(10_000, 1800, id="for ever"),
    ],
)
def test_the_pauses_double_after_three_unused_grants(count: int, seconds: int) -> None:
    lapses = Lapses(count, NOON, (VIRTUAL,))
    until = held_off_until(lapses, nodes=[VIRTUAL], patience=3, ttl=TTL)
    assert until == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("lapses", [None, Lapses(2, NOON, (VIRTUAL,))])
def test_a_pod_may_let_two_grants_lapse_without_a_pause(lapses: Lapses | None) -> None:
    assert held_off_until(lapses, nodes=[VIRTUAL], patience=3, ttl=TTL) is None


@pytest.mark.parametrize(
    ("lapses", "until"),
    [
        pytest.param(Lapses(4, NOON, ("v1", "v2", "v3")), None, id="one is left to try"),
        pytest.param(Lapses(4, NOON, ("v1", "v2", "v3", "v4")), NOON + TTL, id="all were tried"),
        pytest.param(Lapses(5, NOON, ("v1", "v2", "v3", "v4")), NOON + 2 * TTL, id="once more"),
        pytest.param(Lapses(9, NOON, ("v1", "v2", "v3", "gone")), None, id="a new one is left to try"),
    ],
)
def test_the_pauses_begin_when_every_node_was_tried(lapses: Lapses, until: datetime | None) -> None:
    assert held_off_until(lapses, nodes=["v1", "v2", "v3", "v4"], patience=3, ttl=TTL) == until


def test_the_space_on_a_node_leaves_room_for_its_other_annotations() -> None:
    bare = space_on(a_virtual_node())
    assert space_on(a_virtual_node(annotations={"key": "é" * 10})) == bare - 23
    assert space_on(a_virtual_node(annotations=granting(a_grant(POD)))) == bare
    assert bare < 256 * 1024


def test_sizes_sum_up_to_no_less_than_the_annotation() -> None:
    grants = [a_grant(a_pod(f"web-{each}")) for each in range(3)]
    assert sum(map(size_of, grants)) >= len(written(grants)) - 1


def test_what_a_pod_asks_for_is_worked_out_once_for_all_its_looks() -> None:
    asked: list[Pod] = []

    def requests(pod: Pod) -> Resources:
        asked.append(pod)
        return requests_of(pod)

    sized = Once(requests)
    stands = {VIRTUAL: (a_grant(POD),)}
    for _ in range(3):
        assert live(stands, UNBOUND, namespaces=ENABLED, now=NOON, ttl=TTL, requests=sized) == stands
    assert asked == [POD]


def test_a_grant_falls_when_its_pod_is_resized_though_the_size_before_is_remembered() -> None:
    sized = Once(requests_of)
    stands = {VIRTUAL: (a_grant(POD),)}
    live(stands, UNBOUND, namespaces=ENABLED, now=NOON, ttl=TTL, requests=sized)
    container = {"name": "main", "resources": {"requests": {"cpu": "2", "memory": "512Mi"}}}
    resized = {POD.uid: a_pressing_pod(uid="u1", containers=[container])}
    assert live(stands, resized, namespaces=ENABLED, now=NOON, ttl=TTL, requests=sized) == {VIRTUAL: ()}


def test_a_pod_whose_requests_nobody_can_read_holds_no_grant() -> None:
    container = {"name": "main", "resources": {"requests": {"cpu": "much"}}}
    broken = {POD.uid: a_pressing_pod(uid="u1", containers=[container])}
    stands = {VIRTUAL: (a_grant(POD),)}
    sized = Once(requests_of)
    assert live(stands, broken, namespaces=ENABLED, now=NOON, ttl=TTL, requests=sized) == {VIRTUAL: ()}
