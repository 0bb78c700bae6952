from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import Later, RecordAttempt, SetStatus
from app.bridge.decision.facts import Facts, Stage, stage_of
from app.bridge.decision.permission import refusal
from app.bridge.decision.reconcile import decide
from app.model.pod import Pod
from tests.bridge.fakes import World, a_namespace
from tests.bridge.situations import CRASHED, POD, attempted, deleted, facts_of, kinds, status_in
from tests.builders import NOON, VIRTUAL, a_pod, a_task, owned_by

LABEL = "spillway.dev/overflow"
LATER = NOON + timedelta(seconds=11)
BOUND = {"conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": LATER.isoformat()}]}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("namespace", "pod", "mend"),
    [
        pytest.param(None, {}, "namespace shop is not there", id="no-namespace"),
        pytest.param({}, {}, f"kubectl label namespace shop {LABEL}=enabled", id="no-label"),
        pytest.param({LABEL: "yes"}, {LABEL: "required"}, "kubectl label namespace shop", id="another-word"),
        pytest.param({LABEL: "permitted"}, {}, f"label the pod {LABEL}=enabled", id="permitted-not-asked"),
        pytest.param(
            {LABEL: "enabled"}, {LABEL: "disabled"}, f"own label {LABEL}=disabled", id="the-pod-says-no"
        ),
        pytest.param({LABEL: "enabled"}, {LABEL: "on"}, "write enabled, disabled or required", id="nonsense"),
    ],
)
def test_a_refusal_names_the_label_and_the_mend(
    namespace: Mapping[str, str] | None, pod: Mapping[str, str], mend: str
) -> None:
    said = refusal(a_pod(labels=pod), labels=namespace)
    assert mend in said
    assert LABEL in said


@pytest.mark.parametrize("space", ["kube-system", "shop"])
@pytest.mark.parametrize(
    ("status", "mend"),
    [
        pytest.param({}, "name another node, or leave spec.nodeName out", id="it-names-its-node"),
        pytest.param(
            BOUND, "take the toleration away that bears virtual-kubelet.io/provider", id="it-bears-the-taint"
        ),
    ],
)
def test_a_refusal_says_how_the_pod_is_kept_off(space: str, status: Mapping[str, Any], mend: str) -> None:
    assert mend in refusal(a_pod(namespace=space, status=status), labels={})


def test_nobody_is_told_to_label_kubernetes_own_namespace() -> None:
    said = refusal(a_pod(namespace="kube-system", status=BOUND), labels={})
    assert "label" not in said
    assert "namespace kube-system is Kubernetes' own" in said


@pytest.mark.parametrize(
    ("namespace", "pod"),
    [
        pytest.param({LABEL: "enabled"}, {}, id="enabled"),
        pytest.param({LABEL: "permitted"}, {LABEL: "enabled"}, id="permitted-and-asked"),
        pytest.param({LABEL: "enabled"}, {LABEL: "required"}, id="required"),
    ],
)
def test_who_opted_in_is_not_refused(namespace: Mapping[str, str], pod: Mapping[str, str]) -> None:
    assert refusal(a_pod(labels=pod), labels=namespace) == ""


@pytest.mark.parametrize(
    ("pod", "stage"),
    [
        pytest.param(POD, Stage.FORBIDDEN, id="before-the-first-attempt"),
        pytest.param(attempted(), Stage.FORBIDDEN, id="an-attempt-is-written-on-it"),
        pytest.param(a_pod(metadata=owned_by("DaemonSet")), Stage.DAEMON, id="a-daemon-sets"),
        pytest.param(deleted(), Stage.DELETING, id="deleted"),
    ],
)
def test_permission_is_asked_until_a_task_was_seen(pod: Pod, stage: Stage) -> None:
    assert stage_of(facts_of(pod, namespace={})) is stage


def test_a_further_attempt_of_a_pod_that_had_a_task_asks_nobody() -> None:
    assert stage_of(facts_of(attempted(2), a_task(POD, **CRASHED), namespace={})) is Stage.RECORDED


def test_a_pod_that_lost_its_permission_fails_only_once_it_is_known_to_have_no_task() -> None:
    facts = facts_of(attempted(), namespace={}, now=LATER, looked_at=LATER)
    assert SetStatus not in kinds(decide(facts))
    listed = NOON + timedelta(seconds=20)
    settled = msgspec.structs.replace(facts, now=listed, looked_at=listed)
    assert status_in(decide(settled))["reason"] == "OverflowNotAllowed"


def test_a_crashed_task_is_launched_again_though_the_label_is_gone() -> None:
    later = NOON + timedelta(minutes=1)
    commands = decide(facts_of(attempted(), a_task(POD, **CRASHED), namespace={}, now=later))
    assert RecordAttempt in kinds(commands)


