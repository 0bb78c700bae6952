from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.extender.gate import (
    NOMINATED,
    NOT_PREPARED,
    Burst,
    Decision,
    Facts,
    GateConfig,
    Plan,
    Refuse,
    Wait,
    plan,
)
from app.extender.ledger import Lapses
from app.model import names
from app.model.grant import Grant
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, owned_by, unschedulable
from tests.extender.fakes import ENABLED, a_grant, a_pressing_pod, pin

MIB = 2**20
ONE = Resources(cpu_milli=500, memory=512 * MIB, pods=1)
CLOSED = Resources(cpu_milli=1)
IMPOSSIBLE = (Reason("HostNetwork", "no"), Reason("Privileged", "no"))


def runnable(pod: Pod) -> tuple[Reason, ...]:
    return ()


def not_runnable(pod: Pod) -> tuple[Reason, ...]:
    return IMPOSSIBLE


def planned(
    *pods: Pod,
    nodes: tuple[Node, ...] = (a_virtual_node(), a_node()),
    grants: Mapping[str, tuple[Grant, ...]] | None = None,
    now: datetime = NOON,
    refusals: Any = runnable,
    config: GateConfig | None = None,
    lapses: Mapping[Any, Lapses] | None = None,
) -> Plan:
    facts = Facts(pods=pods, nodes=nodes, namespaces=ENABLED, grants=grants or {}, lapses=lapses or {})
    return plan(facts, now=now, config=config or GateConfig(), refusals=refusals)


def only(decided: Plan) -> Decision:
    (decision,) = decided.decisions
    return decision


def test_an_unschedulable_pod_is_granted_a_place_and_the_room_for_it() -> None:
    pod = a_pressing_pod()
    decided = planned(pod)
    grant = a_grant(pod)
    assert only(decided) == Burst(pod, VIRTUAL, grant)
    assert [(each.node, each.grants, each.room) for each in decided.openings] == [(VIRTUAL, (grant,), ONE)]
    assert decided.due == grant.expires


def test_with_nobody_waiting_the_gate_is_closed() -> None:
    decided = planned(a_pod("other", node="ec2-0"))
    assert [(each.grants, each.room) for each in decided.openings] == [((), CLOSED)]
    assert decided.due is None


def test_what_runs_on_the_node_is_its_room_and_no_more() -> None:
    running = a_pod("a", node=VIRTUAL, phase="Running")
    finished = a_pod("b", node=VIRTUAL, phase="Succeeded")
    assert planned(running, finished).openings[0].room == ONE


def test_a_bound_pod_loses_its_grant_and_keeps_its_room() -> None:
    pod = a_pod("a", node=VIRTUAL, phase="Pending")
    opening = planned(pod, grants={VIRTUAL: (a_grant(pod),)}).openings[0]
    assert (opening.grants, opening.room) == ((), ONE)


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
    assert decided.due == grant.expires


def test_an_expired_grant_is_given_anew_while_the_pod_still_waits() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, grants={VIRTUAL: (a_grant(pod, expires=NOON),)})
    assert decided.openings[0].grants == (a_grant(pod),)
    assert decided.lapses == {pod.uid: Lapses(1, NOON)}


def test_a_pod_that_lets_three_grants_lapse_is_left_alone_for_a_while() -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(3, NOON)}
    decision = only(planned(pod, lapses=lapses, now=NOON + timedelta(seconds=1)))
    assert isinstance(decision, Wait)
    assert (decision.reason.code, decision.until) == ("GrantsUnused", NOON + timedelta(seconds=60))


def test_and_may_try_again_afterwards() -> None:
    pod = a_pressing_pod()
    decision = only(planned(pod, lapses={pod.uid: Lapses(3, NOON)}, now=NOON + timedelta(seconds=60)))
    assert isinstance(decision, Burst)


def test_a_new_pod_of_the_same_name_does_not_inherit_the_grant() -> None:
    old, new = a_pressing_pod("web-1", uid="old"), a_pressing_pod("web-1", uid="new")
    opening = planned(new, grants={VIRTUAL: (a_grant(old),)}).openings[0]
    assert opening.grants == (a_grant(new),)


def test_a_pod_fargate_cannot_run_is_refused_with_every_reason() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, refusals=not_runnable)
    assert only(decided) == Refuse(pod, IMPOSSIBLE)
    assert decided.openings[0].room == CLOSED


@pytest.mark.parametrize(
    ("wait", "since", "until"),
    [
        pytest.param("2m", NOON, NOON + timedelta(minutes=2), id="from the Unschedulable condition"),
        pytest.param("90", NOON - timedelta(seconds=60), NOON + timedelta(seconds=30), id="partly over"),
    ],
)
def test_a_pod_waits_as_long_as_it_says(wait: str, since: datetime, until: datetime) -> None:
    pod = a_pressing_pod(annotations={names.MAX_WAIT: wait}, status=unschedulable(since))
    decided = planned(pod)
    decision = only(decided)
    assert isinstance(decision, Wait)
    assert (decision.reason.code, decision.until, decided.due) == ("MaxWait", until, until)
    assert isinstance(only(planned(pod, now=until)), Burst)


