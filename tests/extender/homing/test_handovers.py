from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.extender.homing.break_even import Buy, KeepRenting
from app.extender.homing.handovers import Remove, switched_off
from app.model.names import ARCH_LABEL, OVERFLOW, REQUIRED
from app.model.offer import TABLE, Offer, Rate, Rates, written_offer
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import a_node
from tests.extender.homing.handing import (
    FULL,
    LATER,
    a_nodeful,
    a_placeholder,
    asked,
    earned,
    handed,
    removed,
)
from tests.extender.homing.returns import MINUTE, an_overflow_pod, ready_since

PODS = a_nodeful()
NAMES = ["web-0", "web-1", "web-2", "web-3"]
TIMEOUT = timedelta(minutes=15)


def leaving(pod: Pod) -> Pod:
    metadata = msgspec.structs.replace(pod.metadata, deletion_timestamp=LATER)
    return msgspec.structs.replace(pod, metadata=metadata)


def test_overflow_that_has_cost_what_a_node_costs_is_asked_a_node_for_pod_by_pod() -> None:
    plan = handed(*PODS, accounts=earned(*PODS))
    assert asked(plan) == NAMES
    (standing,) = plan.standings
    assert isinstance(standing.verdict, Buy)
    assert (standing.shape.name, standing.shape.hourly, standing.asks) == ("m7i.large", 0.1008, 4)


def test_overflow_that_is_new_stays_on_fargate() -> None:
    plan = handed(*PODS)
    assert asked(plan) == []
    assert isinstance(plan.standings[0].verdict, KeepRenting)


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param(PODS[:2], id="too little to fill a node"),
        pytest.param([an_overflow_pod("huge", cpu="4", memory="8Gi")] * 2, id="pods that no such node takes"),
        pytest.param([], id="no overflow"),
    ],
)
def test_no_node_is_asked_for_that_would_not_pay(pods: Sequence[Pod]) -> None:
    assert asked(handed(*pods, accounts=earned(*pods, hours=3))) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"labels": {OVERFLOW: REQUIRED}}, id="pods that run on Fargate only"),
        pytest.param({"kind": "Job"}, id="pods of Jobs"),
        pytest.param({"status": ready_since(status="False")}, id="pods that are not Ready"),
        pytest.param(
            {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
            id="pods that people keep where they are",
        ),
    ],
)
def test_pods_that_do_not_go_home_earn_no_node(change: dict[str, Any]) -> None:
    pods = [an_overflow_pod(f"web-{n}", cpu="500m", memory="2000Mi", **change) for n in range(4)]
    assert asked(handed(*pods, accounts=earned(*pods))) == []


def test_pods_of_jobs_earn_a_node_where_they_may_be_moved() -> None:
    pods = [an_overflow_pod(f"job-{n}", kind="Job", cpu="500m", memory="2000Mi") for n in range(4)]
    accounts = earned(*PODS)
    assert asked(handed(*pods, accounts=accounts, jobs=True)) == [f"job-{n}" for n in range(4)]


def test_pods_of_a_controller_that_cannot_do_without_one_earn_no_node() -> None:
    assert asked(handed(*PODS, accounts=earned(*PODS), stuck=frozenset({"shop/uid-web"}))) == []


def test_pods_that_find_room_on_a_node_that_is_there_ask_for_no_other() -> None:
    roomy = a_node("roomy", cpu="2", memory="8Gi")
    assert asked(handed(*PODS, accounts=earned(*PODS), nodes=(FULL, roomy))) == []


def test_each_kind_of_node_has_an_account_of_its_own() -> None:
    arm = [
        an_overflow_pod(f"arm-{n}", of="arm", cpu="500m", memory="2000Mi", nodeSelector={ARCH_LABEL: "arm64"})
        for n in range(4)
    ]
    graviton = a_node("ec2-9", cpu="2", memory="8Gi", labels={ARCH_LABEL: "arm64"})
    plan = handed(*PODS, *arm, accounts=earned(*PODS), nodes=(FULL, graviton))
    assert asked(plan) == NAMES
    assert len(plan.standings) == 2


def test_without_a_node_of_the_kind_or_a_setting_nothing_is_asked_for() -> None:
    plan = handed(*PODS, accounts=earned(*PODS), nodes=())
    assert (asked(plan), plan.standings) == ([], ())


def test_a_setting_stands_in_for_the_node_that_is_not_there() -> None:
    room = Resources(cpu_milli=2000, memory=8 * 2**30)
    plan = handed(*PODS, accounts=earned(*PODS), nodes=(), room=room, hourly=0.1)
    assert asked(plan) == NAMES


def test_a_pod_with_a_placeholder_is_not_counted_again() -> None:
    held = [a_placeholder(pod) for pod in PODS]
    plan = handed(*PODS, held=held, accounts=earned(*PODS))
    assert (asked(plan), removed(plan)) == ([], {})


