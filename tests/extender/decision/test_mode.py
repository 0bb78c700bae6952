from datetime import timedelta
from typing import Any

import pytest

from app.extender.decision.budget import Limits
from app.extender.decision.decisions import Burst, Decision, Plan, Refuse, Wait, WouldBurst
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.ledger import Lapses
from app.extender.decision.memory import Memory, Observed
from app.extender.decision.mode import Mode, fault_of, mode_of
from app.model import names
from app.model.node import Node
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node, unschedulable
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod
from tests.extender.plans import CLOSED, IMPOSSIBLE, ONE_RUNS, not_runnable, only, planned

OBSERVE = GateConfig(gate="observe")


def gated(word: str, name: str = VIRTUAL, **fields: Any) -> Node:
    return a_virtual_node(name, annotations={names.GATE: word}, **fields)


def answers(decided: Plan) -> dict[str, str]:
    """The kind of each pod's decision, by the pod's name."""
    return {each.pod.metadata.name: type(each).__name__ for each in decided.decisions}


def codes(decision: Decision) -> list[str]:
    assert isinstance(decision, Wait | Refuse)
    return [each.code for each in decision.reasons]


@pytest.mark.parametrize(
    ("word", "default", "mode"),
    [
        pytest.param("", "auto", "auto", id="nothing said"),
        pytest.param("", "observe", "observe", id="nothing said, the setting holds"),
        pytest.param("open", "closed", "open", id="the node's word wins"),
        pytest.param(" auto ", "closed", "auto", id="with blanks"),
        pytest.param("Open", "auto", "closed", id="capitals mean nothing"),
        pytest.param("shut", "open", "closed", id="an unknown word closes"),
    ],
)
def test_the_mode_is_the_nodes_word_or_the_setting(word: str, default: Mode, mode: Mode) -> None:
    assert mode_of(gated(word), default=default) == mode


@pytest.mark.parametrize("word", ["", "auto", "closed", "open", "observe"])
def test_a_good_word_is_no_fault(word: str) -> None:
    assert fault_of(gated(word)) is None


def test_an_unknown_word_is_a_fault_that_names_the_mend() -> None:
    fault = fault_of(gated("shut"))
    assert fault is not None
    assert fault.message == (
        'annotation spillway.dev/gate is "shut", so the gate is closed; write auto, closed, open, observe'
    )


def test_a_closed_gate_gives_nothing_takes_back_what_it_gave_and_leaves_what_runs() -> None:
    granted, running = a_pressing_pod("granted"), a_pod("running", node=VIRTUAL, phase="Running")
    decided = planned(granted, running, nodes=(gated("closed"),), grants={VIRTUAL: (a_grant(granted),)})
    assert decided.decisions == ()
    assert [(each.grants, each.room) for each in decided.openings] == [((), ONE_RUNS)]


def test_behind_a_closed_gate_a_pod_is_told_so() -> None:
    assert codes(only(planned(a_pressing_pod(), nodes=(gated("closed"),)))) == ["GateClosed"]


def test_behind_a_closed_gate_a_pod_that_fargate_cannot_run_is_told_that() -> None:
    decision = only(planned(a_pressing_pod(), nodes=(gated("closed"),), refusals=not_runnable))
    assert isinstance(decision, Refuse)
    assert decision.reasons == IMPOSSIBLE


def test_a_closed_node_leaves_the_others_open() -> None:
    decision = only(planned(a_pressing_pod(), nodes=(gated("closed", "v1"), a_virtual_node("v2"))))
    assert isinstance(decision, Burst)
    assert decision.node == "v2"


def test_a_pod_whose_grant_was_taken_back_gets_another_only_when_the_node_no_longer_shows_it() -> None:
    pod, nodes = a_pressing_pod(), (gated("closed", "v1"), a_virtual_node("v2"))
    assert planned(pod, nodes=nodes, grants={"v1": (a_grant(pod),)}).decisions == ()
    assert answers(planned(pod, nodes=nodes, grants={"v1": ()})) == {"web-1": "Burst"}


