"""What is said of one pod beside its state: price, task, the way home, budgets, and Events."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import NOT_TAKEN, REAL_NODE_FIRST, GateConfig
from app.extender.homing.config import ReturnConfig
from app.extender.insight.explanation import asks_controller, explain_pod
from app.extender.insight.policy import Policy
from app.model import names
from app.model.event import Event
from app.model.offer import written_offer
from app.model.replicas import Replicas
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, opted_in_toleration, owned_by
from tests.extender.fakes import a_namespace, a_pressing_pod
from tests.extender.homing.returns import a_trial, an_overflow_pod
from tests.extender.insight.fates import CRASHED, ended, status_of, waiting
from tests.extender.insight.look import a_look, codes, later, not_runnable

SINCE = {"conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": NOON.isoformat()}]}
LIVE = msgspec.structs.replace(
    SHIPPED_OFFER,
    rates=msgspec.structs.replace(SHIPPED_OFFER.rates, source="live", region="eu-west-1"),
    at=NOON,
)
HOUR_LATER = later(3600)
WAITS = {"annotations": {names.MAX_WAIT: "1h"}}
ON = {"node": VIRTUAL, "status": {**status_of({"running": {}}), **SINCE}}


def an_event(reason: str, *, by: str = "spillway-extender", at: float = 0, **fields: Any) -> Event:
    body = {"reason": reason, "reportingComponent": by, "lastTimestamp": later(at).isoformat(), **fields}
    return msgspec.convert(body, Event)


def test_the_price_is_the_virtual_nodes_and_says_so() -> None:
    pod = a_pressing_pod()
    node = a_virtual_node(annotations={names.OFFER: written_offer(LIVE)})
    price = explain_pod(pod, a_look(pod, nodes=(node,))).price
    assert price is not None
    assert (price.source, price.region, price.at) == ("live", "eu-west-1", NOON)
    assert price.hourly == pytest.approx(0.5 * 0.04048 + 1 * 0.004445)


def test_without_a_virtual_node_the_price_is_the_tables() -> None:
    pod = a_pressing_pod()
    price = explain_pod(pod, a_look(pod, nodes=())).price
    assert price is not None
    assert price.source == "table"


def test_a_size_that_fargate_does_not_sell_has_no_price() -> None:
    pod = a_pressing_pod(cpu="99")
    assert explain_pod(pod, a_look(pod)).price is None


def test_an_overflow_pod_says_what_it_has_cost_so_far() -> None:
    noted = {names.ATTEMPT_OF: "u1", names.TASK_ARN: "arn:1"}
    pod = a_pod(node=VIRTUAL, uid="u1", status=SINCE, annotations=noted)
    found = explain_pod(pod, a_look(pod, now=HOUR_LATER))
    assert found.price is not None
    assert found.spent == pytest.approx(found.price.hourly)


def test_the_task_is_the_one_that_was_noted_for_this_very_pod() -> None:
    noted = {names.TASK_ARN: "arn:1", names.ATTEMPT: "2", names.ATTEMPTED_ON: "spot"}
    own = a_pod(node=VIRTUAL, uid="u1", annotations={**noted, names.ATTEMPT_OF: "u1"})
    copied = a_pod(node=VIRTUAL, uid="u2", annotations={**noted, names.ATTEMPT_OF: "u1"})
    task = explain_pod(own, a_look(own)).task
    assert task is not None
    assert (task.arn, task.attempt, task.capacity) == ("arn:1", "2", "spot")
    assert explain_pod(copied, a_look(copied)).task is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({}, "GoesHome", id="room"),
        pytest.param({"nodes": (a_virtual_node(),)}, "NoRoom", id="no-room"),
        pytest.param({"policy": Policy(returns=None)}, "ReturnsOff", id="off"),
        pytest.param(
            {"policy": Policy(returns=ReturnConfig(after=timedelta(hours=2)))}, "RecentlyReady", id="young"
        ),
    ],
)
def test_why_an_overflow_pod_is_not_home(fields: dict[str, Any], code: str) -> None:
    pod = an_overflow_pod()
    home = explain_pod(pod, a_look(pod, now=HOUR_LATER, **fields)).home
    assert home is not None
    assert home.code == code


@pytest.mark.parametrize(
    ("replicas", "code"),
    [
        pytest.param(Replicas(wanted=3, ready=3), "GoesHome", id="enough"),
        pytest.param(Replicas(wanted=3, ready=1), "TooFewReady", id="the-last-one"),
        pytest.param(None, "ControllerGone", id="gone"),
        pytest.param("unasked", "GoesHome", id="unasked"),
    ],
)
def test_its_controller_has_the_last_word(replicas: Any, code: str) -> None:
    pod = an_overflow_pod()
    seen = a_look(pod, now=HOUR_LATER)
    home = explain_pod(pod, seen, replicas=replicas).home
    assert home is not None
    assert home.code == code


def test_returns_that_went_wrong_are_read_from_the_node() -> None:
    pod = an_overflow_pod()
    trial = a_trial(state="struck", strikes=3, struck=later(3500))
    node = a_virtual_node(annotations={names.RETURNS: msgspec.json.encode((trial,)).decode()})
    home = explain_pod(pod, a_look(pod, nodes=(node, a_node()), now=HOUR_LATER)).home
    assert home is not None
    assert home.code == "HeldOff"
    assert "went wrong 3 times" in home.message


def test_only_a_controllers_overflow_pod_has_it_asked() -> None:
    overflow, bare, real = an_overflow_pod(), a_pod(node=VIRTUAL), a_pod("web-2", node="ec2-0")
    seen = a_look(overflow, bare, real)
    assert [asks_controller(pod, seen) for pod in (overflow, bare, real)] == [True, False, False]


def test_the_budgets_that_it_draws_on_are_shown_with_what_is_spent() -> None:
    pod, running = a_pressing_pod(), a_pod("web-0", node=VIRTUAL)
    spaces = {
        "shop": a_namespace(annotations={names.MAX_VCPU: "4"}),
        "other": a_namespace("other", annotations={names.MAX_PODS: "1"}),
    }
    policy = Policy(gate=GateConfig(budget=Limits(pods=5)))
    found = explain_pod(pod, a_look(pod, running, namespaces=spaces, policy=policy)).budgets
    assert [(each.whose, each.pods, each.most_pods, each.vcpu, each.most_vcpu) for each in found] == [
        ("cluster", 1, 5, 0.5, None),
        ("namespace shop", 1, None, 0.5, 4.0),
    ]


def test_how_full_its_nodes_are_is_shown() -> None:
    pod, other = a_pressing_pod(), a_pod("web-0", node="ec2-0", cpu="1900m")
    level = explain_pod(pod, a_look(pod, other)).level
    assert level is not None
    assert (level.nodes, level.pending, level.cpu, level.high) == (1, 1, 0.95, True)


@pytest.mark.parametrize(
    ("pod", "codes_told"),
    [
        pytest.param(a_pod(node="ec2-0", tolerations=[opted_in_toleration()]), ["HostNetwork"], id="on-node"),
        pytest.param(
            a_pod(node="ec2-0", namespace="other"), ["NamespaceNotOptedIn", "HostNetwork"], id="stranger"
        ),
        pytest.param(a_pressing_pod(namespace="other"), ["HostNetwork"], id="not-opted-in"),
        pytest.param(a_pressing_pod(), [], id="decided-about"),
    ],
)
def test_a_pod_that_does_not_press_is_told_what_would_keep_it(pod: Any, codes_told: list[str]) -> None:
    found = explain_pod(pod, a_look(pod, refusals=not_runnable))
    assert sorted(codes(found.bars)) == sorted(codes_told)


def test_a_pod_that_the_webhook_did_not_see_would_not_burst() -> None:
    pod = a_pod(node="ec2-0")
    assert codes(explain_pod(pod, a_look(pod)).bars) == ["NotPrepared"]


def test_events_are_ours_the_latest_first_and_not_too_many() -> None:
    pod = a_pressing_pod()
    events = [an_event(f"E{n}", at=n) for n in range(7)]
    stranger = an_event("FailedScheduling", by="default-scheduler", at=99)
    found = explain_pod(pod, a_look(pod), events=[*events, stranger])
    assert [each.reason for each in found.said] == ["E6", "E5", "E4", "E3", "E2"]


@pytest.mark.parametrize(
    ("fields", "then"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"policy": Policy(gate=GateConfig(budget=Limits(pods=0)))}, ["BudgetPods"], id="budget"),
    ],
)
def test_what_would_keep_a_waiting_pod_later_is_told_now(fields: dict[str, Any], then: list[str]) -> None:
    pod = a_pressing_pod(annotations={names.MAX_WAIT: "1h"})
    found = explain_pod(pod, a_look(pod, **fields))
    assert (codes(found.reasons), codes(found.then)) == (["MaxWait"], then)


def test_grants_that_were_left_unused_are_known_from_what_the_leader_said() -> None:
    pod = a_pressing_pod()
    refused = an_event("OverflowRefused", message=NOT_TAKEN.message)
    found = explain_pod(pod, a_look(pod), events=[refused, an_event("Noticed", at=1)])
    assert (found.state, codes(found.reasons)) == ("refused", ["GrantsUnused"])


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="nothing-said"),
        pytest.param([an_event("OverflowRefused", message="else")], id="said-else"),
        pytest.param(
            [
                an_event("OverflowRefused", message=NOT_TAKEN.message),
                an_event("OverflowWaiting", at=1, message="later"),
            ],
            id="said-else-since",
        ),
    ],
)
def test_a_pod_that_nothing_keeps_is_due(events: list[Event]) -> None:
    pod = a_pressing_pod()
    assert explain_pod(pod, a_look(pod), events=events).state == "due"


def test_an_event_of_the_older_form_is_read_as_well() -> None:
    pod = a_pressing_pod()
    event = msgspec.convert(
        {"reason": "WouldBurst", "source": {"component": "spillway-extender"}, "count": 4}, Event
    )
    [said] = explain_pod(pod, a_look(pod), events=[event]).said
    assert (said.by, said.times, said.at) == ("spillway-extender", 4, None)


def test_what_was_assumed_and_not_read_is_said() -> None:
    pod = a_pressing_pod()
    found = explain_pod(pod, a_look(pod, is_published=False, unread=("nodeclaims",), gate_lease=None))
    assert (found.assumed, found.unread, found.led) == (True, ("nodeclaims",), False)


def test_only_virtual_nodes_that_its_words_let_it_onto_are_shown() -> None:
    pod = a_pressing_pod(nodeSelector={"zone": "b"})
    nodes = (a_virtual_node("v-a", labels={"zone": "a"}), a_virtual_node("v-b", labels={"zone": "b"}))
    assert [each.node for each in explain_pod(pod, a_look(pod, nodes=nodes)).gates] == ["v-b"]


def test_a_daemon_sets_pod_has_no_price() -> None:
    pod = a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet"))
    assert explain_pod(pod, a_look(pod)).price is None


@pytest.mark.parametrize(
    ("event", "fields", "past"),
    [
        pytest.param(an_event("OverflowWaiting", message=REAL_NODE_FIRST.message), WAITS, False, id="waits"),
        pytest.param(an_event("OverflowWaiting", message="for something else"), WAITS, True, id="waits-else"),
        pytest.param(an_event("OverflowRefused", message="once"), WAITS, True, id="was-refused"),
        pytest.param(an_event("WouldBurst", message="to fargate"), WAITS, True, id="observes-no-more"),
        pytest.param(an_event("Bursting", message="to fargate"), WAITS, True, id="lost-its-grant"),
        pytest.param(an_event("Bursting", message="to fargate"), {}, False, id="bursts"),
        pytest.param(an_event("OverflowWaiting", message="long"), {}, True, id="waits-no-more"),
        pytest.param(
            an_event("FargateNoCapacity", message="none", by="spillway-bridge"), ON, True, id="runs"
        ),
        pytest.param(an_event("Started", message="it", by="spillway-bridge"), ON, False, id="started"),
    ],
)
def test_an_event_of_a_cause_that_has_gone_is_marked(
    event: Event, fields: dict[str, Any], past: bool
) -> None:
    pod = a_pressing_pod(**fields)
    [said] = explain_pod(pod, a_look(pod), events=[event]).said
    assert said.past is past


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param(status_of(waiting("CrashLoopBackOff"), last=CRASHED), "failing", id="failing"),
        pytest.param({"phase": "Failed", "reason": "NotScheduled"}, "rejected", id="rejected"),
        pytest.param(status_of(ended(4), phase="Failed"), "failed", id="failed"),
    ],
)
def test_a_pod_that_does_not_run_on_fargate_is_in_a_state_of_its_own(
    status: dict[str, Any], state: str
) -> None:
    pod = a_pod(node=VIRTUAL, status=status | SINCE)
    found = explain_pod(pod, a_look(pod, now=HOUR_LATER))
    assert (found.state, found.node) == (state, VIRTUAL)


def test_without_a_task_nothing_is_spent() -> None:
    pod = a_pod(node=VIRTUAL, status=SINCE)
    assert explain_pod(pod, a_look(pod, now=HOUR_LATER)).spent is None


def test_what_observed_pods_would_take_stands_beside_what_is_spent() -> None:
    pods = [a_pressing_pod(f"web-{n}") for n in range(2)]
    node = a_virtual_node(annotations={names.GATE: "observe"})
    policy = Policy(gate=GateConfig(budget=Limits(pods=2)))
    seen = a_look(*pods, a_pod("web-9", node=VIRTUAL), nodes=(node,), policy=policy)
    [budget] = explain_pod(pods[1], seen).budgets
    assert (budget.pods, budget.observed_pods, budget.most_pods) == (1, 1, 2)


@pytest.mark.parametrize(
    ("fields", "alone"),
    [
        pytest.param({}, False, id="any"),
        pytest.param({"labels": {names.OVERFLOW: "required"}}, True, id="required"),
        pytest.param({"nodeSelector": {"type": "virtual-kubelet"}}, True, id="selects-virtual-nodes"),
        pytest.param({"nodeSelector": {"gpu": "yes"}}, False, id="selects-neither"),
    ],
)
def test_who_asks_for_fargate_alone_is_known(fields: dict[str, Any], alone: bool) -> None:
    pod = a_pressing_pod(**fields)
    nodes = (a_virtual_node(labels={"type": "virtual-kubelet"}), a_node())
    assert explain_pod(pod, a_look(pod, nodes=nodes)).alone is alone


@pytest.mark.parametrize(
    ("metadata", "labels", "mend"),
    [
        pytest.param(
            owned_by("ReplicaSet", "web-5d8f"),
            {"pod-template-hash": "5d8f"},
            "kubectl rollout restart -n other deployment/web)",
            id="deployment",
        ),
        pytest.param(
            owned_by("StatefulSet", "db"),
            {},
            "kubectl rollout restart -n other statefulset/db)",
            id="stateful",
        ),
        pytest.param(owned_by("Job", "report"), {}, "kubectl delete pod -n other web-1)", id="job"),
        pytest.param({}, {}, "then delete the pod and make it anew", id="bare"),
    ],
)
def test_the_mend_of_a_pod_that_is_not_opted_in_says_how_it_is_made_anew(
    metadata: dict[str, Any], labels: dict[str, str], mend: str
) -> None:
    pod = a_pressing_pod(namespace="other", metadata=metadata | {"labels": labels})
    [reason] = explain_pod(pod, a_look(pod)).reasons
    assert "kubectl label --overwrite namespace other spillway.dev/overflow=enabled, then" in reason.message
    assert mend in reason.message
