import os
import pwd
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.local.fargate.definitions.capabilities import numbers_of
from app.local.fargate.definitions.container_parts import Capabilities
from app.local.fargate.running.processes import host_has
from tests.local.fargate.enclosed import AT_ONCE, codes, mounted, ran, sh
from tests.local.fargate.fakes import Aws, Build, until
from tests.local.fargate.running.test_processes import alive, printed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")

BOUNDING = "grep CapBnd /proc/self/status"
SYS_PTRACE = 1 << 19


@pytest.fixture
async def host(build: Build, tmp_path: Path) -> AsyncIterator[Aws]:
    """An embedded Fargate whose volumes lie in the test's directory."""
    aws = build(can_execute=host_has, pace=AT_ONCE, volumes_path=tmp_path / "volumes")
    yield aws
    await aws.fargate._processes.close()


@pytest.mark.parametrize(
    ("user", "numbers"),
    [
        pytest.param("0", "0 0", id="root"),
        pytest.param("nobody", "65534 65534", id="a name and its group"),
        pytest.param("nobody:root", "65534 0", id="names"),
        pytest.param("4321", "4321 0", id="a number that nobody has"),
        pytest.param("4321:8765", "4321 8765", id="numbers"),
    ],
)
async def test_a_container_runs_as_its_user(host: Aws, user: str, numbers: str) -> None:
    _, lines = await ran(host, sh("echo $(id -u) $(id -g)", user=user))
    assert lines == [numbers]


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every file of a container has one owner")
async def test_a_volume_is_roots_as_on_fargate(host: Aws) -> None:
    script = "stat -c '%u %a' /data; touch /data/x"
    task, lines = await ran(
        host, sh(script, user="4321", mountPoints=[mounted("data", "/data")]), volumes=[{"name": "data"}]
    )
    assert lines[0] == "0 755"
    assert "Permission denied" in lines[1]
    assert codes(task) == [1]


async def test_a_read_only_root_refuses_writes_outside_of_volumes(host: Aws) -> None:
    script = "touch /x; touch /usr/x; touch /tmp/x; touch /data/x && echo > /dev/null && echo done"
    task, lines = await ran(
        host,
        sh(script, readonlyRootFilesystem=True, mountPoints=[mounted("data", "/data")]),
        volumes=[{"name": "data"}],
    )
    assert [("Read-only file system" in line) for line in lines] == [True, True, True, False]
    assert lines[-1] == "done"
    assert codes(task) == [0]


async def test_a_missing_working_directory_is_made(host: Aws) -> None:
    _, lines = await ran(host, sh("pwd", user="4321", workingDirectory="/only/in/the/image"))
    assert lines == ["/only/in/the/image"]


async def test_dropping_all_capabilities_leaves_none(host: Aws) -> None:
    _, lines = await ran(host, sh(BOUNDING, linuxParameters={"capabilities": {"drop": ["ALL"]}}))
    assert int(lines[0].split()[1], 16) == 0


async def test_sys_ptrace_can_be_added(host: Aws) -> None:
    capabilities = {"drop": ["ALL"], "add": ["SYS_PTRACE"]}
    _, lines = await ran(host, sh(BOUNDING, linuxParameters={"capabilities": capabilities}))
    assert int(lines[0].split()[1], 16) == SYS_PTRACE


def test_a_container_has_dockers_capabilities_but_those_it_drops() -> None:
    assert numbers_of(Capabilities()) == (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)
    assert numbers_of(Capabilities(drop=("CHOWN", "KILL"))) == (1, 3, 4, 6, 7, 8, 10, 13, 18, 27, 29, 31)


async def test_the_hosts_file_knows_the_task_and_can_be_written(host: Aws) -> None:
    script = "cat /etc/hosts; echo 10.0.0.1 db >> /etc/hosts && tail -1 /etc/hosts"
    _, lines = await ran(host, sh(script, user="0"))
    assert lines == ["127.0.0.1 localhost", "127.77.0.4 ip-127-77-0-4.ec2.internal", "10.0.0.1 db"]


async def test_the_environment_has_nothing_of_the_way_in(host: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANG", raising=False)
    variables = [{"name": "PYTHONPATH", "value": "/x"}, {"name": "EMPTY", "value": ""}]
    _, lines = await ran(host, sh("env", user="0", environment=variables))
    found = dict(line.split("=", 1) for line in lines)
    assert found["PYTHONPATH"] == "/x"
    assert found["EMPTY"] == ""
    assert "LC_CTYPE" not in found


async def test_the_devices_are_the_containers_own(host: Aws) -> None:
    script = (
        "echo x > /dev/null && head -c 3 /dev/zero | wc -c && echo out > /dev/stdout && echo x > /dev/shm/x "
        "&& echo message > /dev/made-by-test && cat /dev/made-by-test"
    )
    task, lines = await ran(host, sh(script, user="0", readonlyRootFilesystem=True))
    assert (lines, codes(task)) == (["3", "out", "message"], [0])
    assert not Path("/dev/made-by-test").exists()


async def test_any_user_can_open_the_containers_output(host: Aws) -> None:
    task, lines = await ran(host, sh("echo out > /dev/stdout && echo err > /dev/stderr", user="4321"))
    assert (lines, codes(task)) == (["out", "err"], [0])


@pytest.mark.parametrize(("user", "home"), [("nobody", pwd.getpwnam("nobody").pw_dir), ("4321", "/")])
async def test_the_home_directory_is_the_users(host: Aws, user: str, home: str) -> None:
    _, lines = await ran(host, sh("echo $HOME", user=user))
    assert lines == [home]


async def test_signals_and_exit_codes_are_the_containers(host: Aws) -> None:
    await host.register(
        containerDefinitions=[sh("trap 'exit 3' TERM; echo $$; sleep 600 & wait", user="4321")]
    )
    arn = await host.run()
    await until(lambda: "RUNNING" in {status for _, status, _ in host.statuses(arn)})
    stream = host.fargate._logs.group("/spillway/pods").streams[f"pods/main/{arn.rsplit('/', 1)[-1]}"]
    await until(lambda: stream.events)
    await host.call("StopTask", cluster="spillway", task=arn)
    await until(lambda: "STOPPED" in {status for _, status, _ in host.statuses(arn)})
    assert codes(await host.task(arn)) == [3]


async def test_a_health_check_runs_as_the_user_and_sees_the_containers_own_files(host: Aws) -> None:
    check = {"command": ["CMD-SHELL", "test -f /own/up && test $(id -u) = 4321"], "interval": 5, "retries": 1}
    tmpfs = [{"containerPath": "/own", "size": 1, "mountOptions": ["mode=1777"]}]
    script = "touch /own/up && echo up && exec sleep 600"
    linux = {"tmpfs": tmpfs}
    await host.register(
        containerDefinitions=[sh(script, user="4321", healthCheck=check, linuxParameters=linux)]
    )
    arn = await host.run()
    assert await printed(host, arn, 1) == ["up"]
    await host.clock.advance(5)
    record = next(iter(host.fargate._lifecycle.tasks.values())).containers["main"]
    await until(lambda: record.health != "UNKNOWN")
    assert record.health == "HEALTHY"


async def test_everything_in_a_root_of_its_own_dies_with_the_container(host: Aws) -> None:
    _, [child] = await ran(host, sh("sleep 600 & echo $!", user="4321"))
    await until(lambda: not alive(int(child)))
