"""ExecuteCommand's refusals, and the agents that it needs."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.local.fargate.faults.orders import Fault
from app.local.fargate.running.processes import host_has
from tests.local.fargate.enclosed import sh
from tests.local.fargate.fakes import (
    CLUSTER,
    PACE,
    TO_RUNNING,
    Aws,
    Build,
    Refusal,
    a_container,
    until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="agents look into /proc")

ROLE = "arn:aws:iam::123456789012:role/task"


@pytest.fixture
async def host(build: Build) -> AsyncIterator[Aws]:
    """An embedded Fargate that runs what this host can execute."""
    aws = build(can_execute=host_has)
    yield aws
    await aws.fargate._processes.close()


async def launched(aws: Aws, *containers: dict[str, Any], **launch: Any) -> str:
    """A task that is RUNNING, with sessions enabled unless told otherwise."""
    given = list(containers) or [sh("sleep 600")]
    await aws.register(containerDefinitions=given, taskRoleArn=ROLE)
    arn = await aws.run(**{"enableExecuteCommand": True, **launch})
    await aws.clock.advance(TO_RUNNING)
    return arn


async def ready(aws: Aws, *containers: dict[str, Any]) -> str:
    """A task whose agents are RUNNING."""
    arn = await launched(aws, *containers)
    processes = aws.fargate._processes
    await until(lambda: all(processes.leader(key) is not None for key in processes._running))
    await aws.clock.advance(PACE.agent)
    return arn


async def execute(aws: Aws, task: str, **changes: Any) -> dict[str, Any]:
    """ExecuteCommand's answer."""
    params = {"cluster": CLUSTER, "task": task, "command": "sh", "interactive": True, **changes}
    return await aws.call("ExecuteCommand", **params)


async def agent(aws: Aws, arn: str) -> dict[str, Any]:
    """The first container's agent."""
    [found] = (await aws.task(arn))["containers"][0]["managedAgents"]
    assert found["name"] == "ExecuteCommandAgent"
    result: dict[str, Any] = found
    return result


async def test_a_task_without_a_role_cannot_have_sessions(aws: Aws) -> None:
    await aws.register()
    with pytest.raises(Refusal, match=r"InvalidParameterException: .*a valid task role is not being used"):
        await aws.run(enableExecuteCommand=True)
    assert await aws.run(enableExecuteCommand=True, overrides={"taskRoleArn": ROLE})


async def test_a_task_without_sessions_shows_no_agents(aws: Aws) -> None:
    arn = await aws.running()
    assert "managedAgents" not in (await aws.task(arn))["containers"][0]


