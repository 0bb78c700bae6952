from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Build, Refusal, a_container, a_launch

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-abcdef"


def of_main(**fields: Any) -> dict[str, Any]:
    return {"containerOverrides": [{"name": "main", **fields}]}


async def test_a_tasks_size_can_be_overridden(aws: Aws) -> None:
    await aws.register()
    task = await aws.task(await aws.run(overrides={"cpu": "1024", "memory": "4 GB"}))
    assert (task["cpu"], task["memory"]) == ("1024", "4096")


async def test_an_overridden_size_counts_against_the_quota(build: Build) -> None:
    aws = build(vcpu_quota=1.0)
    await aws.register()
    await aws.run(overrides={"cpu": "1024", "memory": "4096"})
    answer = await aws.call("RunTask", **a_launch())
    assert answer["tasks"] == []
    assert "limit on the number of vCPUs" in answer["failures"][0]["reason"]


async def test_a_containers_share_can_be_overridden(aws: Aws) -> None:
    await aws.register(containerDefinitions=[a_container(cpu=128)])
    changes = of_main(cpu=64, memory=256, memoryReservation=128)
    container = (await aws.task(await aws.run(overrides=changes)))["containers"][0]
    assert (container["cpu"], container["memory"], container["memoryReservation"]) == ("64", "256", "128")


async def test_roles_and_storage_can_be_overridden_and_are_shown(aws: Aws) -> None:
    await aws.register()
    overrides = {
        "taskRoleArn": "arn:aws:iam::123456789012:role/app",
        "executionRoleArn": "arn:aws:iam::123456789012:role/start",
        "ephemeralStorage": {"sizeInGiB": 50},
    }
    task = await aws.task(await aws.run(overrides=overrides))
    assert overrides.items() <= task["overrides"].items()
    assert task["ephemeralStorage"] == {"sizeInGiB": 50}


async def test_an_override_leaves_the_definition_as_it_is(aws: Aws) -> None:
    await aws.register()
    await aws.run(overrides={"cpu": "1024", "memory": "4096"})
    task = await aws.task(await aws.run())
    assert (task["cpu"], task["memory"]) == ("256", "512")


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        pytest.param({"cpu": "1024"}, "No Fargate configuration exists", id="cpu without its memory"),
        pytest.param({"memory": "much"}, "Invalid 'memory'", id="unreadable memory"),
        pytest.param({"ephemeralStorage": {"sizeInGiB": 20}}, "between 21 and 200", id="storage"),
        pytest.param(of_main(cpu=512), "Total cpu", id="container's cpu"),
        pytest.param(of_main(memory=1024), "memory", id="container's memory"),
        pytest.param(
            of_main(environment=[{"name": "PASSWORD", "value": "x"}]),
            "such as 'PASSWORD'",
            id="a secret's name",
        ),
        pytest.param(
            of_main(resourceRequirements=[{"type": "GPU", "value": "1"}]), "resourceRequirements", id="GPU"
        ),
    ],
)
async def test_an_override_is_refused(aws: Aws, overrides: dict[str, Any], error: str) -> None:
    secrets = [{"name": "PASSWORD", "valueFrom": ARN}]
    await aws.register(containerDefinitions=[a_container(secrets=secrets)])
    with pytest.raises(Refusal, match=error):
        await aws.run(overrides=overrides)
    assert await aws.arns() == []
