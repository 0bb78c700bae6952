from typing import Any

import pytest

from app.local.fargate.oracle.tally import orphans
from app.local.fargate.oracle.truthfulness import untruthful
from tests.local.fargate.fakes import CLUSTER, TO_RUNNING, Aws, a_container, overrides_for
from tests.local.fargate.oracle.pods import (
    BACKING_OFF,
    CREATING,
    PULLED,
    RUNNING,
    UNKNOWN,
    a_pod,
    about,
    ended,
    exits,
    launched,
)


@pytest.mark.parametrize(
    ("pod", "untruths"),
    [
        pytest.param(a_pod("Pending", CREATING), [], id="pending"),
        pytest.param(a_pod("Pending"), [], id="no statuses yet"),
        pytest.param(a_pod("Failed", UNKNOWN), ["container main"], id="an end without a task"),
        pytest.param(a_pod("Failed"), [], id="refused"),
        pytest.param(a_pod("Running", RUNNING), ["phase", "container main"], id="running"),
        pytest.param(a_pod("Pending", CREATING, restarts=1), ["restarts of main"], id="restarts"),
    ],
)
async def test_a_pod_without_a_task(aws: Aws, pod: dict[str, Any], untruths: list[str]) -> None:
    assert about(aws, pod) == untruths


@pytest.mark.parametrize(
    ("pod", "untruths"),
    [
        pytest.param(a_pod("Pending", CREATING), [], id="pending"),
        pytest.param(a_pod("Running", CREATING), ["phase"], id="phase too early"),
        pytest.param(a_pod("Pending", RUNNING), ["container main"], id="container too early"),
        pytest.param(
            a_pod("Pending", CREATING, conditions=[{"type": "Ready", "status": "True"}]),
            ["condition Ready"],
            id="ready too early",
        ),
    ],
)
async def test_a_pod_whose_task_is_not_running_yet(
    aws: Aws, pod: dict[str, Any], untruths: list[str]
) -> None:
    await launched(aws)
    await aws.clock.advance(PULLED - 1)
    assert about(aws, pod) == untruths


@pytest.mark.parametrize(
    ("pod", "untruths"),
    [
        pytest.param(
            a_pod("Running", RUNNING, conditions=[{"type": "Ready", "status": "True"}]), [], id="running"
        ),
        pytest.param(a_pod("Pending", CREATING), ["phase", "container main"], id="still pending"),
        pytest.param(a_pod("Running", ended(0, "Completed")), ["container main"], id="already over"),
        pytest.param(a_pod("Failed", ended(1)), ["phase", "container main"], id="failed"),
        pytest.param(a_pod("Running"), ["container main"], id="no container status"),
        pytest.param(a_pod("Running", RUNNING, restarts=1), ["restarts of main"], id="a restart too many"),
        pytest.param(
            a_pod("Running", RUNNING, last=ended(1)), ["last state of main"], id="an end that never was"
        ),
        pytest.param(
            a_pod("Failed", ended(143), reason="DeadlineExceeded"),
            ["phase", "reason", "container main"],
            id="a deadline that never was",
        ),
        pytest.param(
            a_pod("Failed", ended(143), reason="DeadlineExceeded", spec={"activeDeadlineSeconds": 5}),
            [],
            id="over its deadline",
        ),
    ],
)
async def test_a_pod_whose_task_runs(aws: Aws, pod: dict[str, Any], untruths: list[str]) -> None:
    await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    assert about(aws, pod) == untruths


@pytest.mark.parametrize(
    ("container", "pod", "untruths"),
    [
        pytest.param(exits(0), a_pod("Succeeded", ended(0, "Completed"), policy="Never"), [], id="succeeded"),
        pytest.param(
            exits(0), a_pod("Failed", ended(0, "Completed"), policy="Never"), ["phase"], id="not failed"
        ),
        pytest.param(
            exits(0), a_pod("Succeeded", ended(0, "Error"), policy="Never"), ["container main"], id="reason"
        ),
        pytest.param(
            exits(3), a_pod("Failed", ended(1), policy="Never"), ["container main"], id="another exit code"
        ),
        pytest.param(exits(3), a_pod("Failed", ended(3), policy="Never"), [], id="failed"),
        pytest.param(
            exits(3), a_pod("Succeeded", ended(3), policy="OnFailure"), ["phase"], id="not succeeded"
        ),
        pytest.param(
            exits(3), a_pod("Running", BACKING_OFF, policy="OnFailure", last=ended(3)), [], id="backing off"
        ),
        pytest.param(
            exits(3),
            a_pod("Running", BACKING_OFF, policy="Never", last=ended(3)),
            ["phase", "container main"],
            id="never restarted",
        ),
        pytest.param(
            exits(0), a_pod("Succeeded", ended(0, "Completed"), policy="OnFailure"), [], id="no failure"
        ),
        pytest.param(exits(0), a_pod("Succeeded", ended(0, "Completed")), ["phase"], id="always restarted"),
        pytest.param(exits(0), a_pod("Running", BACKING_OFF, last=ended(0, "Completed")), [], id="always"),
        pytest.param(exits(0), a_pod("Running", RUNNING), ["container main"], id="no longer running"),
        pytest.param(exits(3), a_pod("Running", BACKING_OFF), ["last state of main"], id="no last state"),
        pytest.param(
            exits(0, oom=True), a_pod("Failed", ended(137, "OOMKilled"), policy="Never"), [], id="memory"
        ),
        pytest.param(
            exits(0, oom=True), a_pod("Failed", ended(137), policy="Never"), ["container main"], id="not told"
        ),
    ],
)
async def test_a_pod_whose_container_ended(
    aws: Aws, container: dict[str, Any], pod: dict[str, Any], untruths: list[str]
) -> None:
    await launched(aws, container)
    await aws.clock.advance(TO_RUNNING + 60)
    assert about(aws, pod) == untruths


