from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Build, Refusal, a_launch, overrides_for


async def test_the_answer_is_the_task_in_its_first_version(aws: Aws) -> None:
    await aws.register()
    answer = await aws.call("RunTask", **a_launch(startedBy="fargate-1a", overrides=overrides_for("uid-1")))
    [task] = answer["tasks"]
    assert answer["failures"] == []
    assert (task["lastStatus"], task["desiredStatus"], task["version"]) == ("PROVISIONING", "RUNNING", 1)
    assert (task["launchType"], task["startedBy"], task["group"]) == ("FARGATE", "fargate-1a", "family:web")
    assert task["overrides"]["containerOverrides"] == overrides_for("uid-1")["containerOverrides"]
    assert task["attachments"][0]["status"] == "PRECREATED"


async def test_overrides_come_back_from_describe_tasks(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(overrides=overrides_for("uid-1"))
    assert (await aws.task(arn))["overrides"]["containerOverrides"] == overrides_for("uid-1")[
        "containerOverrides"
    ]


async def test_count_launches_so_many(aws: Aws) -> None:
    await aws.register()
    answer = await aws.call("RunTask", **a_launch(count=3))
    assert len({each["taskArn"] for each in answer["tasks"]}) == 3


async def test_tags_are_gone_after_stop_task(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(tags=[{"key": "pod", "value": "web-1"}])
    assert (await aws.task(arn, include=["TAGS"]))["tags"] == [{"key": "pod", "value": "web-1"}]
    await aws.call("StopTask", cluster="spillway", task=arn)
    assert (await aws.task(arn, include=["TAGS"]))["tags"] == []


async def test_tags_are_shown_only_on_request(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(tags=[{"key": "pod", "value": "web-1"}])
    assert (await aws.task(arn))["tags"] == []


async def test_a_definitions_tags_are_propagated_on_request(aws: Aws) -> None:
    await aws.register(tags=[{"key": "team", "value": "shop"}])
    arn = await aws.run(propagateTags="TASK_DEFINITION")
    assert (await aws.task(arn, include=["TAGS"]))["tags"] == [{"key": "team", "value": "shop"}]


async def test_spot_is_named_by_its_capacity_provider(aws: Aws) -> None:
    await aws.register()
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    arn = await aws.run(launchType=None, capacityProviderStrategy=strategy)
    assert (await aws.task(arn))["capacityProviderName"] == "FARGATE_SPOT"


async def test_an_inactive_definition_does_not_run(aws: Aws) -> None:
    arn = await aws.register()
    await aws.call("DeregisterTaskDefinition", taskDefinition=arn)
    with pytest.raises(Refusal, match="ClientException: TaskDefinition is inactive"):
        await aws.run(arn)


UNKNOWN_NAME = {"containerOverrides": [{"name": "sidecar", "command": ["true"]}]}
TOO_LONG = {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}
BOTH = [{"capacityProvider": "FARGATE"}]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param(
            {"taskDefinition": "nothing"}, "ClientException: TaskDefinition not found.", id="unknown"
        ),
        pytest.param({"cluster": "other"}, "ClusterNotFoundException: Cluster not found.", id="cluster"),
        pytest.param(
            {"networkConfiguration": None},
            "InvalidParameterException: Network Configuration must be provided",
            id="no network",
        ),
        pytest.param(
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}},
            "InvalidParameterException: subnets can not be empty",
            id="no subnets",
        ),
        pytest.param(
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-x"]}}},
            "InvalidParameterException: .*InvalidSubnetID.NotFound",
            id="unknown subnet",
        ),
        pytest.param(
            {"overrides": UNKNOWN_NAME},
            "InvalidParameterException: Override for container named sidecar is not a container",
            id="override of an unknown container",
        ),
        pytest.param(
            {"overrides": TOO_LONG},
            "InvalidParameterException: Container Overrides length must be at most 8192",
            id="long overrides",
        ),
        pytest.param({"count": 11}, "InvalidParameterException: Count", id="count"),
        pytest.param({"launchType": None}, "No Container Instances were found", id="no launch type"),
        pytest.param({"capacityProviderStrategy": BOTH}, "both a launch type and", id="type and strategy"),
        pytest.param({"startedBy": "a b"}, "InvalidParameterException: startedBy", id="started by"),
        pytest.param({"clientToken": "x" * 65}, "InvalidParameterException: clientToken", id="token"),
        pytest.param({"platformVersion": "9.9.9"}, "PlatformUnknownException", id="platform"),
        pytest.param({"propagateTags": "SERVICE"}, "propagateTags", id="a service's tags"),
    ],
)
async def test_a_launch_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    await aws.register()
    with pytest.raises(Refusal, match=error):
        await aws.call("RunTask", **a_launch(**changes))
    assert await aws.arns() == []


async def test_above_the_quota_there_are_failures_and_no_task(build: Build) -> None:
    aws = build(vcpu_quota=1.0)
    await aws.register(cpu="512", memory="1024")
    await aws.run()
    await aws.run()
    answer = await aws.call("RunTask", **a_launch())
    assert answer["tasks"] == []
    assert "limit on the number of vCPUs" in answer["failures"][0]["reason"]


async def test_spot_has_a_quota_of_its_own(build: Build) -> None:
    aws = build(vcpu_quota=0.25)
    await aws.register()
    await aws.run()
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert await aws.run(launchType=None, capacityProviderStrategy=strategy)


async def test_a_stopped_task_gives_its_quota_back(build: Build) -> None:
    aws = build(vcpu_quota=0.25)
    await aws.register()
    arn = await aws.run()
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(60)
    assert await aws.run()
