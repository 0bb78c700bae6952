"""Every state that a pod can be in is told from every other, with its reasons."""

from datetime import timedelta
from typing import Any

import pytest

from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.preference import preferences_of
from app.extender.insight.policy import Policy
from app.extender.insight.seen import Seen
from app.extender.insight.situation import situation_of
from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, opted_in_toleration, owned_by
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod, granting
from tests.extender.insight.look import a_lease, a_look, codes, later, not_runnable

BOUND = {"conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": NOON.isoformat()}]}
GATED = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}
ERROR = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulerError", "message": "no volume"}
    ]
}
POD = a_pressing_pod(uid="u1")
GANG = a_pressing_pod(labels={"scheduling.x-k8s.io/pod-group": "ring"})
BROKE = Policy(gate=GateConfig(budget=Limits(pods=0)))


def virtual(**annotations: str) -> tuple[Any, ...]:
    return (a_virtual_node(annotations={f"spillway.dev/{key}": value for key, value in annotations.items()}),)


@pytest.mark.parametrize(
    ("pod", "seen", "state", "reasons"),
    [
        pytest.param(
            a_pressing_pod(namespace="other"),
            a_look(),
            "not-opted-in",
            ["NamespaceNotOptedIn"],
            id="namespace-unknown",
        ),
        pytest.param(
            POD,
            a_look(POD, namespaces={"shop": a_namespace(labels={})}),
            "not-opted-in",
            ["NamespaceNotOptedIn"],
            id="namespace-not-opted-in",
        ),
        pytest.param(
            a_pressing_pod(namespace="kube-system"),
            a_look(),
            "not-opted-in",
            ["NamespaceLeftOut"],
            id="kubernetes-own-namespace",
        ),
        pytest.param(
            a_pressing_pod(namespace="sys"),
            a_look(namespace="sys"),
            "not-opted-in",
            ["NamespaceLeftOut"],
            id="our-own-namespace",
        ),
        pytest.param(
            POD,
            a_look(POD, namespaces={"shop": a_namespace(labels={names.OVERFLOW: names.PERMITTED})}),
            "not-opted-in",
            ["PodNotOptedIn"],
            id="pod-not-opted-in",
        ),
        pytest.param(
            a_pressing_pod(labels={names.OVERFLOW: names.DISABLED}),
            a_look(),
            "not-opted-in",
            ["PodOptedOut"],
            id="pod-opted-out",
        ),
        pytest.param(a_pod(node="ec2-0", status=BOUND), a_look(), "on-node", [], id="on-node"),
        pytest.param(a_pod(node=VIRTUAL, status=BOUND), a_look(), "on-fargate", [], id="on-fargate"),
        pytest.param(a_pod(node=VIRTUAL, phase="Succeeded"), a_look(), "ended", [], id="ended"),
        pytest.param(
            a_pod(metadata={"deletionTimestamp": NOON.isoformat()}), a_look(), "leaving", [], id="leaving"
        ),
        pytest.param(
            a_pressing_pod(metadata=owned_by("DaemonSet")),
            a_look(refusals=not_runnable),
            "daemon-set",
            ["HostNetwork"],
            id="daemon-set",
        ),
        pytest.param(
            a_pod(schedulingGates=[{"name": "quota"}], status=GATED),
            a_look(),
            "gated",
            ["SchedulingGated"],
            id="gated",
        ),
        pytest.param(a_pod(), a_look(), "unscheduled", ["NotTried"], id="not-tried-yet"),
        pytest.param(a_pod(status=ERROR), a_look(), "unscheduled", ["NotTried"], id="scheduler-error"),
        pytest.param(POD, a_look(POD), "due", [], id="due"),
        pytest.param(POD, a_look(POD, gate_lease=None), "waiting", ["NoLeader"], id="due-but-nobody-leads"),
        pytest.param(POD, a_look(POD, nodes=virtual(gate="observe")), "observed", [], id="observed"),
        pytest.param(POD, a_look(POD, nodes=virtual(gate="closed")), "waiting", ["GateClosed"], id="closed"),
        pytest.param(
            POD,
            a_look(POD, nodes=(a_virtual_node(ready=False),)),
            "waiting",
            ["NoVirtualNodeReady"],
            id="no-node-ready",
        ),
        pytest.param(POD, a_look(POD, policy=BROKE), "waiting", ["BudgetPods"], id="over-budget"),
        pytest.param(POD, a_look(POD, refusals=not_runnable), "refused", ["HostNetwork"], id="refused"),
        pytest.param(GANG, a_look(GANG), "refused", ["Gang"], id="gang"),
    ],
)
def test_the_state_of_a_pod(pod: Pod, seen: Seen, state: str, reasons: list[str]) -> None:
    found = situation_of(pod, seen)
    assert (found.state, codes(found.reasons)) == (state, reasons)