def test_a_pod_is_ready_to_go_once_its_placeholder_runs() -> None:
    held = [a_placeholder(PODS[0]), a_placeholder(PODS[1], phase="Running", node="ec2-1")]
    assert handed(*PODS, held=held).ready == {PODS[1].uid}


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        pytest.param(PODS[1:], "PodGone", id="the pod is gone"),
        pytest.param([leaving(PODS[0]), *PODS[1:]], "PodGone", id="the pod is on its way out"),
    ],
)
def test_a_placeholder_goes_with_its_pod_and_its_room_is_free(pods: Sequence[Pod], reason: str) -> None:
    held = [a_placeholder(pod, phase="Running", node="ec2-1") for pod in PODS]
    plan = handed(*pods, held=held)
    assert removed(plan) == {PODS[0].uid: reason}
    assert plan.ready == {pod.uid for pod in PODS[1:]}


def test_the_room_of_a_stateful_sets_pod_is_kept_until_it_is_gone() -> None:
    pod = leaving(an_overflow_pod("db-0", of="db", kind="StatefulSet"))
    held = [a_placeholder(pod, phase="Running", node="ec2-1")]
    assert removed(handed(pod, held=held)) == {}
    assert removed(handed(held=held)) == {pod.uid: "PodGone"}


def test_a_placeholder_that_the_kubelet_ended_is_cleared_away() -> None:
    held = [a_placeholder(PODS[0], phase="Failed", node="ec2-1")]
    plan = handed(*PODS, held=held)
    assert (removed(plan), plan.ready) == ({PODS[0].uid: "PlaceholderEnded"}, frozenset())


def test_where_no_node_came_in_time_all_that_wait_for_one_go_and_the_next_must_earn_twice_the_stay() -> None:
    held = [
        a_placeholder(PODS[0], made=LATER - TIMEOUT),
        a_placeholder(PODS[1], made=LATER - MINUTE),
        a_placeholder(PODS[2], phase="Running", node="ec2-1", made=LATER - TIMEOUT),
    ]
    plan = handed(*PODS, held=held, accounts=earned(*PODS))
    assert removed(plan) == {PODS[0].uid: "NoNodeCame", PODS[1].uid: "NoNodeCame"}
    (standing,) = plan.standings
    assert standing.gave_up
    assert standing.verdict.price == pytest.approx(2 * 0.1008)
    assert asked(plan) == []


def test_a_hand_over_in_vain_is_remembered_while_placeholders_wait() -> None:
    accounts = earned(*PODS, hours=2, strikes=1)
    plan = handed(*PODS, accounts=accounts)
    assert asked(plan) == NAMES
    waiting = handed(*PODS, held=[a_placeholder(pod) for pod in PODS], accounts=plan.memory.accounts)
    assert [each.strikes for each in waiting.memory.accounts.values()] == [1]


def test_a_node_alone_ends_no_doubling_a_pod_that_left_for_it_does() -> None:
    held = [a_placeholder(pod, phase="Running", node="ec2-1") for pod in PODS]
    came = handed(*PODS, held=held, accounts=earned(*PODS, strikes=2))
    assert came.standings[0].verdict.price == pytest.approx(4 * 0.1008)
    left = handed(*PODS[1:], held=held, accounts=came.memory.accounts, promises=came.memory.promises)
    assert left.standings[0].verdict.price == pytest.approx(0.1008)


def test_a_node_that_no_pod_used_is_its_controllers_failure_and_nobody_elses() -> None:
    others = a_nodeful("api")
    held = [a_placeholder(pod, phase="Failed", node="ec2-1", made=LATER - 76 * MINUTE) for pod in PODS]
    plan = handed(*PODS, *others, held=held)
    assert set(removed(plan).values()) == {"PlaceholderEnded"}
    assert [each.strikes for each in plan.memory.accounts.values()] == [0]
    assert [(key, each.strikes) for key, each in plan.memory.idlers.items()] == [("shop/uid-web", 1)]
    accounts = earned(*PODS, *others)
    assert asked(handed(*PODS, *others, accounts=accounts, idlers=plan.memory.idlers)) == sorted(
        pod.metadata.name for pod in others
    )


def test_a_controller_that_left_a_node_unused_gets_one_again_after_twice_the_stay() -> None:
    held = [a_placeholder(pod, phase="Failed", node="ec2-1", made=LATER - 76 * MINUTE) for pod in PODS]
    idlers = handed(*PODS, held=held).memory.idlers
    accounts = earned(*PODS)
    assert asked(handed(*PODS, accounts=accounts, idlers=idlers)) == []
    later = handed(*PODS, accounts=accounts, idlers=idlers, now=LATER + 120 * MINUTE)
    assert asked(later) == NAMES


def test_a_hand_over_in_vain_counts_once_however_long_its_placeholders_are_seen() -> None:
    held = [a_placeholder(pod, made=LATER - 16 * MINUTE) for pod in PODS]
    first = handed(*PODS, held=held)
    second = handed(*PODS, held=held, accounts=first.memory.accounts, now=LATER + MINUTE)
    assert [each.strikes for each in second.memory.accounts.values()] == [1]
    assert [each.gave_up for each in (*first.standings, *second.standings)] == [True, False]
    assert len(removed(second)) == 4


