from typing import Any

import pytest

from app.local.fargate.faults.orders import Fault
from app.local.fargate.journal import ContainerChange, Entry, Transition
from app.local.fargate.oracle.truthfulness import untruthful
from app.model.names import PodUid
from app.model.task import Identity
from tests.builders import NOON
from tests.local.fargate.fakes import CLUSTER, TO_RUNNING, Aws, a_container
from tests.local.fargate.oracle.pods import (
    BACKING_OFF,
    RUNNING,
    SPOT,
    TARGET,
    UNKNOWN,
    a_pod,
    about,
    ended,
    launched,
)


@pytest.mark.parametrize(
    ("pod", "untruths"),
    [
        pytest.param(a_pod("Failed", ended(143), **TARGET), [], id="disrupted"),
        pytest.param(a_pod("Failed", ended(143)), ["condition DisruptionTarget"], id="no condition"),
        pytest.param(
            a_pod("Running", BACKING_OFF, last=ended(143), **TARGET),
            ["phase", "container main"],
            id="to be restarted",
        ),
    ],
)
async def test_a_pod_whose_spot_task_was_interrupted(
    aws: Aws, pod: dict[str, Any], untruths: list[str]
) -> None:
    arn = await launched(aws, **SPOT)
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(60)
    assert about(aws, pod) == untruths


async def test_a_retired_tasks_pod_fails_as_disrupted_and_is_not_restarted(aws: Aws) -> None:
    arn = await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.retire(arn)
    await aws.clock.advance(60)
    assert about(aws, a_pod("Failed", ended(143), **TARGET)) == []
    assert about(aws, a_pod("Failed", ended(143))) == ["condition DisruptionTarget"]
    restarting = a_pod("Running", BACKING_OFF, last=ended(143), **TARGET)
    assert about(aws, restarting) == ["phase", "container main"]


async def test_a_pod_is_unchanged_while_its_interrupted_task_goes_down(aws: Aws) -> None:
    arn = await launched(aws, a_container(script={"term_seconds": 20}), **SPOT)
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(10)
    assert about(aws, a_pod("Running", RUNNING)) == []
    assert about(aws, a_pod("Failed", ended(143))) == ["phase", "container main"]


async def test_a_task_that_somebody_else_stopped_fails_its_pod(aws: Aws) -> None:
    arn = await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.stop_as_user(arn)
    await aws.clock.advance(60)
    assert about(aws, a_pod("Failed", ended(143), reason="TaskStopped")) == []
    assert about(aws, a_pod("Failed", ended(143), reason="Evicted")) == ["reason"]
    assert about(aws, a_pod("Running", BACKING_OFF, last=ended(143))) == ["phase", "container main"]


async def test_a_task_that_a_call_stopped_may_be_to_be_restarted(aws: Aws) -> None:
    arn = await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(60)
    assert about(aws, a_pod("Running", BACKING_OFF, last=ended(143))) == []
    assert about(aws, a_pod("Failed", ended(143), policy="Never")) == []
    assert about(aws, a_pod("Succeeded", ended(143), policy="Never")) == ["phase"]


async def test_a_pod_whose_task_vanished_is_lost(aws: Aws) -> None:
    arn = await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.vanish(arn)
    assert about(aws, a_pod("Failed", UNKNOWN, reason="TaskLost")) == []
    assert about(aws, a_pod("Failed", UNKNOWN)) == ["reason"]
    assert about(aws, a_pod("Running", RUNNING)) == ["phase", "container main"]


async def test_a_task_that_vanished_while_it_was_stopped_may_have_been_seen_stopping(aws: Aws) -> None:
    arn = await launched(aws, a_container(script={"run_seconds": 5, "exit_code": 3}))
    await aws.clock.advance(TO_RUNNING + 8)
    aws.fargate.interruptions.vanish(arn)
    assert about(aws, a_pod("Failed", UNKNOWN, reason="TaskLost")) == []
    assert about(aws, a_pod("Running", BACKING_OFF, last=ended(3))) == []
    assert about(aws, a_pod("Running", RUNNING)) == ["container main"]


@pytest.mark.parametrize(
    ("message", "waits", "untruths"),
    [
        pytest.param("pull-error", "ErrImagePull", [], id="pull"),
        pytest.param("pull-error", "ImagePullBackOff", [], id="pull again"),
        pytest.param("pull-error", "CreateContainerConfigError", ["container main"], id="no pull"),
        pytest.param("no-spot-capacity", "ContainerCreating", [], id="spot"),
    ],
)
async def test_a_pod_whose_task_failed_to_start_says_why(
    aws: Aws, message: Any, waits: str, untruths: list[str]
) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind=message))
    await launched(aws, **SPOT)
    await aws.clock.advance(120)
    assert about(aws, a_pod("Pending", {"waiting": {"reason": waits}})) == untruths


BROKEN = "CannotStartContainerError: exec /nothing: no such file or directory"


@pytest.mark.parametrize(
    ("pod", "untruths"),
    [
        pytest.param(a_pod("Pending", {"waiting": {"reason": "RunContainerError"}}), [], id="waiting"),
        pytest.param(a_pod("Failed", ended(127, "StartError"), policy="Never"), [], id="failed"),
        pytest.param(
            a_pod("Pending", {"waiting": {"reason": "ImagePullBackOff"}}), ["container main"], id="no pull"
        ),
        pytest.param(a_pod("Failed", ended(1), policy="Never"), ["container main"], id="no exit"),
        pytest.param(a_pod("Running", RUNNING), ["phase", "container main"], id="running"),
    ],
)
def test_a_container_that_could_not_be_started(pod: dict[str, Any], untruths: list[str]) -> None:
    identity = Identity(cluster="c", node="n", namespace="shop", name="web", uid=PodUid("uid-1"))
    common: dict[str, Any] = {"seq": 0, "at": NOON, "steady": 0.0, "task": "t"}
    change: dict[str, Any] = {"version": 1, "desired": "RUNNING", "pod": identity, "attempt": 1}
    end: dict[str, Any] = {"stop_code": "TaskFailedToStart", "reason": "Task failed to start"}
    entries: list[Entry] = [
        Transition(**common, **change, status="PROVISIONING"),
        ContainerChange(
            **common, container="main", status="STOPPED", started=True, exit_code=127, reason=BROKEN
        ),
        Transition(**common, **change, status="STOPPED", **end),
    ]
    assert [each.about for each in untruthful([pod], entries)] == untruths
