from datetime import datetime, timedelta

import pytest

from app.extender.decisions import Burst, Refuse, Wait
from app.extender.hindrance import NOMINATED, NOT_PREPARED, GateConfig
from app.extender.ledger import Lapses
from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node, unschedulable
from tests.extender.fakes import a_pressing_pod
from tests.extender.plans import CLOSED, IMPOSSIBLE, not_runnable, only, planned


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
