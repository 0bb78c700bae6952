import asyncio

import pytest

from app.local.fargate.faults.orders import Fault, Faults
from tests.fakes import settle
from tests.local.fargate.fakes import CLUSTER, GROUP, TO_RUNNING, Aws, LostAnswer, Refusal, a_launch


async def test_an_error_is_answered_and_nothing_is_done(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="error", code="ThrottlingException"))
    with pytest.raises(Refusal, match="ThrottlingException: Rate exceeded"):
        await aws.run()
    assert await aws.arns() == []
    assert await aws.run()


async def test_a_server_error_has_status_500(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="ListTasks", kind="error"))
    with pytest.raises(Refusal, match="ServerException") as refusal:
        await aws.arns()
    assert refusal.value.status == 500


async def test_a_lost_answers_task_exists_and_the_token_finds_it(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="timeout-after-effect"))
    with pytest.raises(LostAnswer):
        await aws.run(clientToken="t")
    [arn] = await aws.arns()
    assert await aws.run(clientToken="t") == arn


async def test_a_refused_call_loses_no_answer(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="RunTask", kind="timeout-after-effect"))
    with pytest.raises(Refusal):
        await aws.run("nothing")
    await aws.register()
    with pytest.raises(LostAnswer):
        await aws.run()


async def test_without_capacity_there_are_failures_and_no_task(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="capacity", count=2))
    for _ in range(2):
        answer = await aws.call("RunTask", **a_launch(clientToken="t"))
        assert answer["tasks"] == []
        assert answer["failures"][0]["arn"] is None
        assert answer["failures"][0]["reason"].startswith("Capacity is unavailable at this time.")
    assert await aws.run(clientToken="t")


async def test_a_delayed_answer_comes_after_its_time(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="ListTasks", kind="delay", seconds=5))
    call = asyncio.create_task(aws.arns())
    await aws.clock.advance(4.9)
    assert not call.done()
    await aws.clock.advance(0.1)
    await settle()
    assert call.done()


async def test_a_pull_error_befalls_one_task(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="pull-error", message="manifest unknown"))
    fails, runs = await aws.run(), await aws.run()
    await aws.clock.advance(TO_RUNNING)
    assert (await aws.task(fails))["stoppedReason"] == "CannotPullContainerError: manifest unknown"
    assert (await aws.task(runs))["lastStatus"] == "RUNNING"


async def test_want_of_memory_befalls_a_task_after_its_time(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="oom", seconds=30))
    arn = await aws.run()
    await aws.clock.advance(TO_RUNNING)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"
    await aws.clock.advance(60)
    container = (await aws.task(arn))["containers"][0]
    assert (container["exitCode"], container["reason"][:16]) == (137, "OutOfMemoryError")


async def test_an_empty_page_with_another_token_is_not_the_end(aws: Aws) -> None:
    await aws.call("CreateLogStream", logGroupName=GROUP, logStreamName="s")
    events = [{"timestamp": 1_767_268_800_000, "message": "x"}]
    await aws.call("PutLogEvents", logGroupName=GROUP, logStreamName="s", logEvents=events)
    first = await aws.call("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=1, startFromHead=True)
    aws.fargate.faults.add(Fault(operation="GetLogEvents", kind="empty-page"))
    token = first["nextForwardToken"]
    empty = await aws.call("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=token)
    assert empty["events"] == []
    assert empty["nextForwardToken"] != token


async def test_an_empty_first_page_leads_to_every_event(aws: Aws) -> None:
    await aws.call("CreateLogStream", logGroupName=GROUP, logStreamName="s")
    events = [{"timestamp": 1_767_268_800_000, "message": "x"}]
    await aws.call("PutLogEvents", logGroupName=GROUP, logStreamName="s", logEvents=events)
    aws.fargate.faults.add(Fault(operation="GetLogEvents", kind="empty-page"))
    empty = await aws.call("GetLogEvents", logGroupName=GROUP, logStreamName="s", startFromHead=True)
    token = empty["nextForwardToken"]
    full = await aws.call("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=token)
    assert [each["message"] for each in full["events"]] == ["x"]


async def test_a_star_befalls_any_operation(aws: Aws) -> None:
    aws.fargate.faults.add(Fault(operation="*", kind="error", code="AccessDeniedException", count=2))
    with pytest.raises(Refusal, match="AccessDeniedException"):
        await aws.arns()
    with pytest.raises(Refusal, match="AccessDeniedException"):
        await aws.call("DescribeTasks", cluster=CLUSTER, tasks=["x"])


def strikes(faults: Faults, calls: int) -> list[bool]:
    return [faults.take("RunTask", "error") is not None for _ in range(calls)]


def test_a_fault_without_a_count_happens_once() -> None:
    faults = Faults()
    faults.add(Fault(operation="RunTask", kind="error"))
    assert strikes(faults, 3) == [True, False, False]
    assert faults.pending() == ()


def test_another_operation_or_kind_is_spared() -> None:
    faults = Faults()
    faults.add(Fault(operation="StopTask", kind="error"))
    faults.add(Fault(operation="RunTask", kind="delay"))
    assert strikes(faults, 1) == [False]


def test_a_probability_befalls_its_share_and_the_same_calls_each_time() -> None:
    runs = []
    for _ in range(2):
        faults = Faults()
        faults.add(Fault(operation="RunTask", kind="error", probability=0.3, seed=7))
        runs.append(strikes(faults, 1000))
    assert runs[0] == runs[1]
    assert 250 < sum(runs[0]) < 350


def test_a_probability_with_a_count_ends() -> None:
    faults = Faults()
    faults.add(Fault(operation="RunTask", kind="error", probability=1.0, count=2))
    assert strikes(faults, 4) == [True, True, False, False]


@pytest.mark.parametrize("wrong", [{"probability": 1.5}, {"count": 0}], ids=str)
def test_an_impossible_fault_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Fault(operation="RunTask", kind="error", **wrong)  # type: ignore[arg-type]  # wrong on purpose