WAITING = [
    pytest.param(a_pressing_pod(uid="u", annotations={names.MAX_WAIT: "1h"}), {}, id="its max-wait"),
    pytest.param(
        a_pressing_pod(uid="u", status={**unschedulable(), "nominatedNodeName": "ec2-0"}), {}, id="nominated"
    ),
    pytest.param(a_pressing_pod(uid="u"), {"u": Lapses(9, NOON, (VIRTUAL,))}, id="held off"),
]


@pytest.mark.parametrize(("pod", "lapses"), WAITING)
def test_at_an_open_gate_nobody_waits_for_time_to_pass(pod: Pod, lapses: Any) -> None:
    assert not isinstance(only(planned(pod, lapses=lapses)), Burst)
    assert isinstance(only(planned(pod, lapses=lapses, nodes=(gated("open"),))), Burst)


def test_at_an_open_gate_refusals_hold() -> None:
    decision = only(planned(a_pressing_pod(), nodes=(gated("open"),), refusals=not_runnable))
    assert isinstance(decision, Refuse)


def test_at_an_open_gate_budgets_hold() -> None:
    config = GateConfig(gate="open", budget=Limits(pods=0))
    assert codes(only(planned(a_pressing_pod(), config=config))) == ["BudgetPods"]


def test_an_open_node_that_is_not_ready_gives_nothing() -> None:
    patient = a_pressing_pod(annotations={names.MAX_WAIT: "1h"})
    assert codes(only(planned(patient, nodes=(gated("open", ready=False),)))) == ["NoVirtualNodeReady"]


def test_who_may_only_wait_on_an_automatic_node_goes_to_the_open_one() -> None:
    patient = a_pressing_pod(annotations={names.MAX_WAIT: "1h"})
    decision = only(planned(patient, nodes=(a_virtual_node("v1"), gated("open", "v2"))))
    assert isinstance(decision, Burst)
    assert decision.node == "v2"


def test_a_gate_that_observes_stays_shut_and_says_who_would_have_burst_and_for_how_much() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, config=OBSERVE)
    decision = only(decided)
    assert isinstance(decision, WouldBurst)
    assert decision.cost is not None
    assert (decision.node, decision.cost.vcpu, round(decision.cost.hourly, 6)) == (VIRTUAL, 0.5, 0.024685)
    assert [(each.grants, each.room) for each in decided.openings] == [((), CLOSED)]


def test_a_gate_that_observes_takes_back_what_it_gave() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, config=OBSERVE, grants={VIRTUAL: (a_grant(pod),)})
    assert (decided.decisions, decided.openings[0].grants) == ((), ())


def test_an_observed_pod_is_told_of_once() -> None:
    pod = a_pressing_pod()
    first = planned(pod, config=OBSERVE)
    assert planned(pod, config=OBSERVE, memory=first.memory).decisions == ()


def test_an_observed_pod_waits_as_it_would() -> None:
    patient = a_pressing_pod(annotations={names.MAX_WAIT: "1h"})
    assert codes(only(planned(patient, config=OBSERVE))) == ["MaxWait"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(a_pressing_pod("a", uid="a"), "Wait", id="still waiting: it would be running"),
        pytest.param(a_pod("a", uid="a", node="ec2-0"), "WouldBurst", id="bound to a real node"),
        pytest.param(a_pod("a", uid="a", phase="Failed"), "WouldBurst", id="ended"),
    ],
)
def test_an_observed_pod_counts_in_the_budget_until_it_is_bound_or_gone(first: Pod, second: str) -> None:
    config = GateConfig(gate="observe", budget=Limits(pods=1))
    memory = Memory(observed={first.uid: Observed(VIRTUAL, None)})
    decided = planned(first, a_pressing_pod("b"), config=config, memory=memory)
    assert answers(decided) == {"b": second}


def test_pods_that_really_run_on_fargate_count_beside_the_observed() -> None:
    config = GateConfig(gate="observe", budget=Limits(pods=2))
    running = a_pod("running", node=VIRTUAL, phase="Running")
    decided = planned(running, a_pressing_pod("a"), a_pressing_pod("b"), config=config)
    assert sorted(answers(decided).values()) == ["Wait", "WouldBurst"]