async def test_the_agent_comes_up_a_little_after_its_container(host: Aws) -> None:
    await host.register(containerDefinitions=[sh("sleep 600")], taskRoleArn=ROLE)
    arn = await host.run(enableExecuteCommand=True)
    await host.clock.advance(TO_RUNNING)
    assert await agent(host, arn) == {"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}
    version = (await host.task(arn))["version"]
    processes = host.fargate._processes
    await until(lambda: all(processes.leader(key) is not None for key in processes._running))
    await host.clock.advance(PACE.agent)
    found = await agent(host, arn)
    assert found["lastStatus"] == "RUNNING"
    assert found["lastStartedAt"] > 1_700_000_000
    assert (await host.task(arn))["version"] == version + 1


async def test_the_agent_ends_with_its_container(host: Aws) -> None:
    arn = await ready(host)
    await host.call("StopTask", cluster=CLUSTER, task=arn)
    await host.clock.advance(1)
    await until(lambda: not host.fargate._processes._running)
    assert (await agent(host, arn))["lastStatus"] == "STOPPED"


async def test_an_agent_can_be_ordered_never_to_come_up(host: Aws) -> None:
    host.fargate.faults.add(Fault(operation="RunTask", kind="no-agent"))
    arn = await launched(host)
    await host.clock.advance(600)
    assert (await agent(host, arn))["lastStatus"] == "PENDING"
    with pytest.raises(Refusal, match="TargetNotConnectedException"):
        await execute(host, arn)


async def test_an_agent_cannot_live_in_a_root_that_is_readonly(host: Aws) -> None:
    arn = await ready(host, sh("sleep 600", readonlyRootFilesystem=True))
    found = await agent(host, arn)
    assert found["lastStatus"] == "STOPPED"
    assert "read-only" in found["reason"]


async def test_containers_that_share_their_processes_have_one_agent(aws: Aws) -> None:
    containers = [a_container(), a_container("side")]
    await aws.register(containerDefinitions=containers, taskRoleArn=ROLE, pidMode="task")
    arn = await aws.run(enableExecuteCommand=True)
    await aws.clock.advance(TO_RUNNING + PACE.agent)
    [task] = (await aws.call("DescribeTasks", cluster=CLUSTER, tasks=[arn]))["tasks"]
    agents = [each["managedAgents"][0]["lastStatus"] for each in task["containers"]]
    assert sorted(agents) == ["RUNNING", "STOPPED"]
    with pytest.raises(Refusal, match="shares a PID namespace"):
        await execute(aws, arn, container=task["containers"][agents.index("STOPPED")]["name"])


async def test_a_simulated_container_says_why_it_has_no_sessions(aws: Aws) -> None:
    arn = await launched(aws, a_container())
    await aws.clock.advance(PACE.agent)
    assert (await agent(aws, arn))["lastStatus"] == "RUNNING"
    with pytest.raises(Refusal, match=r"InvalidParameterException: .*only simulates .*not on this host"):
        await execute(aws, arn)


async def test_a_session_is_opened_in_the_only_container(host: Aws) -> None:
    arn = await ready(host)
    answer = await execute(host, arn)
    task = await host.task(arn)
    assert answer["containerArn"] == task["containers"][0]["containerArn"]
    assert (answer["containerName"], answer["taskArn"], answer["interactive"]) == ("main", arn, True)
    assert set(answer["session"]) == {"sessionId", "streamUrl", "tokenValue"}


async def test_a_task_may_be_named_by_its_id(host: Aws) -> None:
    arn = await ready(host)
    assert (await execute(host, arn.rsplit("/", 1)[-1]))["taskArn"] == arn


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        pytest.param({"interactive": False}, "InvalidParameterException: Interactive is the only", id="mode"),
        pytest.param({"task": "nothing"}, "InvalidParameterException: The referenced task", id="no task"),
        pytest.param({"cluster": "nothing"}, "ClusterNotFoundException", id="no cluster"),
        pytest.param({"container": "nothing"}, "InvalidParameterException: The container", id="no container"),
        pytest.param({"command": "sh -c 'x"}, "InvalidParameterException: .*cannot be split", id="quotes"),
        pytest.param({"command": "  "}, "InvalidParameterException: .*empty", id="no command"),
        pytest.param({"command": "x" * 4097}, "InvalidParameterException: .*4096", id="long command"),
    ],
)
async def test_a_wrong_request_is_refused(host: Aws, changes: dict[str, Any], refusal: str) -> None:
    arn = await ready(host)
    with pytest.raises(Refusal, match=refusal):
        await execute(host, **{"task": arn, **changes})


async def test_a_request_must_say_that_it_is_interactive(host: Aws) -> None:
    with pytest.raises(Refusal, match="interactive"):
        await host.call("ExecuteCommand", cluster=CLUSTER, task="x", command="sh")


async def test_one_of_several_containers_has_to_be_named(host: Aws) -> None:
    arn = await ready(host, sh("sleep 600"), sh("sleep 600", "other"))
    with pytest.raises(Refusal, match="InvalidParameterException: A container name must be specified"):
        await execute(host, arn)
    assert (await execute(host, arn, container="other"))["containerName"] == "other"


async def test_sessions_that_were_not_enabled_are_refused(host: Aws) -> None:
    arn = await launched(host, enableExecuteCommand=False)
    await host.clock.advance(600)
    with pytest.raises(Refusal, match=r"InvalidParameterException: .*was not enabled when the task was run"):
        await execute(host, arn)


async def test_an_agent_that_is_not_up_yet_is_not_connected(host: Aws) -> None:
    arn = await launched(host)
    with pytest.raises(Refusal, match="TargetNotConnectedException"):
        await execute(host, arn)


async def test_a_container_that_has_ended_is_not_connected(host: Aws) -> None:
    side = sh("sleep 1", "side", essential=False)
    arn = await launched(host, sh("sleep 600"), side)
    await until(lambda: len(host.fargate._processes._running) == 1)
    await host.clock.advance(PACE.agent)
    with pytest.raises(Refusal, match=r"TargetNotConnectedException: .*STOPPED"):
        await execute(host, arn, container="side")
