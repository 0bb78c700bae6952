from datetime import timedelta

from app.extender.decision.decisions import Burst
from app.extender.decision.gate import IN_FLIGHT
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.ledger import Lapses
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node, owned_by, unschedulable
from tests.extender.fakes import a_grant, a_pressing_pod, pin
from tests.extender.plans import CLOSED, ONE, ONE_RUNS, only, planned


def test_an_unschedulable_pod_is_granted_a_place_and_the_room_for_it() -> None:
    pod = a_pressing_pod()
    decided = planned(pod)
    grant = a_grant(pod)
    assert only(decided) == Burst(pod, VIRTUAL, grant)
    assert [(each.node, each.grants, each.room) for each in decided.openings] == [(VIRTUAL, (grant,), ONE)]
    assert decided.due == grant.expires + IN_FLIGHT


def test_with_nobody_waiting_the_gate_is_closed() -> None:
    decided = planned(a_pod("other", node="ec2-0"))
    assert [(each.grants, each.room) for each in decided.openings] == [((), CLOSED)]
    assert decided.due is None


def test_what_runs_on_the_node_is_its_room_and_no_more() -> None:
    running = a_pod("a", node=VIRTUAL, phase="Running")
    finished = a_pod("b", node=VIRTUAL, phase="Succeeded")
    assert planned(running, finished).openings[0].room == ONE_RUNS


def test_a_bound_pod_loses_its_grant_and_keeps_its_room() -> None:
    pod = a_pod("a", node=VIRTUAL, phase="Pending")
    opening = planned(pod, grants={VIRTUAL: (a_grant(pod),)}).openings[0]
    assert (opening.grants, opening.room) == ((), ONE_RUNS)


def test_a_pod_that_found_a_real_node_gives_its_room_back() -> None:
    pod = a_pod("a", node="ec2-0", phase="Pending")
    opening = planned(pod, grants={VIRTUAL: (a_grant(pod),)}).openings[0]
    assert (opening.grants, opening.room) == ((), CLOSED)


def test_a_standing_grant_is_left_as_it_is() -> None:
    pod = a_pressing_pod()
    grant = a_grant(pod, expires=NOON + timedelta(seconds=7))
    decided = planned(pod, grants={VIRTUAL: (grant,)})
    assert decided.decisions == ()
    assert decided.openings[0].grants == (grant,)
    assert decided.due == grant.expires + IN_FLIGHT


def test_an_expired_grant_is_given_anew_while_the_pod_still_waits() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, grants={VIRTUAL: (a_grant(pod, expires=NOON - IN_FLIGHT),)})
    assert decided.openings[0].grants == (a_grant(pod),)
    assert decided.memory.lapses == {pod.uid: Lapses(1, NOON - IN_FLIGHT, (VIRTUAL,))}


def test_a_new_pod_of_the_same_name_does_not_inherit_the_grant() -> None:
    old, new = a_pressing_pod("web-1", uid="old"), a_pressing_pod("web-1", uid="new")
    opening = planned(new, grants={VIRTUAL: (a_grant(old),)}).openings[0]
    assert opening.grants == (a_grant(new),)


def test_a_node_that_is_not_ready_is_still_closed() -> None:
    assert [each.room for each in planned(nodes=(a_virtual_node(ready=False),)).openings] == [CLOSED]


def test_more_pods_than_may_be_open_queue_up() -> None:
    pods = [a_pressing_pod(f"web-{each}") for each in range(3)]
    decided = planned(*pods, config=GateConfig(max_grants=2))
    assert sorted(type(each).__name__ for each in decided.decisions) == ["Burst", "Burst", "Wait"]
    assert decided.openings[0].room.pods == 2


def test_a_daemon_set_pod_gets_room_and_a_slot_but_no_grant() -> None:
    daemon = a_pod(
        "ds",
        metadata=owned_by("DaemonSet"),
        affinity=pin(VIRTUAL),
        tolerations=[{"operator": "Exists"}],
        status=unschedulable(),
    )
    decided = planned(daemon)
    assert decided.decisions == ()
    assert (decided.openings[0].grants, decided.openings[0].room) == ((), ONE)


def test_a_grant_of_less_than_a_second_does_not_end_before_it_begins() -> None:
    now = NOON + timedelta(milliseconds=900)
    config = GateConfig(grant_ttl=timedelta(milliseconds=100))
    assert planned(a_pressing_pod(), now=now, config=config).openings[0].grants[0].expires > now
