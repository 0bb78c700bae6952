"""Pods on Fargate that do not run: all are listed, and what concerns Spillway is trouble."""

from typing import Any

import pytest

from app.extender.insight.status import summary
from app.model.pod import Pod
from tests.builders import VIRTUAL, a_pod, owned_by
from tests.extender.insight.fates import ended, held_up, status_of, without_task
from tests.extender.insight.look import a_look, later

LOOP = "CrashLoopBackOff"
REJECTED = {"phase": "Failed", "reason": "FargateUnsupported", "message": "Pod was rejected: no helper"}


def listed(*pods: Pod, now: float = 400) -> list[tuple[str, int, str]]:
    found = summary(a_look(*pods, now=later(now))).failing
    return [(each.code, each.pods, each.oldest) for each in found]


def troubles(*pods: Pod, now: float = 400) -> list[str]:
    return [each.code for each in summary(a_look(*pods, now=later(now))).troubles]


def loops(count: int, **fields: Any) -> list[Pod]:
    return [held_up(f"loop-{n}", LOOP, **fields) for n in range(count)]


def test_they_are_grouped_by_kubelets_reason_with_the_oldest_and_its_words() -> None:
    old = held_up("old", LOOP, message="back-off 10s")
    young = held_up("young", LOOP, since=60)
    [group] = summary(a_look(young, old, now=later(400))).failing
    assert (group.code, group.pods, group.oldest, group.since) == (LOOP, 2, "shop/old", later(0))
    assert group.message == "back-off 10s"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(held_up("a", "CreateContainerConfigError"), "CreateContainerConfigError", id="secret"),
        pytest.param(held_up("a", "FargateNoCapacity"), "FargateNoCapacity", id="capacity"),
        pytest.param(held_up("a", "FargateUnsupported"), "FargateUnsupported", id="rejected-and-left"),
        pytest.param(a_pod("a", node=VIRTUAL, status=REJECTED), "FargateUnsupported", id="rejected"),
        pytest.param(without_task("a"), "NoTask", id="no-task"),
    ],
)
def test_each_of_them_is_listed(pod: Pod, expected: str) -> None:
    assert listed(pod) == [(expected, 1, "shop/a")]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod(node=VIRTUAL, status=status_of({"running": {}})), id="running"),
        pytest.param(a_pod(node=VIRTUAL, status=status_of(ended(4), phase="Failed")), id="its-own-end"),
        pytest.param(a_pod(node=VIRTUAL, phase="Succeeded"), id="succeeded"),
        pytest.param(
            held_up("a", LOOP, metadata={"deletionTimestamp": later(0).isoformat()}), id="being-deleted"
        ),
    ],
)
def test_others_are_not(pod: Pod) -> None:
    assert listed(pod) == []


def test_a_pod_that_has_just_got_its_node_is_not_told_to_have_no_task() -> None:
    assert listed(without_task(), now=30) == []
    assert listed(without_task(), now=61) == [("NoTask", 1, "shop/lost")]


def test_a_rejection_of_long_ago_is_not_told_any_more() -> None:
    pod = a_pod("a", node=VIRTUAL, status=REJECTED)
    assert listed(pod, now=90_000) == []


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(held_up("a", "FargateNoCapacity"), "PodsWithoutCapacity", id="capacity"),
        pytest.param(held_up("a", "FargateUnsupported"), "PodsRejected", id="rejected-and-left"),
        pytest.param(a_pod("a", node=VIRTUAL, status=REJECTED), "PodsRejected", id="rejected"),
        pytest.param(without_task(), "PodsWithoutTask", id="no-task"),
    ],
)
def test_what_has_no_task_for_five_minutes_is_trouble(pod: Pod, expected: str) -> None:
    assert troubles(pod, now=290) == []
    assert troubles(pod, now=301) == [expected]


def test_a_rejected_pod_that_ended_an_hour_ago_is_trouble_no_more_but_listed() -> None:
    pod = a_pod("a", node=VIRTUAL, status=REJECTED)
    assert (troubles(pod, now=3700), len(listed(pod, now=3700))) == ([], 1)


@pytest.mark.parametrize("reason", [LOOP, "CreateContainerConfigError", "OverflowNotAllowed", "NotScheduled"])
def test_what_its_owner_did_is_no_trouble(reason: str) -> None:
    assert troubles(held_up("a", reason)) == []


def test_many_pods_of_several_controllers_that_fail_alike_are_trouble() -> None:
    assert troubles(*loops(3)) == ["PodsFailAlike"]


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param(loops(2), id="few"),
        pytest.param(loops(5, metadata=owned_by("ReplicaSet")), id="one-controllers"),
        pytest.param(
            [
                *loops(3),
                *(a_pod(f"ok-{n}", node=VIRTUAL, status=status_of({"running": {}})) for n in range(4)),
            ],
            id="the-smaller-part",
        ),
    ],
)
def test_few_pods_or_those_of_one_controller_are_not(pods: list[Pod]) -> None:
    assert troubles(*pods) == []