def test_what_is_observed_on_one_node_takes_nothing_from_the_budget_of_the_others() -> None:
    observed = a_pressing_pod("observed", uid="o")
    decided = planned(
        observed,
        a_pressing_pod("b"),
        nodes=(gated("observe", "v1"), a_virtual_node("v2")),
        config=GateConfig(budget=Limits(pods=1)),
        memory=Memory(observed={observed.uid: Observed("v1", None)}),
    )
    assert answers(decided) == {"b": "Burst"}
    assert decided.balances[0].spent.pods == 1


def test_what_was_observed_bursts_once_the_gate_does_more_than_observe() -> None:
    pod = a_pressing_pod()
    decided = planned(pod, memory=planned(pod, config=OBSERVE).memory)
    assert answers(decided) == {"web-1": "Burst"}
    assert decided.memory.observed == {}


def test_a_real_place_is_better_than_an_observed_one() -> None:
    decision = only(planned(a_pressing_pod(), nodes=(gated("observe", "v1"), a_virtual_node("v2"))))
    assert isinstance(decision, Burst)
    assert decision.node == "v2"


def test_a_thousand_pods_are_observed_without_a_queue() -> None:
    pods = [a_pressing_pod(f"web-{each}") for each in range(1000)]
    decided = planned(*pods, config=GateConfig(gate="observe", max_grants=1))
    assert set(answers(decided).values()) == {"WouldBurst"}
    assert len(decided.decisions) == 1000


@pytest.mark.parametrize("mode", ["auto", "open", "observe"])
def test_a_budget_that_means_nothing_refuses_and_names_the_mend(mode: Mode) -> None:
    shop = a_namespace(annotations={names.MAX_PODS: "lots"})
    decision = only(planned(a_pressing_pod(), namespaces={"shop": shop}, config=GateConfig(gate=mode)))
    assert isinstance(decision, Refuse)
    (reason,) = decision.reasons
    assert reason.message == (
        'the namespace\'s annotation spillway.dev/max-pods is "lots", which is no number; write for instance '
        "20, or remove it"
    )


def test_a_refusal_names_the_pods_faults_and_the_budgets() -> None:
    shop = a_namespace(annotations={names.MAX_PODS: "lots"})
    decision = only(planned(a_pressing_pod(), namespaces={"shop": shop}, refusals=not_runnable))
    assert codes(decision) == ["HostNetwork", "Privileged", "InvalidBudget"]


def test_a_grant_is_taken_back_where_the_budget_no_longer_means_anything() -> None:
    pod, shop = a_pressing_pod(), a_namespace(annotations={names.MAX_PODS: "lots"})
    decided = planned(pod, namespaces={"shop": shop}, grants={VIRTUAL: (a_grant(pod),)})
    assert decided.openings[0].grants == ()


def test_a_lowered_budget_stops_nothing_that_runs() -> None:
    running = [a_pod(f"web-{each}", node=VIRTUAL, phase="Running") for each in range(3)]
    decided = planned(*running, a_pressing_pod("new"), config=GateConfig(budget=Limits(pods=1)))
    assert decided.openings[0].room.cpu_milli == 3 * ONE_RUNS.cpu_milli
    assert answers(decided) == {"new": "Wait"}


def test_an_expired_grant_is_spent_until_its_pod_can_no_longer_land() -> None:
    bound_late = a_pressing_pod("late")
    grants = {VIRTUAL: (a_grant(bound_late, expires=NOON - timedelta(seconds=1)),)}
    config = GateConfig(budget=Limits(pods=1))
    assert answers(planned(bound_late, a_pressing_pod("b"), grants=grants, config=config)) == {"b": "Wait"}


def test_a_pod_that_is_granted_and_bound_is_spent_once() -> None:
    bound = a_pod("bound", node=VIRTUAL)
    decided = planned(bound, grants={VIRTUAL: (a_grant(bound),)})
    assert decided.balances[0].spent.pods == 1
