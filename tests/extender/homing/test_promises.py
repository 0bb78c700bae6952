from collections.abc import Iterable
from datetime import timedelta

import pytest

from app.extender.cluster.reach import reach_of
from app.extender.homing.break_even import Account
from app.extender.homing.placeholders import Placeholder
from app.extender.homing.promises import Hall, Patience, Promise, Promises, has_left
from app.model.names import PodUid
from app.model.pod import Pod
from tests.extender.homing.handing import LATER, a_nodeful, a_placeholder
from tests.extender.homing.returns import MINUTE, an_overflow_pod, ready_since

PODS = a_nodeful()
REACH = reach_of(PODS[0])
TIMEOUT = timedelta(minutes=15)


def hall(
    held: Iterable[Placeholder],
    *,
    pods: Iterable[Pod] = PODS,
    promises: Promises | None = None,
    stuck: frozenset[str] = frozenset(),
) -> Hall:
    patience = Patience(now=LATER, timeout=TIMEOUT, jobs=False, stuck=stuck)
    return Hall(held, {pod.uid: pod for pod in pods}, promises or {}, patience=patience)


def a_promise(*, ran: bool = True, held_up: float | None = None) -> Promise:
    """Of a pod of web, made an hour ago, and held up since so many minutes ago."""
    since = None if held_up is None else LATER - held_up * MINUTE
    return Promise(reach=REACH, owner="shop/uid-web", made=LATER - 60 * MINUTE, ran=ran, held_up=since)


def reasons(found: Hall) -> dict[PodUid, str]:
    return {
        PodUid(each.placeholder.metadata.name.removeprefix("spillway-placeholder-")): each.reason.code
        for each in found.removals
    }


def test_a_pod_that_left_for_its_room_ends_the_strikes_of_its_reach() -> None:
    found = hall((), pods=PODS[1:], promises={PODS[0].uid: a_promise()})
    assert found.adjusted(Account(strikes=3), REACH).strikes == 0
    assert found.left() == {"shop/uid-web"}


def test_a_pod_that_left_while_its_placeholder_waited_is_no_hand_over() -> None:
    found = hall((), pods=PODS[1:], promises={PODS[0].uid: a_promise(ran=False)})
    assert found.adjusted(Account(strikes=3), REACH).strikes == 3


def test_what_was_asked_for_before_the_last_strike_ends_none() -> None:
    found = hall((), pods=PODS[1:], promises={PODS[0].uid: a_promise()})
    assert found.adjusted(Account(strikes=3, struck=LATER - MINUTE), REACH).strikes == 3


def test_a_pod_that_is_held_up_keeps_its_room_for_a_while() -> None:
    unready = an_overflow_pod(status=ready_since(status="False"))
    held = [a_placeholder(unready, phase="Running", node="ec2-1")]
    promised = {unready.uid: a_promise(held_up=14)}
    assert reasons(hall(held, pods=[unready], promises=promised)) == {}
    assert reasons(hall(held, pods=[unready], promises={unready.uid: a_promise(held_up=15)})) == {
        unready.uid: "PodHeldUp"
    }


def test_since_when_a_pod_is_held_up_is_handed_on() -> None:
    unready = an_overflow_pod(status=ready_since(status="False"))
    held = [a_placeholder(unready, phase="Running", node="ec2-1")]
    first = hall(held, pods=[unready]).promises
    assert first[unready.uid].held_up == LATER


def test_a_controller_of_another_namespace_with_that_uid_is_not_stuck() -> None:
    held = [a_placeholder(PODS[0], phase="Running", node="ec2-1")]
    promised = {PODS[0].uid: a_promise(held_up=15)}
    assert reasons(hall(held, promises=promised, stuck=frozenset({"other/uid-web"}))) == {}
    assert reasons(hall(held, promises=promised, stuck=frozenset({"shop/uid-web"}))) == {
        PODS[0].uid: "PodHeldUp"
    }


@pytest.mark.parametrize(
    ("placeholder", "unused", "gave_up"),
    [
        pytest.param(a_placeholder(PODS[0], made=LATER - TIMEOUT), 0, True, id="no node came"),
        pytest.param(
            a_placeholder(PODS[0], phase="Failed", node="ec2-1", made=LATER - TIMEOUT), 1, False, id="spent"
        ),
    ],
)
def test_only_a_node_that_did_not_come_speaks_for_all_that_could_use_one(
    placeholder: Placeholder, unused: int, *, gave_up: bool
) -> None:
    found = hall([placeholder])
    assert (len(found.unused()), found.gave_up(Account(), REACH)) == (unused, gave_up)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        pytest.param("ReplicaSet", True, id="its successor comes at once"),
        pytest.param("StatefulSet", False, id="its successor comes when it is gone"),
    ],
)
def test_when_the_room_is_the_successors(kind: str, *, left: bool) -> None:
    pod = an_overflow_pod(kind=kind, metadata={"deletionTimestamp": LATER.isoformat()})
    assert has_left(pod) == left


def test_a_clock_that_is_set_back_lets_no_placeholder_wait_for_longer_than_from_then_on() -> None:
    ahead = a_placeholder(PODS[0], made=LATER + 24 * 60 * MINUTE)
    promises = hall([ahead]).promises
    assert promises[PODS[0].uid].made == LATER
    known = {PODS[0].uid: a_promise(ran=False)}
    assert reasons(hall([ahead], promises=known)) == {PODS[0].uid: "NoNodeCame"}