def test_a_wait_says_since_when_and_until_when() -> None:
    pod = a_pressing_pod(annotations={names.MAX_WAIT: "90s"})
    found = situation_of(pod, a_look(pod, now=later(30)))
    assert (found.state, found.since, found.until) == ("waiting", NOON, later(90))


def test_the_wait_is_the_published_one_where_the_pod_says_none() -> None:
    policy = Policy(gate=GateConfig(max_wait=timedelta(minutes=5)))
    assert situation_of(POD, a_look(POD, policy=policy)).until == later(300)


def test_the_priority_classes_are_the_published_ones() -> None:
    policy = Policy(gate=GateConfig(preferences=preferences_of(["batch=wait"])))
    pod = a_pressing_pod(priorityClassName="batch")
    assert codes(situation_of(pod, a_look(pod, policy=policy)).reasons) == ["PriorityWaits"]


def test_a_grant_is_shown_with_its_node_and_its_end() -> None:
    node = a_virtual_node(annotations=granting(a_grant(POD)))
    found = situation_of(POD, a_look(POD, nodes=(node,)))
    assert (found.state, found.node, found.until) == ("granted", VIRTUAL, later(60))


def test_an_expired_grant_is_none() -> None:
    node = a_virtual_node(annotations=granting(a_grant(POD)))
    assert situation_of(POD, a_look(POD, nodes=(node,), now=later(90))).state == "due"


def test_a_grant_that_is_being_taken_back_says_what_takes_it() -> None:
    node = a_virtual_node(annotations={**granting(a_grant(POD)), names.GATE: "closed"})
    found = situation_of(POD, a_look(POD, nodes=(node,)))
    assert (found.state, codes(found.reasons)) == ("waiting", ["GrantWithdrawn", "GateClosed"])


def test_every_refusal_is_told() -> None:
    pod = a_pressing_pod(
        labels={"scheduling.x-k8s.io/pod-group": "ring"}, annotations={names.MAX_WAIT: "soon"}
    )
    found = situation_of(pod, a_look(pod, refusals=not_runnable))
    assert codes(found.reasons) == ["InvalidMaxWait", "HostNetwork", "Gang"]


def test_a_pod_that_asks_for_other_nodes_is_told_so() -> None:
    pod = a_pressing_pod(nodeSelector={"disk": "fast"})
    real = a_node(labels={"disk": "fast"})
    found = situation_of(pod, a_look(pod, nodes=(a_virtual_node(), real)))
    assert (found.state, codes(found.reasons)) == ("refused", ["AsksForOtherNodes"])


def test_a_pod_that_the_webhook_did_not_see_is_told_so() -> None:
    pod = a_pressing_pod(tolerations=[])
    assert codes(situation_of(pod, a_look(pod)).reasons) == ["NotPrepared"]


def test_a_scheduler_error_is_told_in_its_own_words() -> None:
    [reason] = situation_of(a_pod(status=ERROR), a_look()).reasons
    assert "SchedulerError: no volume" in reason.message


def test_the_command_that_opts_in_is_named() -> None:
    pod = a_pressing_pod(namespace="other", labels={names.OVERFLOW: names.ENABLED})
    [reason] = situation_of(pod, a_look(pod)).reasons
    assert "kubectl label --overwrite namespace other spillway.dev/overflow=enabled" in reason.message
    assert "the pod's own label counts only then" in reason.message


def test_a_stale_lease_leads_nobody() -> None:
    seen = a_look(POD, gate_lease=a_lease(renewed=later(-26)))
    assert situation_of(POD, seen).state == "waiting"


def test_a_lease_within_the_difference_of_two_clocks_leads() -> None:
    assert a_look(gate_lease=a_lease(renewed=later(-24))).is_led
    assert a_look(gate_lease=a_lease(renewed=later(5))).is_led


def test_a_released_lease_leads_nobody() -> None:
    assert not a_look(gate_lease=a_lease("")).is_led


TOLERATES = [opted_in_toleration()]


def test_a_daemon_sets_pod_on_the_virtual_node_is_no_overflow() -> None:
    pod = a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet"), tolerations=TOLERATES)
    assert situation_of(pod, a_look(pod)).state == "daemon-set"


def test_a_pod_that_changed_while_we_looked_is_not_judged() -> None:
    pod = a_pressing_pod()
    found = situation_of(pod, a_look())
    assert (found.state, codes(found.reasons)) == ("unscheduled", ["ChangedMeanwhile"])