def test_the_placeholder_of_a_pod_that_people_keep_where_it_is_goes() -> None:
    held = [a_placeholder(pod, phase="Running", node="ec2-1") for pod in PODS]
    metadata = msgspec.structs.replace(PODS[0].metadata, annotations={"karpenter.sh/do-not-disrupt": "true"})
    plan = handed(msgspec.structs.replace(PODS[0], metadata=metadata), *PODS[1:], held=held)
    assert removed(plan) == {PODS[0].uid: "PodKept"}


def test_placeholders_of_a_controller_that_is_stuck_go_when_that_has_lasted() -> None:
    held = [a_placeholder(pod, phase="Running", node="ec2-1") for pod in PODS]
    stuck = frozenset({"shop/uid-web"})
    first = handed(*PODS, held=held, stuck=stuck)
    assert removed(first) == {}
    later = handed(*PODS, held=held, stuck=stuck, promises=first.memory.promises, now=LATER + 15 * MINUTE)
    assert set(removed(later).values()) == {"PodHeldUp"}
    assert [each.reason.code for each in later.memory.idlers.values()] == ["PodHeldUp"]
    assert not any(each.gave_up for each in later.standings)


def test_no_more_is_asked_for_than_goes_home_within_a_stay() -> None:
    many = a_nodeful(pods=80)
    plan = handed(*many, accounts=earned(*many, hours=1), most_nodes=100)
    assert len(asked(plan)) == 40


def test_time_without_a_node_to_count_with_costs_nothing() -> None:
    accounts = earned(*PODS, hours=1)
    for minute in (0, 119):
        accounts = handed(accounts=accounts, nodes=(), now=LATER + minute * MINUTE).memory.accounts
    plan = handed(*PODS, accounts=accounts, now=LATER + 120 * MINUTE)
    assert isinstance(plan.standings[0].verdict, KeepRenting)


def test_placeholders_within_their_time_wait_on() -> None:
    held = [a_placeholder(PODS[0], made=LATER - TIMEOUT + MINUTE)]
    assert removed(handed(*PODS, held=held)) == {}


def test_no_more_nodes_are_asked_for_than_allowed_those_on_their_way_included() -> None:
    more = a_nodeful("api", pods=8)
    accounts = earned(*more)
    assert len(asked(handed(*more, accounts=accounts, most_nodes=2))) == 8
    assert len(asked(handed(*more, accounts=accounts, most_nodes=1))) == 4
    held = [a_placeholder(pod) for pod in PODS]
    assert len(asked(handed(*PODS, *more, held=held, accounts=accounts, most_nodes=2))) == 4


def test_the_most_nodes_are_those_of_all_kinds_together() -> None:
    arm: dict[str, Any] = {"nodeSelector": {ARCH_LABEL: "arm64"}}
    pods = [an_overflow_pod(f"arm-{n}", of="arm", cpu="500m", memory="2000Mi", **arm) for n in range(4)]
    graviton = a_node("ec2-9", cpu="2", memory="8Gi", labels={ARCH_LABEL: "arm64"})
    kinds = (FULL, graviton)
    accounts = earned(*PODS, *pods, nodes=kinds)
    assert len(asked(handed(*PODS, *pods, accounts=accounts, nodes=kinds))) == 8
    assert len(asked(handed(*PODS, *pods, accounts=accounts, nodes=kinds, most_nodes=1))) == 4


def test_no_more_placeholders_are_made_than_allowed() -> None:
    held = [a_placeholder(PODS[0])]
    more = a_nodeful("api")
    plan = handed(*PODS, *more, held=held, accounts=earned(*more), most_placeholders=3)
    assert len(asked(plan)) == 2


def test_an_account_ends_when_nothing_overflows_for_a_stay() -> None:
    accounts = handed(accounts=earned(*PODS)).memory.accounts
    assert accounts
    for minute in range(1, 63):
        accounts = handed(accounts=accounts, now=LATER + minute * MINUTE).memory.accounts
    assert accounts == {}


def test_what_the_bridge_says_of_prices_counts() -> None:
    dear = Rates(
        on_demand={**TABLE.on_demand, "amd64": Rate(9.0, 0.0)}, spot=TABLE.spot, storage_gib_hour=0.0
    )
    plan = handed(*PODS, offer=written_offer(Offer(rates=dear)))
    assert asked(plan) == NAMES


def test_an_offer_that_nobody_can_read_falls_back_to_the_table() -> None:
    (standing,) = handed(*PODS, offer="{").standings
    assert standing.verdict.paid == pytest.approx(4 * (0.5 * 0.04048 + 2 * 0.004445) / 60)


def test_switched_off_every_placeholder_goes() -> None:
    held = [a_placeholder(pod) for pod in PODS]
    assert {each.reason.code for each in switched_off(held)} == {"HandoverOff"}
    assert all(isinstance(each, Remove) for each in switched_off(held))