OWNED = owned_by("DaemonSet")
BEGUN = {"containerStatuses": [{"name": "main"}], "conditions": BOUND["conditions"]}
HELD = {"reason": "DaemonSetOnFargate", "conditions": BOUND["conditions"]}


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        pytest.param(facts_of(a_pod(metadata=OWNED)), Stage.DAEMON, id="nothing began"),
        pytest.param(
            facts_of(a_pod(uid="u1", metadata=OWNED), a_task(POD)), Stage.CARRIED, id="it has a task"
        ),
        pytest.param(
            facts_of(a_pod(uid="u1", metadata=OWNED), a_task(POD, **CRASHED)), Stage.ENDED, id="it had a task"
        ),
        pytest.param(
            facts_of(attempted(arn="arn:1", metadata=OWNED, status=BEGUN)),
            Stage.UNSEEN,
            id="its task is not listed yet",
        ),
        pytest.param(facts_of(a_pod(status=HELD)), Stage.DAEMON, id="held once, and disowned since then"),
    ],
)
def test_an_owner_that_is_edited_later_neither_ends_nor_starts_a_pod(facts: Facts, stage: Stage) -> None:
    assert stage_of(facts) is stage


TRIED = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(facts_of(scheduled=False), id="nobody scheduled it"),
        pytest.param(facts_of(a_pod(status=TRIED)), id="the scheduler found no node for it"),
    ],
)
def test_a_pod_that_no_scheduler_bound_fails_and_is_told_the_mend(facts: Facts) -> None:
    status = status_in(decide(facts))
    assert (status["phase"], status["reason"]) == ("Failed", "NotScheduled")
    assert "leave spec.nodeName out" in status["message"]


def test_an_attempt_that_somebody_wrote_does_not_stand_in_for_the_scheduler() -> None:
    listed = NOON + timedelta(seconds=20)
    facts = facts_of(attempted(), scheduled=False, now=listed, looked_at=listed)
    assert status_in(decide(facts))["reason"] == "NotScheduled"


def test_a_pod_that_has_a_task_is_not_asked_who_bound_it() -> None:
    assert stage_of(facts_of(attempted(), a_task(POD), scheduled=False)) is Stage.CARRIED


def test_a_status_of_ours_never_says_that_a_scheduler_bound_the_pod() -> None:
    pod = a_pod(node=VIRTUAL, metadata=owned_by("DaemonSet"))
    said = status_in(decide(facts_of(pod, scheduled=False)))["conditions"]
    assert "PodScheduled" not in {each["type"] for each in said}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(POD, SetStatus, id="long-created"),
        pytest.param(a_pod(status=BOUND), Later, id="bound-just-now"),
    ],
)
def test_a_refusal_is_believed_once_the_labels_had_time_to_arrive(pod: Pod, expected: type) -> None:
    assert kinds(decide(facts_of(pod, namespace={}, now=LATER)))[0] is expected


def test_a_refused_pod_fails_as_a_kubelet_rejects() -> None:
    status = status_in(decide(facts_of(namespace={}, now=LATER)))
    assert (status["phase"], status["reason"]) == ("Failed", "OverflowNotAllowed")
    assert status["message"].startswith("Pod was rejected: ")


async def test_a_pod_that_names_the_node_from_an_unlabelled_namespace_never_becomes_a_task(
    world: World,
) -> None:
    pod = a_pod("thief", namespace="bare", node=VIRTUAL)
    world.namespaces.put(a_namespace("bare"))
    world.start()
    world.pods.bind(pod)
    await world.advance(100)
    assert (world.pod(pod).status.phase, world.ecs.runs) == ("Failed", {})
    assert world.events.reasons("thief") == ["OverflowNotAllowed"]


async def test_a_pod_that_names_the_node_from_a_namespace_that_opted_in_never_becomes_a_task(
    world: World,
) -> None:
    pod = a_pod("thief", node=VIRTUAL)
    world.start()
    world.pods.create(pod)
    await world.advance(100)
    assert (world.pod(pod).status.phase, world.ecs.runs) == ("Failed", {})
    assert world.events.reasons("thief") == ["NotScheduled"]


async def test_a_label_that_arrives_after_the_pod_is_waited_for(world: World) -> None:
    pod = a_pod(namespace="late", node=VIRTUAL)
    world.start()
    world.pods.bind(pod)
    await world.advance(5)
    world.namespaces.put(a_namespace("late", overflow="enabled"))
    await world.advance(10)
    assert world.pod(pod).status.phase == "Running"


async def test_a_label_that_is_taken_off_ends_nothing(world: World) -> None:
    pod = a_pod(node=VIRTUAL)
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    world.namespaces.put(a_namespace("shop"))
    await world.stop()
    world.start()
    await world.advance(100)
    assert (world.pod(pod).status.phase, len(world.ecs.live())) == ("Running", 1)
