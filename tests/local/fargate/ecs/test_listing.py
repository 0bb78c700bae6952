from typing import Any

import pytest

from app.local.fargate.config import Pace
from tests.local.fargate.fakes import PACE, Aws, Build, Refusal


async def test_a_listing_is_of_tasks_that_shall_run(aws: Aws) -> None:
    await aws.register()
    runs, stops = await aws.run(), await aws.run()
    await aws.call("StopTask", cluster="spillway", task=stops)
    assert await aws.arns() == [runs]
    assert await aws.arns(desiredStatus="STOPPED") == [stops]


async def test_a_listing_is_of_one_cluster(aws: Aws) -> None:
    await aws.register()
    await aws.run(cluster="default")
    assert await aws.arns() == []


async def test_a_listing_by_starter(aws: Aws) -> None:
    await aws.register()
    await aws.run(startedBy="a")
    ours = await aws.run(startedBy="b")
    assert await aws.arns(startedBy="b") == [ours]


@pytest.mark.parametrize(
    "other", [{"desiredStatus": "STOPPED"}, {"family": "web"}, {"launchType": "FARGATE"}], ids=str
)
async def test_the_starter_must_be_the_only_filter(aws: Aws, other: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await aws.arns(startedBy="a", **other)


async def test_pages_hold_a_hundred_and_together_all(aws: Aws) -> None:
    await aws.register()
    launched = [await aws.run() for _ in range(250)]
    first = await aws.call("ListTasks", cluster="spillway")
    second = await aws.call("ListTasks", cluster="spillway", nextToken=first["nextToken"])
    third = await aws.call("ListTasks", cluster="spillway", nextToken=second["nextToken"])
    assert [len(each["taskArns"]) for each in (first, second, third)] == [100, 100, 50]
    assert "nextToken" not in third
    assert first["taskArns"] + second["taskArns"] + third["taskArns"] == launched


async def test_a_task_that_stops_between_pages_hides_no_other(aws: Aws) -> None:
    await aws.register()
    launched = [await aws.run() for _ in range(4)]
    first = await aws.call("ListTasks", cluster="spillway", maxResults=2)
    await aws.call("StopTask", cluster="spillway", task=launched[0])
    assert await aws.arns(nextToken=first["nextToken"]) == launched[2:]


@pytest.mark.parametrize("size", [0, 101])
async def test_other_page_sizes_are_refused(aws: Aws, size: int) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await aws.arns(maxResults=size)


async def test_a_foreign_token_is_refused(aws: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException: Invalid token"):
        await aws.arns(nextToken="mine")


async def test_a_hundred_tasks_are_described_at_a_time(aws: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await aws.call("DescribeTasks", cluster="spillway", tasks=["x"] * 101)


async def test_an_unknown_task_is_a_failure_and_not_an_error(aws: Aws) -> None:
    answer = await aws.call("DescribeTasks", cluster="spillway", tasks=["0123"])
    assert answer["tasks"] == []
    assert answer["failures"] == [
        {"arn": "arn:aws:ecs:us-east-1:123456789012:task/spillway/0123", "reason": "MISSING"}
    ]


async def test_a_task_is_missing_until_it_becomes_visible(build: Build) -> None:
    aws = build(pace=Pace(visible_after=5))
    await aws.register()
    arn = await aws.run()
    hidden = await aws.call("DescribeTasks", cluster="spillway", tasks=[arn])
    assert hidden["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert await aws.arns() == []
    await aws.clock.advance(5)
    assert (await aws.task(arn))["taskArn"] == arn
    assert await aws.arns() == [arn]


async def test_a_stopped_task_is_kept_for_an_hour(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(PACE.deprovisioning + 3599)
    assert (await aws.task(arn))["lastStatus"] == "STOPPED"
    await aws.clock.advance(1)
    answer = await aws.call("DescribeTasks", cluster="spillway", tasks=[arn])
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert await aws.arns(desiredStatus="STOPPED") == []


async def test_stopping_an_unknown_task_is_refused(aws: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException: The referenced task was not found"):
        await aws.call("StopTask", cluster="spillway", task="0123")


async def test_a_cluster_counts_its_tasks(aws: Aws) -> None:
    await aws.running()
    await aws.run()
    answer = await aws.call("DescribeClusters", clusters=["spillway", "other"])
    [cluster] = answer["clusters"]
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (1, 1)
    assert answer["failures"] == [
        {"arn": "arn:aws:ecs:us-east-1:123456789012:cluster/other", "reason": "MISSING"}
    ]


async def test_a_cluster_can_be_created(aws: Aws) -> None:
    await aws.call("CreateCluster", clusterName="other")
    await aws.register()
    assert "task/other/" in await aws.run(cluster="other")
