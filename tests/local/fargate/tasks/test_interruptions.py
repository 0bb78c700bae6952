from typing import Any

import msgspec
import pytest

from app.local.fargate.faults.orders import Fault
from app.local.fargate.oracle.tally import tally
from tests.local.fargate.fakes import CLUSTER, PACE, TO_RUNNING, Aws, Build, Refusal, a_container

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
NOTICE = ("RUNNING", "STOPPED", "SpotInterruption", "Your Spot Task was interrupted.")


def fields(task: dict[str, Any]) -> tuple[str, str, str, str]:
    return task["lastStatus"], task["desiredStatus"], task["stopCode"], task["stoppedReason"]


async def spot(aws: Aws, **container: Any) -> str:
    """A Spot task that runs."""
    await aws.register(containerDefinitions=[a_container(**container)])
    arn = await aws.run(launchType=None, capacityProviderStrategy=SPOT)
    await aws.clock.advance(TO_RUNNING)
    return arn


async def test_an_interrupted_spot_task_is_told_while_it_runs(aws: Aws) -> None:
    arn = await spot(aws, script={"term_seconds": 20})
    aws.fargate.interruptions.interrupt_spot(arn)
    task = await aws.task(arn)
    assert fields(task) == NOTICE
    assert task["containers"][0]["lastStatus"] == "RUNNING"
    await aws.clock.advance(19)
    assert fields(await aws.task(arn)) == NOTICE


async def test_an_interrupted_task_ends_once_its_containers_are_over(aws: Aws) -> None:
    arn = await spot(aws, script={"term_seconds": 20, "term_exit_code": 0})
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(20 + PACE.deactivating + PACE.deprovisioning)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "SpotInterruption")
    assert task["containers"][0]["exitCode"] == 0
    assert [status for _, status, _ in aws.statuses(arn)][4:] == [
        "RUNNING",
        "RUNNING",
        "DEACTIVATING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ]


@pytest.mark.parametrize(
    ("stop_timeout", "killed_after"),
    [
        pytest.param(30, 30, id="its own stop timeout"),
        pytest.param(120, 60, id="the notice, where that is shorter"),
    ],
)
async def test_an_interrupted_container_that_ignores_sigterm_is_killed_after(
    build: Build, stop_timeout: int, killed_after: float
) -> None:
    aws = build(pace=msgspec.structs.replace(PACE, spot_notice=60))
    arn = await spot(aws, script={"term_seconds": 600}, stopTimeout=stop_timeout)
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(killed_after - 0.5)
    assert (await aws.task(arn))["containers"][0]["lastStatus"] == "RUNNING"
    await aws.clock.advance(1)
    assert (await aws.task(arn))["containers"][0]["exitCode"] == 137


async def test_a_spot_task_that_does_not_run_yet_is_stopped_without_notice(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(launchType=None, capacityProviderStrategy=SPOT)
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(PACE.deprovisioning)
    assert fields(await aws.task(arn))[0] == "STOPPED"


async def test_an_interrupted_task_is_interrupted_once(aws: Aws) -> None:
    arn = await spot(aws)
    for _ in range(2):
        aws.fargate.interruptions.interrupt_spot(arn)
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(60)
    assert fields(await aws.task(arn))[2] == "SpotInterruption"


async def test_running_spot_tasks_are_told_apart(aws: Aws) -> None:
    arn = await spot(aws)
    await aws.run()
    await aws.clock.advance(TO_RUNNING)
    assert aws.fargate.interruptions.spot_tasks() == [arn]
    aws.fargate.interruptions.interrupt_spot(arn)
    assert aws.fargate.interruptions.spot_tasks() == []


async def test_a_retired_task_is_stopped_by_aws(aws: Aws) -> None:
    arn = await aws.running()
    aws.fargate.interruptions.retire(arn)
    await aws.clock.advance(60)
    assert fields(await aws.task(arn)) == (
        "STOPPED",
        "STOPPED",
        "ServiceSchedulerInitiated",
        "ECS is performing maintenance on the underlying infrastructure hosting the task.",
    )


async def test_a_task_that_a_user_stops_loses_its_tags_and_is_no_call(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(tags=[{"key": "a", "value": "b"}])
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.interruptions.stop_as_user(arn, reason="cleaning up")
    task = await aws.task(arn, include=["TAGS"])
    assert (task["tags"], task["stopCode"], task["stoppedReason"]) == ([], "UserInitiated", "cleaning up")
    assert "StopTask" not in tally(aws.journal.since()).calls


async def test_a_task_that_vanishes_is_missing_and_its_address_free(aws: Aws) -> None:
    arn = await aws.running()
    aws.fargate.interruptions.vanish(arn)
    answer = await aws.call("DescribeTasks", cluster=CLUSTER, tasks=[arn])
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    assert await aws.arns() == await aws.arns(desiredStatus="STOPPED") == []
    with pytest.raises(Refusal, match="was not found"):
        await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(600)
    assert aws.statuses(arn)[-1] == (5, "DELETED", "RUNNING")
    assert tally(aws.journal.since()).left == 0


async def test_a_stopped_task_that_vanishes_has_only_been_forgotten(aws: Aws) -> None:
    arn = await aws.running()
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(60)
    aws.fargate.interruptions.vanish(arn)
    assert await aws.arns(desiredStatus="STOPPED") == []
    await aws.clock.advance(PACE.kept)
    assert aws.statuses(arn)[-1][1] == "STOPPED"
    assert not aws.driver.done()


async def test_who_is_not_there_is_left_alone(aws: Aws) -> None:
    interruptions = aws.fargate.interruptions
    for interrupt in (interruptions.interrupt_spot, interruptions.retire, interruptions.stop_as_user):
        interrupt("nobody")
    interruptions.vanish("nobody")
    assert aws.journal.since() == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param("spot-interruption", "SpotInterruption", id="spot"),
        pytest.param("termination-notice", "TerminationNotice", id="notice"),
        pytest.param("retirement", "ServiceSchedulerInitiated", id="retirement"),
        pytest.param("infrastructure-health", "InfrastructureHealth", id="infrastructure"),
        pytest.param("user-stop", "UserInitiated", id="user"),
    ],
)
async def test_a_fault_stops_the_task_after_its_time_of_running(aws: Aws, kind: Any, code: str) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind=kind, seconds=30))
    arn = await spot(aws)
    await aws.clock.advance(29)
    assert (await aws.task(arn))["desiredStatus"] == "RUNNING"
    await aws.clock.advance(60)
    assert fields(await aws.task(arn))[::2] == ("STOPPED", code)


async def test_a_fault_makes_a_task_vanish(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind="vanish", seconds=5))
    await aws.running()
    assert len(await aws.arns()) == 1
    await aws.clock.advance(5)
    assert await aws.arns() == []


async def test_spot_faults_spare_tasks_on_demand(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind="spot-interruption"))
    arn = await aws.running()
    await aws.clock.advance(60)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"
    assert len(aws.fargate.faults.pending()) == 1


async def test_a_spot_task_without_capacity_fails_to_start(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind="no-spot-capacity"))
    arn = await spot(aws)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert task["stoppedReason"].startswith("SpotInterruption")
    assert "exitCode" not in task["containers"][0]


async def test_a_container_of_awss_own_stands_beside_the_tasks(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind="foreign-container"))
    arn = await aws.running()
    own, foreign = (await aws.task(arn))["containers"]
    assert own["name"] == "main"
    assert foreign["name"].startswith("aws-guardduty-agent-")
    assert (foreign["cpu"], foreign["lastStatus"]) == ("null", "RUNNING")
