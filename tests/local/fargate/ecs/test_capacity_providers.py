from typing import Any

import pytest

from app.local.fargate.config import Subnet
from app.local.fargate.faults.orders import Fault
from tests.local.fargate.fakes import CLUSTER, Aws, Build, Refusal, a_launch

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}}
TWO = (Subnet(id="subnet-a", cidr="10.0.0.0/24"), Subnet(id="subnet-b", cidr="10.0.1.0/24"))


def a_strategy(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"launchType": None, "capacityProviderStrategy": list(parts)}


async def test_a_strategy_with_spot_makes_a_spot_task(aws: Aws) -> None:
    await aws.register()
    task = await aws.task(await aws.run(**a_strategy(*SPOT)))
    assert (task["capacityProviderName"], task["launchType"]) == ("FARGATE_SPOT", "FARGATE")


async def test_a_launch_type_names_no_capacity_provider(aws: Aws) -> None:
    await aws.register()
    assert "capacityProviderName" not in await aws.task(await aws.run())


async def test_a_cluster_without_the_provider_refuses_the_strategy(build: Build) -> None:
    aws = build(capacity_providers=("FARGATE",))
    await aws.register()
    with pytest.raises(Refusal, match="not associated with the cluster"):
        await aws.run(**a_strategy(*SPOT))
    assert await aws.run(**a_strategy({"capacityProvider": "FARGATE", "weight": 1}))


async def test_a_new_cluster_has_the_providers_that_it_was_given(aws: Aws) -> None:
    bare = await aws.call("CreateCluster", clusterName="bare")
    full = await aws.call("CreateCluster", clusterName="full", capacityProviders=["FARGATE_SPOT"])
    assert bare["cluster"]["capacityProviders"] == []
    assert full["cluster"]["capacityProviders"] == ["FARGATE_SPOT"]


async def test_a_clusters_default_strategy_holds_without_launch_type(aws: Aws) -> None:
    await aws.call(
        "PutClusterCapacityProviders",
        cluster=CLUSTER,
        capacityProviders=["FARGATE_SPOT"],
        defaultCapacityProviderStrategy=SPOT,
    )
    await aws.register()
    task = await aws.task(await aws.run(launchType=None))
    assert task["capacityProviderName"] == "FARGATE_SPOT"


async def test_without_launch_type_and_default_strategy_there_is_nowhere_to_run(aws: Aws) -> None:
    await aws.register()
    with pytest.raises(Refusal, match="No Container Instances were found"):
        await aws.run(launchType=None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"capacityProviderStrategy": SPOT}, "both a launch type and", id="launch type too"),
        pytest.param(
            a_strategy({"capacityProvider": "mine", "weight": 1}), "'mine' was not found", id="unknown"
        ),
        pytest.param(a_strategy({"capacityProvider": "FARGATE"}), "weight greater than 0", id="no weight"),
        pytest.param(
            a_strategy(
                {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                {"capacityProvider": "FARGATE_SPOT", "base": 1},
            ),
            "Only one capacity provider",
            id="two bases",
        ),
        pytest.param(a_strategy(*SPOT * 21), "at most 20", id="too many"),
    ],
)
async def test_a_strategy_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    await aws.register()
    with pytest.raises(Refusal, match=f"InvalidParameterException: .*{error}"):
        await aws.call("RunTask", **a_launch(**changes))


async def test_an_unknown_provider_cannot_be_associated(aws: Aws) -> None:
    with pytest.raises(Refusal, match="'mine' was not found"):
        await aws.call("CreateCluster", clusterName="c", capacityProviders=["mine"])


async def test_tasks_take_turns_between_their_subnets(build: Build) -> None:
    aws = build(subnets=TWO)
    await aws.register()
    tasks = [await aws.task(await aws.run(networkConfiguration=NETWORK)) for _ in range(4)]
    found = [each["attachments"][0]["details"][0]["value"] for each in tasks]
    assert found == ["subnet-a", "subnet-b", "subnet-a", "subnet-b"]


async def test_a_shortage_in_one_subnet_leaves_the_other(build: Build) -> None:
    aws = build(subnets=TWO)
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="capacity", subnet="subnet-a", probability=1.0))
    answers = [await aws.call("RunTask", **a_launch(networkConfiguration=NETWORK)) for _ in range(4)]
    assert [len(each["tasks"]) for each in answers] == [0, 1, 0, 1]


async def test_a_shortage_of_spot_leaves_capacity_on_demand(aws: Aws) -> None:
    await aws.register()
    fault = Fault(operation="RunTask", kind="capacity", provider="FARGATE_SPOT", probability=1.0)
    aws.fargate.faults.add(fault)
    answer = await aws.call("RunTask", **a_launch(**a_strategy(*SPOT)))
    assert answer["failures"][0]["reason"].startswith("Capacity is unavailable")
    assert await aws.run()
