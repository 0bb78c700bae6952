import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.local.fargate.config import Pace
from app.local.fargate.journal import ContainerChange
from app.local.fargate.running.process_checks import ProcessChecks
from app.local.fargate.running.processes import host_has
from tests.local.fargate.fakes import Aws, Build, a_container, until

AT_ONCE = Pace(
    provisioning=0, pending=0, activating=0, deactivating=0, deprovisioning=0, visible_after=0, logged_after=0
)


@pytest.fixture
async def host(build: Build) -> AsyncIterator[Aws]:
    """An embedded Fargate that runs what this host can execute."""
    aws = build(can_execute=host_has, pace=AT_ONCE)
    yield aws
    await aws.fargate._processes.close()


async def running(aws: Aws, *check: str, **fields: Any) -> str:
    """A task whose container sleeps and is checked by a command every five seconds; one failure is enough."""
    health = {"command": list(check), "interval": 5, "timeout": 2, "retries": 1}
    container = a_container(entryPoint=["sleep", "600"], healthCheck=health, **fields)
    await aws.register(containerDefinitions=[container])
    arn = await aws.run()
    processes = aws.fargate._processes
    await until(lambda: any(each.pid for each in processes._running.values()))
    return arn


def healths(aws: Aws) -> list[str]:
    """What the journal says of the container's health."""
    return [each.health for each in aws.journal.since() if isinstance(each, ContainerChange)]


@pytest.mark.parametrize(
    ("check", "health"),
    [
        pytest.param(["CMD", "true"], "HEALTHY", id="a command that succeeds"),
        pytest.param(["CMD", "false"], "UNHEALTHY", id="a command that fails"),
        pytest.param(["CMD-SHELL", 'test "$COLOR" = blue'], "HEALTHY", id="the container's environment"),
        pytest.param(["CMD-SHELL", "exit 1 || exit 0"], "UNHEALTHY", id="a shell's exit"),
        pytest.param(["CMD", "/no/such/program"], "UNHEALTHY", id="no such command"),
    ],
)
async def test_the_commands_end_is_the_health(host: Aws, check: list[str], health: str) -> None:
    await running(host, *check, environment=[{"name": "COLOR", "value": "blue"}])
    await host.clock.advance(5)
    await until(lambda: len(healths(host)) > 1)
    assert healths(host)[-1] == health


async def test_a_check_runs_where_the_container_does(host: Aws, tmp_path: Path) -> None:
    await running(host, "CMD-SHELL", f"test $PWD = {tmp_path}", workingDirectory=str(tmp_path))
    await host.clock.advance(5)
    await until(lambda: len(healths(host)) > 1)
    assert healths(host)[-1] == "HEALTHY"


async def test_a_check_that_hangs_is_killed_at_its_timeout(host: Aws) -> None:
    await running(host, "CMD-SHELL", "sleep 600 & wait")
    await host.clock.advance(5)
    checks = host.fargate._processes._checks._running
    await until(lambda: checks)
    await host.clock.advance(2)
    assert healths(host)[-1] == "UNHEALTHY"
    await until(lambda: not checks)


async def test_a_container_that_ends_takes_its_checks_with_it(host: Aws) -> None:
    arn = await running(host, "CMD", "sleep", "600")
    await host.clock.advance(5)
    checks = host.fargate._processes._checks._running
    await until(lambda: checks)
    await host.call("StopTask", cluster="spillway", task=arn)
    await host.clock.advance(1)
    await until(lambda: not checks)


async def test_closing_ends_the_checks(host: Aws) -> None:
    await running(host, "CMD", "sleep", "600")
    await host.clock.advance(5)
    await host.fargate._processes.close()
    assert host.fargate._processes._checks._running == {}


async def test_what_cannot_be_executed_fails() -> None:
    checks, codes = ProcessChecks(), list[int]()
    checks.start(("t", "c"), ("/no/such/program",), beside=os.getpid(), environment={}, done=codes.append)
    await until(lambda: codes)
    assert codes == [126]
    await checks.close()


async def test_a_check_that_is_given_up_tells_nothing() -> None:
    checks, codes = ProcessChecks(), list[int]()
    give_up = checks.start(
        ("t", "c"), ("sleep", "600"), beside=os.getpid(), environment=dict(os.environ), done=codes.append
    )
    await until(lambda: checks._running)
    give_up()
    await until(lambda: not checks._running)
    assert codes == []


ENCLOSED: dict[str, Any] = {
    "entryPoint": ["sh", "-c", "echo here > /data/file; cd /data; exec sleep 600"],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
}


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
@pytest.mark.parametrize(
    ("check", "user"),
    [
        pytest.param(["CMD-SHELL", 'test "$(cat /data/file)" = here'], "", id="sees its volumes"),
        pytest.param(["CMD-SHELL", 'test "$(id -u):$(id -g)" = 0:0'], "", id="is the container's user"),
        pytest.param(
            ["CMD-SHELL", 'test "$(id -u):$(id -g)" = 1234:5678'],
            "1234:5678",
            id="is another user",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root may be anybody"),
        ),
    ],
)
async def test_a_check_of_an_enclosed_container(host: Aws, check: list[str], user: str) -> None:
    fields = {**ENCLOSED, "entryPoint": ["sh", "-c", "echo up; sleep 600"]} if user else ENCLOSED
    health = {"command": check, "interval": 5, "timeout": 2, "retries": 1}
    container = a_container(healthCheck=health, **fields, **({"user": user} if user else {}))
    await host.register(containerDefinitions=[container], volumes=[{"name": "data"}])
    await host.run()
    processes = host.fargate._processes
    await until(lambda: any(_program(each.pid) in {"sleep", "sh"} for each in processes._running.values()))
    await host.clock.advance(5)
    await until(lambda: len(healths(host)) > 1)
    assert healths(host)[-1] == "HEALTHY"


def _program(pid: int | None) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip() if pid is not None else ""
