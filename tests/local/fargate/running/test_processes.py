import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.local.fargate.config import Pace
from app.local.fargate.logs.store import LogTarget
from app.local.fargate.running.processes import host_has
from tests.local.fargate.fakes import GROUP, Aws, Build, a_container

AT_ONCE = Pace(
    provisioning=0, pending=0, activating=0, deactivating=0, deprovisioning=0, visible_after=0, logged_after=0
)
STUBBORN = (
    "import signal, time; signal.signal(15, lambda *_: print('no', flush=True)); print('up', flush=True)\n"
)

IN_A_GROUP = "timeout 600 sh -c 'echo $$; sleep 600; true' & wait"
"""A process in a group of its own (timeout(1) makes one), as the in-task helper gives to its command."""


@pytest.fixture
async def host(build: Build) -> AsyncIterator[Aws]:
    """An embedded Fargate that runs what this host can execute; only processes take time."""
    aws = build(can_execute=host_has, pace=AT_ONCE)
    yield aws
    await aws.fargate._processes.close()


async def until(true: Callable[[], Any]) -> None:
    """Wait for something that a real process does."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  (a process of the host sets no event of ours)
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def launched(aws: Aws, *argv: str, **fields: Any) -> str:
    """Run a task whose entry point is `argv`."""
    await aws.register(containerDefinitions=[a_container(entryPoint=list(argv), **fields)])
    return await aws.run()


async def ended(aws: Aws, arn: str) -> dict[str, Any]:
    """The task's container, once the task has stopped."""
    await until(lambda: "STOPPED" in {status for _, status, _ in aws.statuses(arn)})
    container: dict[str, Any] = (await aws.task(arn))["containers"][0]
    return container


async def printed(aws: Aws, arn: str, count: int) -> list[str]:
    """The container's log, once it has so many lines."""
    await started(aws, arn)
    stream = aws.fargate._logs.stream(LogTarget(GROUP, f"pods/main/{arn.rsplit('/', 1)[-1]}"))
    await until(lambda: len(stream.events) >= count)
    return await aws.lines(arn)


async def started(aws: Aws, arn: str) -> None:
    """Return once the task runs."""
    await until(lambda: "RUNNING" in {status for _, status, _ in aws.statuses(arn)})


async def test_output_of_both_kinds_goes_to_the_log_line_by_line(host: Aws) -> None:
    arn = await launched(host, "sh", "-c", "echo one; echo two >&2; printf three")
    await ended(host, arn)
    assert await host.lines(arn) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("exit 0", 0, id="success"),
        pytest.param("exit 7", 7, id="failure"),
        pytest.param("kill -9 $$", 137, id="killed"),
        pytest.param("kill -15 $$", 143, id="terminated"),
    ],
)
async def test_the_exit_code_is_the_processs(host: Aws, script: str, code: int) -> None:
    arn = await launched(host, "sh", "-c", script)
    assert (await ended(host, arn))["exitCode"] == code


async def test_stop_task_sends_sigterm_which_a_process_may_handle(host: Aws) -> None:
    handler = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    arn = await launched(host, "sh", "-c", handler)
    assert await printed(host, arn, 1) == ["up"]
    await host.call("StopTask", cluster="spillway", task=arn)
    assert (await ended(host, arn))["exitCode"] == 3
    assert await host.lines(arn) == ["up", "bye"]


async def test_a_process_that_ignores_sigterm_is_killed_after_its_stop_timeout(host: Aws) -> None:
    arn = await launched(host, sys.executable, "-c", STUBBORN + "while True: time.sleep(60)", stopTimeout=30)
    await printed(host, arn, 1)
    await host.call("StopTask", cluster="spillway", task=arn)
    assert await printed(host, arn, 2) == ["up", "no"]
    await host.clock.advance(29)
    assert (await host.task(arn))["containers"][0]["lastStatus"] == "RUNNING"
    await host.clock.advance(2)
    assert (await ended(host, arn))["exitCode"] == 137


async def test_what_a_container_started_dies_with_it(host: Aws) -> None:
    arn = await launched(host, "sh", "-c", "sleep 600 & echo $!")
    await ended(host, arn)
    [child] = await host.lines(arn)
    await until(lambda: not alive(int(child)))


async def test_closing_kills_processes_and_their_children(host: Aws) -> None:
    arn = await launched(host, "sh", "-c", "sleep 600 & echo $!; echo $$; wait")
    pids = [int(line) for line in await printed(host, arn, 2)]
    await host.fargate._processes.close()
    await until(lambda: not any(map(alive, pids)))


@pytest.mark.skipif(sys.platform != "linux", reason="the session is found in /proc")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(IN_A_GROUP, id="group"),
        pytest.param("setsid sh -c 'echo $$; sleep 600; true' & wait", id="session"),
    ],
)
async def test_closing_kills_what_left_for(host: Aws, script: str) -> None:
    arn = await launched(host, "sh", "-c", script)
    [child] = await printed(host, arn, 1)
    await host.fargate._processes.close()
    await until(lambda: not alive(int(child)))


