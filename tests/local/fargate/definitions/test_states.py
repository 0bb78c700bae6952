from typing import Any

import pytest

from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, Build, Refusal, a_definition


async def deregistered(aws: Aws, **changes: Any) -> str:
    """An inactive revision's ARN."""
    arn = await aws.register(**changes)
    await aws.call("DeregisterTaskDefinition", taskDefinition=arn)
    return arn


async def status(aws: Aws, arn: str) -> str:
    found: str = (await aws.call("DescribeTaskDefinition", taskDefinition=arn))["taskDefinition"]["status"]
    return found


async def arns(aws: Aws, **params: Any) -> list[str]:
    found: list[str] = (await aws.call("ListTaskDefinitions", **params))["taskDefinitionArns"]
    return found


async def families(aws: Aws, **params: Any) -> list[str]:
    found: list[str] = (await aws.call("ListTaskDefinitionFamilies", **params))["families"]
    return found


async def test_an_inactive_revision_runs_no_task(aws: Aws) -> None:
    arn = await deregistered(aws)
    with pytest.raises(Refusal, match="ClientException: TaskDefinition is inactive"):
        await aws.run(arn)


async def test_deregistering_twice_is_no_error(aws: Aws) -> None:
    arn = await deregistered(aws)
    await aws.clock.advance(5)
    again = await aws.call("DeregisterTaskDefinition", taskDefinition=arn)
    assert again["taskDefinition"]["status"] == "INACTIVE"
    assert again["taskDefinition"]["deregisteredAt"] == aws.clock.now().timestamp() - 5


async def test_running_tasks_go_on_after_their_definition_is_deregistered(aws: Aws) -> None:
    task = await aws.running()
    await aws.call("DeregisterTaskDefinition", taskDefinition="web:1")
    assert (await aws.task(task))["lastStatus"] == "RUNNING"


async def test_a_deleted_revision_is_in_progress_and_then_gone(aws: Aws) -> None:
    arn = await deregistered(aws)
    answer = await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])
    assert [each["status"] for each in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert answer["failures"] == []
    assert await arns(aws, status="DELETE_IN_PROGRESS") == [arn]
    assert await arns(aws, status="INACTIVE") == []
    await aws.clock.advance(PACE.deleting)
    with pytest.raises(Refusal, match="Unable to describe"):
        await status(aws, arn)
    assert await families(aws) == []


async def test_a_deleted_revision_stays_while_a_task_of_it_runs(aws: Aws) -> None:
    task = await aws.running()
    arn = (await aws.task(task))["taskDefinitionArn"]
    await aws.call("DeregisterTaskDefinition", taskDefinition=arn)
    await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])
    await aws.clock.advance(PACE.deleting + 60)
    assert await status(aws, arn) == "DELETE_IN_PROGRESS"
    await aws.call("StopTask", cluster="spillway", task=task)
    await aws.clock.advance(60)
    assert await arns(aws, status="DELETE_IN_PROGRESS") == []


async def test_a_number_is_never_given_twice(aws: Aws) -> None:
    await aws.call("DeleteTaskDefinitions", taskDefinitions=[await deregistered(aws)])
    await aws.clock.advance(PACE.deleting)
    assert (await aws.register()).endswith("web:2")


async def test_each_name_has_an_outcome_of_its_own(aws: Aws) -> None:
    gone, active = await deregistered(aws), await aws.register()
    names = [gone, active, "web:9", "web"]
    answer = await aws.call("DeleteTaskDefinitions", taskDefinitions=names)
    assert [each["taskDefinitionArn"] for each in answer["taskDefinitions"]] == [gone]
    reasons = {each["arn"]: each["reason"] for each in answer["failures"]}
    assert "still in ACTIVE status" in reasons[active]
    assert "does not exist" in reasons["web:9"]
    assert "identifier is invalid" in reasons["web"]


async def test_deleting_twice_is_no_error(aws: Aws) -> None:
    arn = await deregistered(aws)
    first = await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])
    await aws.clock.advance(5)
    assert await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn]) == first


@pytest.mark.parametrize("count", [0, 11])
async def test_one_to_ten_are_deleted_at_a_time(aws: Aws, count: int) -> None:
    names = [f"web:{index}" for index in range(count)]
    with pytest.raises(Refusal, match="must have 1 to 10 elements"):
        await aws.call("DeleteTaskDefinitions", taskDefinitions=names)


async def test_families_are_listed_by_prefix_and_status(aws: Aws) -> None:
    await deregistered(aws, family="old")
    await aws.register(family="new")
    await aws.register(family="newer")
    assert await families(aws) == ["new", "newer", "old"]
    assert await families(aws, familyPrefix="new") == ["new", "newer"]
    assert await families(aws, status="ACTIVE") == ["new", "newer"]
    assert await families(aws, status="INACTIVE") == ["old"]


async def test_families_come_in_pages(aws: Aws) -> None:
    for name in ("a", "b", "c"):
        await aws.register(family=name)
    first = await aws.call("ListTaskDefinitionFamilies", maxResults=2)
    rest = await aws.call("ListTaskDefinitionFamilies", maxResults=2, nextToken=first["nextToken"])
    assert (first["families"], rest["families"]) == (["a", "b"], ["c"])
    assert "nextToken" not in rest


async def test_definitions_come_in_pages_and_backwards(aws: Aws) -> None:
    for _ in range(3):
        await aws.register()
    first = await aws.call("ListTaskDefinitions", maxResults=2, sort="DESC")
    rest = await aws.call("ListTaskDefinitions", sort="DESC", nextToken=first["nextToken"])
    found = [*first["taskDefinitionArns"], *rest["taskDefinitionArns"]]
    assert [each.rsplit(":", 1)[1] for each in found] == ["3", "2", "1"]


async def test_registering_and_deregistering_share_one_bucket(build: Build) -> None:
    aws = build(throttles=True)
    for _ in range(10):
        await deregistered(aws)
    with pytest.raises(Refusal, match="ThrottlingException"):
        await aws.call("DeregisterTaskDefinition", taskDefinition="web:1")
    await aws.clock.advance(1)
    await aws.register()
    with pytest.raises(Refusal, match="ThrottlingException"):
        await aws.call("RegisterTaskDefinition", **a_definition())


async def test_five_deletions_may_come_at_once(build: Build) -> None:
    aws = build(throttles=True)
    arn = await deregistered(aws)
    for _ in range(5):
        await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])
    with pytest.raises(Refusal, match="ThrottlingException"):
        await aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])


async def test_a_launched_task_keeps_its_definition_whatever_becomes_of_it(aws: Aws) -> None:
    await aws.register()
    task = await aws.run()
    await aws.call("DeregisterTaskDefinition", taskDefinition="web:1")
    await aws.call("DeleteTaskDefinitions", taskDefinitions=["web:1"])
    await aws.clock.advance(TO_RUNNING)
    assert (await aws.task(task))["lastStatus"] == "RUNNING"
