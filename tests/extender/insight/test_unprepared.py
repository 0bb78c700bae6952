"""Pods that were created while the webhook did not run."""

from datetime import timedelta
from typing import Any

import pytest

from app.extender.insight.troubles import troubles
from app.extender.insight.unprepared import unprepared, webhook_missed
from app.model.actuator import SCHEDULER, TOLERATION, Actuator
from app.model.names import OVERFLOW
from app.model.pod import Pod
from app.model.reason import Reason
from app.webhook.mutation import PREFER_REAL
from tests.builders import NOON, a_pod, opted_in_toleration
from tests.extender.fakes import ENABLED, a_namespace
from tests.extender.insight.look import a_look

SOON = NOON + timedelta(minutes=5)
ONLY_VIRTUAL = {"key": "type", "operator": "In", "values": ["virtual-kubelet"]}
CONFINED = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [ONLY_VIRTUAL]}]
        }
    }
}
PREFERRED = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [PREFER_REAL]}}
BOUND = {"conditions": [{"type": "PodScheduled", "status": "True"}]}


def runnable(pod: Pod) -> tuple[Reason, ...]:
    return ()


def found(*pods: Pod, actuator: Actuator = SCHEDULER, minutes: int = 5, **changes: Any) -> list[str]:
    changes = {"refusals": runnable, "namespaces": ENABLED, "own": "spillway", **changes}
    now = NOON + timedelta(minutes=minutes)
    return [pod.metadata.name for pod in unprepared(pods, actuator=actuator, now=now, **changes)]


def required(name: str = "only", **fields: Any) -> Pod:
    return a_pod(name, labels={OVERFLOW: "required"}, **fields)


def test_a_pod_without_the_toleration_was_not_prepared() -> None:
    assert found(a_pod("bare"), a_pod("prepared", tolerations=[opted_in_toleration()])) == ["bare"]


def test_with_the_other_actuator_the_affinity_tells() -> None:
    bare, prepared = a_pod("bare"), a_pod("prepared", affinity=PREFERRED)
    assert found(bare, prepared, actuator=TOLERATION) == ["bare"]


def test_a_pod_that_must_overflow_and_landed_on_a_real_node_is_found_however_old_it_is() -> None:
    landed = required(node="ec2-0", status=BOUND)
    assert found(landed, minutes=60 * 24) == ["only"]


def test_a_pod_that_must_overflow_needs_more_than_the_toleration() -> None:
    tolerations = [opted_in_toleration()]
    bare = required("bare", tolerations=tolerations)
    prepared = required("prepared", tolerations=tolerations, affinity=CONFINED)
    assert found(bare, prepared) == ["bare"]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod(namespace="other"), id="of a namespace without the label"),
        pytest.param(a_pod(labels={OVERFLOW: "disabled"}), id="opted out"),
        pytest.param(a_pod(labels={OVERFLOW: "ture"}), id="whose label means nothing"),
        pytest.param(a_pod(annotations={"spillway.dev/max-wait": "soon"}), id="whose wait means nothing"),
        pytest.param(a_pod(phase="Succeeded"), id="that has ended"),
        pytest.param(a_pod(metadata={"deletionTimestamp": NOON.isoformat()}), id="that is being deleted"),
        pytest.param(a_pod(node="ec2-0", status=BOUND), id="that may run on the real node where it is"),
        pytest.param(required(node="ec2-0"), id="that named its node itself"),
        pytest.param(
            a_pod(
                metadata={
                    "ownerReferences": [
                        {
                            "apiVersion": "apps/v1",
                            "kind": "DaemonSet",
                            "name": "d",
                            "uid": "u",
                            "controller": True,
                        }
                    ]
                }
            ),
            id="of a DaemonSet",
        ),
    ],
)
def test_a_pod_that_the_webhook_leaves_alone_says_nothing(pod: Pod) -> None:
    assert found(pod) == []


@pytest.mark.parametrize("name", ["kube-system", "spillway"])
def test_a_pod_of_a_namespace_that_the_webhook_is_never_asked_about_says_nothing(name: str) -> None:
    assert found(required(namespace=name), namespaces={name: a_namespace(name)}) == []


def test_a_pod_that_fargate_cannot_run_says_nothing() -> None:
    refused = (Reason("HostNetwork", "Fargate has no host"),)
    assert found(a_pod(), refusals=lambda _: refused) == []


def test_after_an_hour_a_pod_without_a_node_speaks_of_itself_alone() -> None:
    assert found(a_pod("bare"), minutes=60) == ["bare"]
    assert found(a_pod("bare"), minutes=61) == []


def test_the_trouble_names_the_oldest_and_since_when_and_the_mend() -> None:
    later = (NOON + timedelta(minutes=1)).isoformat()
    pods = (a_pod("b", metadata={"creationTimestamp": later}), a_pod("a"))
    order = unprepared(
        pods, namespaces=ENABLED, own="spillway", actuator=SCHEDULER, now=SOON, refusals=runnable
    )
    reason = webhook_missed(order, now=SOON)
    assert reason is not None
    assert reason.code == "WebhookMissed"
    assert reason.message == (
        "2 pods of labelled namespaces were created without the webhook since 2026-01-01T12:00:00Z (the "
        "oldest is shop/a): is it running, did the namespace's label come later, or is the namespace in "
        "webhook.excludedNamespaces? Look at the webhook's pods and logs; they must be made anew"
    )


def test_without_such_pods_there_is_no_trouble() -> None:
    assert webhook_missed((), now=SOON) is None


def test_it_is_trouble_for_who_looks_at_the_status() -> None:
    bare = a_pod("bare")
    assert [each.code for each in troubles(a_look(bare, unprepared=(bare,)))] == ["WebhookMissed"]


def test_a_misspelt_key_of_a_namespace_is_trouble_there() -> None:
    wrong = {"shop": a_namespace(annotations={"spillway.dev/max-pod": "1"})}
    (found,) = troubles(a_look(namespaces=wrong))
    assert found.code == "UnknownKey"
    assert found.message.startswith("namespace shop: nobody reads the annotation spillway.dev/max-pod")