async def test_closing_while_a_process_starts_leaves_nothing(host: Aws) -> None:
    await launched(host, "sleep", "600")
    host.fargate._agenda.run_due()
    await host.fargate._processes.close()
    assert host.fargate._processes._running == {}


async def test_the_command_override_follows_the_entry_point(host: Aws) -> None:
    await host.register(containerDefinitions=[a_container(entryPoint=["echo", "-n"], command=["default"])])
    arn = await host.run(overrides={"containerOverrides": [{"name": "main", "command": ["a b", "c"]}]})
    await ended(host, arn)
    assert await host.lines(arn) == ["a b c"]


async def test_the_environment_is_the_tasks_and_not_the_hosts(
    host: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    variables = [{"name": "COLOR", "value": "red"}, {"name": "SHAPE", "value": "round"}]
    await host.register(containerDefinitions=[a_container(entryPoint=["env"], environment=variables)])
    override = {"name": "main", "environment": [{"name": "COLOR", "value": "blue"}]}
    arn = await host.run(overrides={"containerOverrides": [override]})
    await ended(host, arn)
    found = dict(line.split("=", 1) for line in await host.lines(arn))
    assert (found["COLOR"], found["SHAPE"], found["AWS_REGION"]) == ("blue", "round", "us-east-1")
    assert found["PATH"] == os.environ["PATH"]
    assert "SECRET_OF_THE_HOST" not in found


async def test_a_working_directory_of_the_host_is_used(host: Aws, tmp_path: Path) -> None:
    arn = await launched(host, "pwd", workingDirectory=str(tmp_path))
    await ended(host, arn)
    assert await host.lines(arn) == [str(tmp_path)]


async def test_another_working_directory_is_an_empty_one_that_goes_away(host: Aws) -> None:
    arn = await launched(host, "sh", "-c", "touch here; pwd", workingDirectory="/only/in/the/image")
    await ended(host, arn)
    [directory] = await host.lines(arn)
    assert not os.path.exists(directory)  # noqa: PTH110  (one look)


async def test_what_cannot_be_started_exits_with_127_and_says_why(build: Build) -> None:
    aws = build(can_execute=lambda _command: True, pace=AT_ONCE)
    arn = await launched(aws, "/no/such/program")
    assert (await ended(aws, arn))["exitCode"] == 127
    assert (await aws.lines(arn))[0].startswith("cannot start /no/such/program")


@pytest.mark.parametrize(
    ("container", "config"),
    [
        pytest.param(a_container(), {}, id="no command"),
        pytest.param(a_container(entryPoint=["/no/such/program"]), {}, id="not on this host"),
        pytest.param(a_container(entryPoint=["true"], image="simulated/app"), {}, id="image says so"),
        pytest.param(a_container(entryPoint=["true"], script={}), {}, id="script"),
        pytest.param(a_container(entryPoint=["true"]), {"simulate_all": True}, id="configuration"),
    ],
)
async def test_a_task_is_simulated(build: Build, container: dict[str, Any], config: dict[str, Any]) -> None:
    aws = build(can_execute=host_has, pace=AT_ONCE, **config)
    await aws.register(containerDefinitions=[container])
    await aws.run()
    assert [each["process"] for each in aws.fargate.state()["tasks"]] == [False]


async def test_one_container_that_cannot_run_here_makes_the_whole_task_simulated(host: Aws) -> None:
    await host.register(containerDefinitions=[a_container(entryPoint=["true"]), a_container("other")])
    await host.run()
    assert [each["process"] for each in host.fargate.state()["tasks"]] == [False]


FORGETFUL = """
import asyncio, os, signal, sys
from app.local.fargate.running.processes import ProcessRunner
from app.local.fargate.running.workload import Workload

class Listener:
    def printed(self, key, line):
        print(line, flush=True)
        up.set()
    def exited(self, key, code, *, reason=""):
        raise AssertionError("it was to run on")

async def main():
    global up
    up = asyncio.Event()
    runner = ProcessRunner()
    runner.open()
    argv = ("sh", "-c", sys.argv[1])
    runner.start(Workload(task="t", container="c", argv=argv, environment={}), Listener())
    await up.wait()
    exec(sys.argv[2])

asyncio.run(main())
"""


KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")


@pytest.mark.parametrize(
    ("script", "ending", "code"),
    [
        pytest.param("sleep 600 & echo $!; wait", "sys.exit(5)", 5, id="exits-without-stopping"),
        pytest.param(IN_A_GROUP, "sys.exit(5)", 5, id="exits-with-a-second-group", marks=ONLY_LINUX),
        pytest.param("echo $$; exec sleep 600", KILLED, -9, id="is-killed", marks=ONLY_LINUX),
        pytest.param(IN_A_GROUP, KILLED, -9, id="is-killed-with-a-second-group", marks=ONLY_LINUX),
    ],
)
async def test_nothing_outlives_a_program_that(script: str, ending: str, code: int) -> None:
    program = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "ignore", "-c", FORGETFUL, script, ending],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert program.returncode == code
    await until(lambda: not alive(int(program.stdout)))
