"""What boto3, which knows nothing of us, makes of everything that may go wrong."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from app.local.fargate.faults.orders import Fault
from tests.local.fargate.clients import Far
from tests.local.fargate.fakes import CLUSTER, a_container, a_definition, a_launch

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
CHECK = {"command": ["CMD", "true"], "interval": 5, "timeout": 2, "retries": 1}


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    """An embedded Fargate whose tasks run at once and are simulated, on a socket."""
    far = Far(can_execute=lambda _command: False)
    await far.start()
    yield far
    await far.stop()


async def order(far: Far, **members: Any) -> None:
    """Order a fault through the control endpoint."""

    def post() -> None:
        data = json.dumps(members).encode()
        request = urllib.request.Request(far.url + "/_spillway/faults", data=data)  # noqa: S310  (loopback)
        with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
            assert answer.status == 200

    await asyncio.to_thread(post)


async def spot(far: Far, **container: Any) -> str:
    """A Spot task's ARN."""
    definition = a_definition(containerDefinitions=[a_container(**container)])
    await far.ask("ecs", "register_task_definition", **definition)
    launch = a_launch(launchType=None, capacityProviderStrategy=SPOT)
    arn: str = (await far.ask("ecs", "run_task", **launch))["tasks"][0]["taskArn"]
    return arn


async def test_health_is_described(far: Far) -> None:
    arn = await far.run(a_container(healthCheck=CHECK, script={"checks": [0, 1]}))
    await far.reaches(arn, "RUNNING")
    await far.clock.advance(5)
    assert (await far.task(arn))["healthStatus"] == "HEALTHY"
    await far.clock.advance(5)
    task = await far.task(arn)
    assert (task["healthStatus"], task["containers"][0]["healthStatus"]) == ("UNHEALTHY", "UNHEALTHY")
    assert task["lastStatus"] == "RUNNING"


async def test_a_spot_task_is_interrupted(far: Far) -> None:
    arn = await spot(far, script={"term_seconds": 10})
    await far.reaches(arn, "RUNNING")
    far.fargate.interruptions.interrupt_spot(arn)
    task = await far.task(arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("RUNNING", "STOPPED")
    assert (task["stopCode"], task["capacityProviderName"]) == ("SpotInterruption", "FARGATE_SPOT")
    await far.clock.advance(10)
    assert (await far.task(arn))["lastStatus"] == "STOPPED"


async def test_a_named_outcome_is_ordered_from_outside(far: Far) -> None:
    await far.ask("ecs", "register_task_definition", **a_definition())
    await order(far, outcome="vcpu-limit")
    await order(far, outcome="blocked")
    with pytest.raises(far.client("ecs").exceptions.BlockedException):
        await far.ask("ecs", "run_task", **a_launch())
    answer = await far.ask("ecs", "run_task", **a_launch())
    assert "limit on the number of vCPUs" in answer["failures"][0]["reason"]
    assert len((await far.ask("ecs", "run_task", **a_launch()))["tasks"]) == 1


async def test_expired_credentials_are_a_client_error(far: Far) -> None:
    await order(far, outcome="expired-credentials", operation="*")
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        await far.ask("ecs", "list_tasks", cluster=CLUSTER)


async def test_a_lost_request_is_a_closed_connection(far: Far) -> None:
    await far.ask("ecs", "register_task_definition", **a_definition())
    far.fargate.faults.add(Fault(operation="RunTask", kind="lost-request"))
    with pytest.raises(ConnectionClosedError):
        await far.ask("ecs", "run_task", **a_launch())
    assert (await far.ask("ecs", "list_tasks", cluster=CLUSTER))["taskArns"] == []


async def test_a_foreign_container_is_described(far: Far) -> None:
    await order(far, operation="RunTask", kind="foreign-container")
    arn = await far.run(a_container())
    names = [each["name"] for each in (await far.task(arn))["containers"]]
    assert names[0] == "main"
    assert names[1].startswith("aws-guardduty-agent-")


async def test_definitions_go_from_active_to_deleted(far: Far) -> None:
    answer = await far.ask("ecs", "register_task_definition", **a_definition())
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    refused = await far.ask("ecs", "delete_task_definitions", taskDefinitions=[arn])
    assert "still in ACTIVE status" in refused["failures"][0]["reason"]
    await far.ask("ecs", "deregister_task_definition", taskDefinition=arn)
    deleted = await far.ask("ecs", "delete_task_definitions", taskDefinitions=[arn])
    assert deleted["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
    families = far.client("ecs").get_paginator("list_task_definition_families").paginate()
    found = await asyncio.to_thread(lambda: [name for page in families for name in page["families"]])
    assert found == ["web"]


async def test_capacity_providers_belong_to_a_cluster(far: Far) -> None:
    await far.ask(
        "ecs",
        "put_cluster_capacity_providers",
        cluster=CLUSTER,
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[],
    )
    with pytest.raises(far.client("ecs").exceptions.InvalidParameterException, match="not associated"):
        await spot(far)
