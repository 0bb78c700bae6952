from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.extender.decision.decisions import Burst, Decision, Refuse, Wait
from app.extender.decision.hindrance import (
    NOMINATED,
    NOT_PREPARED,
    NOT_TAKEN,
    PREEMPTS,
    REAL_NODE_FIRST,
    WAITS,
    GateConfig,
)
from app.extender.decision.ledger import Lapses
from app.extender.decision.preference import preferences_of
from app.model import names
from app.model.pod import Pod
from app.model.reason import Reason
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node, unschedulable
from tests.extender.fakes import a_pressing_pod
from tests.extender.plans import CLOSED, IMPOSSIBLE, not_runnable, only, planned


def test_a_pod_that_lets_three_grants_lapse_is_refused_for_a_while() -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(3, NOON, (VIRTUAL,))}
    decided = planned(pod, lapses=lapses, now=NOON + timedelta(seconds=1))
    until = NOON + timedelta(seconds=60)
    assert only(decided) == Refuse(pod, (NOT_TAKEN,), until)
    assert decided.due == until


FAR = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"annotations": {names.MAX_WAIT: "30s"}}, REAL_NODE_FIRST, id="max-wait"),
        pytest.param(
            {
                "status": {**unschedulable(FAR), "nominatedNodeName": "ec2-0"},
                "labels": {names.OVERFLOW: names.REQUIRED},
            },
            NOMINATED,
            id="nominated",
        ),
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_waited_for_and_breaks_nothing(
    fields: dict[str, Any], reason: Reason
) -> None:
    decision = only(planned(a_pressing_pod(**{"status": unschedulable(FAR), **fields})))
    assert isinstance(decision, Wait)
    assert decision.reason == reason


def test_and_may_try_again_afterwards() -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(3, NOON, (VIRTUAL,))}
    decision = only(planned(pod, lapses=lapses, now=NOON + timedelta(seconds=60)))
    assert isinstance(decision, Burst)


V1, V2 = a_virtual_node("v1"), a_virtual_node("v2")


@pytest.mark.parametrize(
    ("tried", "node"),
    [
        pytest.param((), "v1", id="none yet"),
        pytest.param(("v1",), "v2", id="one"),
        pytest.param(("v2", "v1"), "v2", id="both: the one tried longest ago"),
        pytest.param(("v1", "gone"), "v2", id="one of them gone meanwhile"),
    ],
)
def test_a_grant_that_lapsed_is_followed_by_one_on_the_next_node(tried: tuple[str, ...], node: str) -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(2, NOON, tried)}
    decision = only(planned(pod, nodes=(V1, V2), lapses=lapses))
    assert isinstance(decision, Burst)
    assert decision.node == node


def test_a_pod_is_not_refused_before_every_node_that_suits_was_tried() -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(5, NOON, ("v1",))}
    decision = only(planned(pod, nodes=(V1, V2), lapses=lapses))
    assert isinstance(decision, Burst)
    assert decision.node == "v2"


def test_a_node_that_is_not_ready_need_not_be_tried() -> None:
    pod = a_pressing_pod()
    lapses = {pod.uid: Lapses(3, NOON, ("v1",))}
    decision = only(planned(pod, nodes=(V1, a_virtual_node("v2", ready=False)), lapses=lapses))
    assert decision == Refuse(pod, (NOT_TAKEN,), NOON + timedelta(seconds=60))


PRIORITY = ("fast=burst", "top=preempt", "slow=wait", "*=preempt-first")
BY_CLASS = GateConfig(preferences=preferences_of(PRIORITY))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("fast", Burst, id="burst"),
        pytest.param("top", Refuse, id="preempt"),
        pytest.param("slow", Wait, id="wait"),
        pytest.param("other", Burst, id="preempt-first"),
        pytest.param("", Burst, id="no class"),
    ],
)
def test_what_comes_first_is_said_by_the_priority_class(name: str, answer: type[Decision]) -> None:
    assert isinstance(only(planned(a_pressing_pod(priorityClassName=name), config=BY_CLASS)), answer)


def test_a_pod_that_evicts_others_instead_is_told_so() -> None:
    pod = a_pressing_pod(priorityClassName="top")
    assert only(planned(pod, config=BY_CLASS)) == Refuse(pod, (PREEMPTS,))


def test_a_pod_that_waits_for_a_real_node_waits_for_that_alone() -> None:
    pod = a_pressing_pod(priorityClassName="slow")
    assert only(planned(pod, config=BY_CLASS)) == Wait(pod, WAITS)


@pytest.mark.parametrize("name", ["top", "slow"])
def test_a_pod_that_must_overflow_bursts_whatever_its_class(name: str) -> None:
    pod = a_pressing_pod(priorityClassName=name, labels={names.OVERFLOW: "required"})
    assert isinstance(only(planned(pod, config=BY_CLASS)), Burst)


def test_a_pod_of_a_class_that_bursts_waits_as_its_max_wait_says() -> None:
    pod = a_pressing_pod(priorityClassName="fast", annotations={names.MAX_WAIT: "1m"})
    assert only(planned(pod, config=BY_CLASS)) == Wait(pod, REAL_NODE_FIRST, NOON + timedelta(minutes=1))


def test_a_pod_of_a_class_that_bursts_waits_for_placeholders_that_make_room() -> None:
    status = {**unschedulable(), "nominatedNodeName": "ec2-0"}
    pod = a_pressing_pod(priorityClassName="fast", status=status)
    assert only(planned(pod, config=BY_CLASS)) == Wait(pod, NOMINATED, NOON + timedelta(minutes=2))


def test_a_refusal_for_the_class_comes_with_every_other_reason() -> None:
    pod = a_pressing_pod(priorityClassName="top", labels={"scheduling.x-k8s.io/pod-group": "train"})
    decision = only(planned(pod, config=BY_CLASS, refusals=not_runnable))
    assert isinstance(decision, Refuse)
    codes = [each.code for each in decision.reasons]
    assert codes == ["HostNetwork", "Privileged", "Gang", "PriorityPreempts"]


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