async def test_a_relaunched_pod_is_running_with_its_last_state_and_a_restart(aws: Aws) -> None:
    await launched(aws, exits(3))
    await aws.clock.advance(TO_RUNNING + 60)
    await launched(aws, attempt=2)
    await aws.clock.advance(PULLED - 1)
    assert about(aws, a_pod("Running", BACKING_OFF, last=ended(3))) == []
    assert about(aws, a_pod("Pending", CREATING, last=ended(3))) == ["phase"]
    await aws.clock.advance(2)
    assert about(aws, a_pod("Running", RUNNING, last=ended(3), restarts=1)) == []
    assert about(aws, a_pod("Running", RUNNING, last=ended(3))) == ["restarts of main"]
    assert about(aws, a_pod("Running", RUNNING, last=ended(4), restarts=1)) == ["last state of main"]
    assert about(aws, a_pod("Running", BACKING_OFF, restarts=1)) == ["container main", "last state of main"]


async def test_a_container_that_ecs_restarted_counts_its_restarts(aws: Aws) -> None:
    policy = {"enabled": True, "restartAttemptPeriod": 60}
    await launched(aws, a_container(restartPolicy=policy, script={"run_seconds": 61, "exit_code": 1}))
    await aws.clock.advance(PULLED + 130)
    assert about(aws, a_pod("Running", RUNNING, restarts=2, last=ended(1))) == []
    assert about(aws, a_pod("Running", RUNNING, restarts=2, last=ended(2))) == ["last state of main"]
    assert about(aws, a_pod("Running", RUNNING, restarts=1)) == ["restarts of main"]


async def test_init_containers_show_their_own_states(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 30})
    depends = [{"containerName": "init", "condition": "SUCCESS"}]
    await launched(aws, init, a_container(dependsOn=depends))
    await aws.clock.advance(PULLED + 1)
    pod = a_pod(
        "Pending", {"waiting": {"reason": "PodInitializing"}}, spec={"initContainers": [{"name": "init"}]}
    )
    pod["status"]["initContainerStatuses"] = [{"name": "init", "restartCount": 0, "state": RUNNING}]
    assert about(aws, pod) == []
    await aws.clock.advance(60)
    assert about(aws, pod) == ["phase", "container init", "container main"]
    pod["status"]["initContainerStatuses"][0]["state"] = ended(0, "Completed")
    assert about(aws, pod) == ["phase", "container main"]


async def test_a_container_beside_ends_alone(aws: Aws) -> None:
    helper = a_container("second", essential=False, script={"run_seconds": 5, "exit_code": 0})
    await launched(aws, a_container(), helper)
    await aws.clock.advance(TO_RUNNING + 10)
    assert about(aws, a_pod("Running", RUNNING, ended(0, "Completed"))) == []
    assert about(aws, a_pod("Running", RUNNING, RUNNING)) == ["container second"]


async def test_a_task_that_restarts_in_place_leaves_its_containers_room(aws: Aws) -> None:
    keeper = a_container("spillway-keeper", essential=False)
    await launched(aws, a_container(), keeper)
    await aws.clock.advance(TO_RUNNING)
    assert about(aws, a_pod("Running", BACKING_OFF, last=ended(3), restarts=7)) == []
    assert about(aws, a_pod("Pending", BACKING_OFF, restarts=7)) == ["phase"]


async def test_a_pod_that_is_being_deleted_may_still_say_what_it_was(aws: Aws) -> None:
    arn = await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(60)
    deleted = {"deletionTimestamp": "2026-01-01T12:01:00Z"}
    assert about(aws, a_pod("Running", ended(143), metadata=deleted)) == []
    assert about(aws, a_pod("Succeeded", ended(143), metadata=deleted)) == ["phase"]


async def test_an_untruth_says_who_said_what_and_what_is_true(aws: Aws) -> None:
    await launched(aws)
    await aws.clock.advance(TO_RUNNING)
    [found] = untruthful([a_pod("Pending", RUNNING)], aws.journal.since())
    assert (found.pod, found.uid, found.said, found.true) == ("shop/web", "uid-1", "Pending", "Running")


async def test_orphans_are_tasks_whose_pod_does_not_live(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(overrides=overrides_for("gone"))
    await aws.run(overrides=overrides_for("alive"))
    await aws.run()
    assert orphans(aws.journal.since(), pods={"alive"}) == (arn,)
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(60)
    assert orphans(aws.journal.since(), pods={"alive"}) == ()