def test_the_default_wait_counts_from_creation_where_the_condition_has_no_time() -> None:
    status = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}
    config = GateConfig(max_wait=timedelta(seconds=30))
    decision = only(planned(a_pressing_pod(status=status), config=config))
    assert isinstance(decision, Wait)
    assert decision.until == NOON + timedelta(seconds=30)


def test_a_pod_that_must_overflow_does_not_wait_for_a_real_node() -> None:
    pod = a_pressing_pod(labels={names.OVERFLOW: "required"}, annotations={names.MAX_WAIT: "1h"})
    assert isinstance(only(planned(pod)), Burst)


@pytest.mark.parametrize("text", ["soon", "9" * 30, "9" * 5000 + "h"])
def test_a_wait_that_means_nothing_is_refused_and_harms_no_other_pod(text: str) -> None:
    odd = a_pressing_pod("odd", annotations={names.MAX_WAIT: text})
    fine = a_pressing_pod("fine")
    kinds = {type(each): each for each in planned(odd, fine).decisions}
    assert kinds[Burst].pod == fine
    refused = kinds[Refuse]
    assert isinstance(refused, Refuse)
    assert [each.code for each in refused.reasons] == ["InvalidMaxWait"]


def test_a_label_that_means_nothing_is_refused() -> None:
    decision = only(planned(a_pressing_pod(labels={names.OVERFLOW: "maybe"})))
    assert isinstance(decision, Refuse)
    assert [each.code for each in decision.reasons] == ["InvalidOverflowLabel"]


def test_a_pod_that_must_overflow_and_suits_no_virtual_node_is_told() -> None:
    pod = a_pressing_pod(labels={names.OVERFLOW: "required"}, nodeSelector={"zone": "z"})
    decision = only(planned(pod))
    assert isinstance(decision, Refuse)
    assert [each.code for each in decision.reasons] == ["NoVirtualNodeSuits"]


def test_without_a_ready_virtual_node_a_pod_waits_for_one() -> None:
    decision = only(planned(a_pressing_pod(), nodes=(a_virtual_node(ready=False),)))
    assert isinstance(decision, Wait)
    assert (decision.reason.code, decision.until) == ("NoVirtualNodeReady", None)


def test_a_node_that_is_not_ready_is_still_closed() -> None:
    assert [each.room for each in planned(nodes=(a_virtual_node(ready=False),)).openings] == [CLOSED]


def test_more_pods_than_may_be_open_queue_up() -> None:
    pods = [a_pressing_pod(f"web-{each}") for each in range(3)]
    decided = planned(*pods, config=GateConfig(max_grants=2))
    assert sorted(type(each).__name__ for each in decided.decisions) == ["Burst", "Burst", "Wait"]
    assert decided.openings[0].room.pods == 2


def test_a_daemon_set_pod_gets_room_and_a_slot_but_no_grant() -> None:
    daemon = a_pod("ds", metadata=owned_by("DaemonSet"), affinity=pin(VIRTUAL), status=unschedulable())
    decided = planned(daemon)
    assert decided.decisions == ()
    assert (decided.openings[0].grants, decided.openings[0].room) == ((), ONE)


def test_a_grant_of_less_than_a_second_does_not_end_before_it_begins() -> None:
    now = NOON + timedelta(milliseconds=900)
    config = GateConfig(grant_ttl=timedelta(milliseconds=100))
    assert planned(a_pressing_pod(), now=now, config=config).openings[0].grants[0].expires > now


def test_a_pod_that_the_webhook_left_alone_is_told_what_fargate_cannot_run() -> None:
    pod = a_pod(status=unschedulable())
    assert only(planned(pod, refusals=not_runnable)) == Refuse(pod, IMPOSSIBLE)


def test_a_pod_that_the_webhook_never_saw_is_told_to_be_recreated() -> None:
    pod = a_pod(status=unschedulable())
    assert only(planned(pod)) == Refuse(pod, (NOT_PREPARED,))


def test_a_wait_that_means_nothing_is_told_though_the_webhook_left_the_pod_alone() -> None:
    pod = a_pod(status=unschedulable(), annotations={names.MAX_WAIT: "-5s"})
    decision = only(planned(pod))
    assert isinstance(decision, Refuse)
    assert [reason.code for reason in decision.reasons] == ["InvalidMaxWait"]


def nominated(node: str) -> Pod:
    """A pod for which the scheduler evicts others from this node."""
    return a_pressing_pod(status={**unschedulable(), "nominatedNodeName": node})


def test_a_pod_for_which_others_are_evicted_does_not_burst_as_well() -> None:
    pod = nominated("ec2-0")
    decided = planned(pod)
    until = NOON + timedelta(minutes=2)
    assert only(decided) == Wait(pod, NOMINATED, until)
    assert decided.due == until


def test_a_nomination_that_comes_to_nothing_does_not_hold_a_pod_for_ever() -> None:
    assert isinstance(only(planned(nominated("ec2-0"), now=NOON + timedelta(minutes=2))), Burst)


def test_a_nomination_to_the_virtual_node_is_nothing_to_wait_for() -> None:
    assert isinstance(only(planned(nominated(VIRTUAL))), Burst)
