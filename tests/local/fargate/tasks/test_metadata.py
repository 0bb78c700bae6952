from collections.abc import AsyncIterator
from urllib.error import HTTPError

import pytest

from app.local.fargate.running.processes import host_has
from tests.local.fargate.clients import Far
from tests.local.fargate.enclosed import sh
from tests.local.fargate.fakes import a_container, until

URI = "ECS_CONTAINER_METADATA_URI_V4"


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far(can_execute=host_has, throttles=False)
    await far.start()
    yield far
    await far.stop()


async def printed(far: Far, arn: str) -> str:
    """The first line of the container `main`."""
    await far.reaches(arn, "RUNNING")
    [log] = [
        stream
        for name, stream in far.fargate._logs.group("/spillway/pods").streams.items()
        if "/main/" in name
    ]
    await until(lambda: bool(log.events))
    return log.events[0].message


async def test_a_container_reads_about_itself(far: Far) -> None:
    arn = await far.run(sh(f"echo ${URI}; sleep 60", user="0", cpu=128, memory=256))
    uri = await printed(far, arn)
    assert uri.startswith(f"{far.url}/v4/{arn.rsplit('/', 1)[-1]}-")
    found = await far.page(uri.removeprefix(far.url))
    view = (await far.task(arn))["containers"][0]
    assert found["DockerId"] == view["runtimeId"]
    assert found["ContainerARN"] == view["containerArn"]
    assert (found["Name"], found["KnownStatus"], found["DesiredStatus"]) == ("main", "RUNNING", "RUNNING")
    assert found["Limits"] == {"CPU": 128, "Memory": 256}
    assert found["StartedAt"].endswith("Z")
    assert "ExitCode" not in found
    [network] = found["Networks"]
    assert (network["NetworkMode"], network["IPv4Addresses"]) == ("awsvpc", ["127.77.0.4"])
    assert network["IPv4SubnetCIDRBlock"] == "127.77.0.0/16"
    assert found["LogOptions"]["awslogs-stream"].startswith("pods/main/")
    await far.ask("ecs", "stop_task", cluster="spillway", task=arn)


async def test_a_container_reads_what_became_of_the_others(far: Far) -> None:
    init = a_container("init", essential=False, entryPoint=["sh", "-c", "exit 0"])
    after = [{"containerName": "init", "condition": "SUCCESS"}]
    arn = await far.run(sh(f"echo ${URI}; sleep 60", dependsOn=after), init)
    uri = await printed(far, arn)
    found = await far.page(f"{uri.removeprefix(far.url)}/task")
    assert found["TaskARN"] == arn
    assert (found["Family"], found["Revision"], found["LaunchType"]) == ("web", "1", "FARGATE")
    assert found["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert {"PullStartedAt", "PullStoppedAt"} <= found.keys()
    states = {each["Name"]: (each["KnownStatus"], each.get("ExitCode")) for each in found["Containers"]}
    assert states == {"main": ("RUNNING", None), "init": ("STOPPED", 0)}
    await far.ask("ecs", "stop_task", cluster="spillway", task=arn)


async def test_a_container_that_has_not_started_is_not_listed(far: Far) -> None:
    init = a_container("init", essential=False, entryPoint=["sh", "-c", f"echo ${URI}; sleep 60"])
    after = [{"containerName": "init", "condition": "SUCCESS"}]
    arn = await far.run(sh("true", dependsOn=after), init)
    await far.reaches(arn, "PENDING")
    record = next(iter(far.fargate._lifecycle.tasks.values()))
    await until(lambda: record.containers["init"].started is not None)
    found = await far.page(f"/v4/{record.containers['init'].runtime_id}/task")
    assert [each["Name"] for each in found["Containers"]] == ["init"]
    with pytest.raises(HTTPError, match="404"):
        await far.page(f"/v4/{record.containers['main'].runtime_id}")
    await far.ask("ecs", "stop_task", cluster="spillway", task=arn)


@pytest.mark.parametrize("path", ["/v4/nobody", "/v4/nobody/task", "/v4/nobody/task/stats"])
async def test_there_is_nothing_for_strangers(far: Far, path: str) -> None:
    with pytest.raises(HTTPError, match="404"):
        await far.page(path)


async def test_a_container_reads_what_it_takes(far: Far) -> None:
    arn = await far.run(sh(f"echo ${URI}; exec sleep 60", memory=256), sh("exec sleep 60", "side"))
    uri = await printed(far, arn)
    path = uri.removeprefix(far.url)
    await far.page(f"{path}/stats")
    await far.clock.advance(10)
    found = await far.page(f"{path}/stats")
    memory = found["memory_stats"]
    assert memory["limit"] == 256 << 20
    assert 0 < memory["usage"] < memory["limit"]
    assert found["cpu_stats"]["cpu_usage"]["total_usage"] >= 0
    assert found["cpu_stats"]["system_cpu_usage"] >= found["precpu_stats"]["system_cpu_usage"] > 0
    assert found["cpu_stats"]["online_cpus"] >= 1
    assert (found["preread"], found["read"]) == ("2026-01-01T12:00:00Z", "2026-01-01T12:00:10Z")


async def test_a_container_reads_what_its_task_takes(far: Far) -> None:
    over = sh("exit 0", "over", essential=False)
    arn = await far.run(sh(f"echo ${URI}; exec sleep 60"), over)
    uri = await printed(far, arn)
    await until(lambda: len(far.fargate._processes._running) == 1)
    found = await far.page(f"{uri.removeprefix(far.url)}/task/stats")
    ids = {each["name"]: each["runtimeId"] for each in (await far.task(arn))["containers"]}
    assert found[ids["over"]] is None
    assert found[ids["main"]]["pids_stats"] == {"current": 1}
