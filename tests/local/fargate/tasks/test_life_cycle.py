import pytest

from app.local.fargate.config import Subnet
from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, Build, a_container


async def test_a_task_rises_through_every_stage_and_counts_versions(aws: Aws) -> None:
    arn = await aws.running()
    assert aws.statuses(arn) == [
        (1, "PROVISIONING", "RUNNING"),
        (2, "PENDING", "RUNNING"),
        (3, "ACTIVATING", "RUNNING"),
        (4, "RUNNING", "RUNNING"),
    ]


async def test_a_stopped_task_falls_through_every_stage(aws: Aws) -> None:
    arn = await aws.running()
    await aws.call("StopTask", cluster="spillway", task=arn, reason="pod deleted")
    await aws.clock.advance(60)
    assert [status for _, status, _ in aws.statuses(arn)][4:] == [
        "RUNNING",
        "DEACTIVATING",
        "STOPPING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ]
    task = await aws.task(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "pod deleted")
    assert task["containers"][0]["exitCode"] == 143


async def test_each_stage_takes_the_time_of_the_pace(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.clock.advance(PACE.provisioning - 0.1)
    assert (await aws.task(arn))["lastStatus"] == "PROVISIONING"
    await aws.clock.advance(0.1)
    assert (await aws.task(arn))["lastStatus"] == "PENDING"
    await aws.clock.advance(PACE.pending)
    assert (await aws.task(arn))["lastStatus"] == "ACTIVATING"


async def test_times_tell_when_each_stage_was_reached(aws: Aws) -> None:
    arn = await aws.running()
    task = await aws.task(arn)
    assert task["pullStartedAt"] - task["createdAt"] == PACE.provisioning
    assert task["pullStoppedAt"] - task["pullStartedAt"] == PACE.pending
    assert task["startedAt"] - task["createdAt"] == TO_RUNNING


async def test_stop_task_answers_the_old_status_with_the_new_desire(aws: Aws) -> None:
    arn = await aws.running()
    answer = await aws.call("StopTask", cluster="spillway", task=arn)
    assert answer["task"]["lastStatus"] == "RUNNING"
    assert answer["task"]["desiredStatus"] == "STOPPED"
    assert answer["task"]["stoppedReason"] == "Task stopped by user"


async def test_stopping_twice_keeps_the_first_reason(aws: Aws) -> None:
    arn = await aws.running()
    await aws.call("StopTask", cluster="spillway", task=arn, reason="first")
    answer = await aws.call("StopTask", cluster="spillway", task=arn, reason="second")
    assert answer["task"]["stoppedReason"] == "first"


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(1, id="while provisioning"),
        pytest.param(PACE.provisioning + 1, id="while pulling"),
        pytest.param(TO_RUNNING - 0.5, id="while activating"),
    ],
)
async def test_a_task_can_be_stopped_before_it_runs(aws: Aws, after: float) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.clock.advance(after)
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert task["lastStatus"] == "STOPPED"
    assert "startedAt" not in task
    assert task["containers"][0]["lastStatus"] == "STOPPED"


async def test_a_container_that_never_ran_has_no_exit_code(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(60)
    assert "exitCode" not in (await aws.task(arn))["containers"][0]


async def test_an_essential_containers_end_stops_the_task(aws: Aws) -> None:
    ends = a_container(script={"run_seconds": 5, "exit_code": 7})
    arn = await aws.running(containerDefinitions=[ends, a_container("helper")])
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert [each["exitCode"] for each in task["containers"]] == [7, 143]


async def test_another_containers_end_leaves_the_task_running(aws: Aws) -> None:
    ends = a_container("helper", essential=False, script={"run_seconds": 5, "exit_code": 1})
    arn = await aws.running(containerDefinitions=[a_container(), ends])
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert task["lastStatus"] == "RUNNING"
    assert [each["lastStatus"] for each in task["containers"]] == ["RUNNING", "STOPPED"]


async def test_an_image_that_cannot_be_pulled_fails_the_task(aws: Aws) -> None:
    await aws.register(containerDefinitions=[a_container(script={"pull_error": "not found"})])
    arn = await aws.run()
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == "CannotPullContainerError: not found"
    assert task["containers"][0]["reason"] == "CannotPullContainerError: not found"


async def test_want_of_memory_is_told_by_code_and_reason(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[a_container(script={"run_seconds": 1, "oom": True})])
    await aws.clock.advance(60)
    container = (await aws.task(arn))["containers"][0]
    assert container["exitCode"] == 137
    assert container["reason"].startswith("OutOfMemoryError")


async def test_a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(aws: Aws) -> None:
    stubborn = a_container(script={"term_seconds": 600}, stopTimeout=15)
    arn = await aws.running(containerDefinitions=[stubborn])
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(PACE.deactivating + 14.9)
    assert (await aws.task(arn))["lastStatus"] == "STOPPING"
    await aws.clock.advance(0.2)
    assert (await aws.task(arn))["containers"][0]["exitCode"] == 137


async def test_a_missing_log_group_fails_the_task(build: Build) -> None:
    aws = build(log_groups=())
    await aws.register()
    arn = await aws.run()
    await aws.clock.advance(60)
    assert (await aws.task(arn))["stoppedReason"].startswith(
        "ResourceInitializationError: failed to validate"
    )


async def test_the_log_driver_creates_a_group_where_it_is_told_to(build: Build) -> None:
    aws = build(log_groups=())
    container = a_container()
    container["logConfiguration"]["options"]["awslogs-create-group"] = "true"
    arn = await aws.running(containerDefinitions=[container])
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


async def test_every_task_has_an_address_of_its_own(aws: Aws) -> None:
    await aws.register()
    arns = [await aws.run() for _ in range(3)]
    await aws.clock.advance(TO_RUNNING)
    tasks = [await aws.task(arn) for arn in arns]
    details = [each["attachments"][0]["details"] for each in tasks]
    addresses = [next(d["value"] for d in each if d["name"] == "privateIPv4Address") for each in details]
    assert addresses == ["127.77.0.4", "127.77.0.5", "127.77.0.6"]
    assert [
        each["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for each in tasks
    ] == addresses


async def test_a_full_subnet_fails_the_task(build: Build) -> None:
    aws = build(subnets=(Subnet(id="subnet-local", cidr="10.0.0.0/29"),))
    await aws.register()
    arns = [await aws.run() for _ in range(4)]
    await aws.clock.advance(60)
    tasks = [await aws.task(arn) for arn in arns]
    assert [each["lastStatus"] for each in tasks] == ["RUNNING", "RUNNING", "RUNNING", "STOPPED"]
    assert "InsufficientFreeAddressesInSubnet" in tasks[3]["stoppedReason"]


async def test_an_address_is_free_again_once_its_task_is_stopped(build: Build) -> None:
    aws = build(subnets=(Subnet(id="subnet-local", cidr="10.0.0.0/29"),))
    await aws.register()
    arns = [await aws.run() for _ in range(3)]
    await aws.clock.advance(TO_RUNNING)
    await aws.call("StopTask", cluster="spillway", task=arns[1])
    await aws.clock.advance(60)
    newcomer = await aws.run()
    await aws.clock.advance(TO_RUNNING)
    assert (await aws.task(newcomer))["lastStatus"] == "RUNNING"
