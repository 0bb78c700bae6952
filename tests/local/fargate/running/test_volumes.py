import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.local.fargate.running.processes import host_has
from tests.local.fargate.enclosed import AT_ONCE, codes, mounted, ran, sh, stopped
from tests.local.fargate.fakes import Aws, Build

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")

EFS = {
    "fileSystemId": "fs-0123456789abcdef0",
    "transitEncryption": "ENABLED",
    "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0"},
}
EBS = {"roleArn": "arn:aws:iam::123456789012:role/ebs", "sizeInGiB": 1}


@pytest.fixture
async def host(build: Build, tmp_path: Path) -> AsyncIterator[Aws]:
    """An embedded Fargate whose volumes lie in the test's directory."""
    aws = build(can_execute=host_has, pace=AT_ONCE, volumes_path=tmp_path / "volumes")
    yield aws
    await aws.fargate._processes.close()


def after(name: str) -> list[dict[str, str]]:
    return [{"containerName": name, "condition": "SUCCESS"}]


async def test_containers_share_a_volume_in_the_order_of_their_dependencies(host: Aws) -> None:
    task, lines = await ran(
        host,
        sh("cat /here/file", mountPoints=[mounted("data", "/here")], dependsOn=after("init")),
        sh("echo hello > /there/file", "init", essential=False, mountPoints=[mounted("data", "/there")]),
        volumes=[{"name": "data", "host": {}}],
    )
    assert codes(task) == [0, 0]
    assert lines == ["hello"]


async def test_a_volumes_from_sees_the_volumes_of_the_other_container(host: Aws) -> None:
    sources = [{"sourceContainer": "init", "readOnly": True}]
    task, lines = await ran(
        host,
        sh("cat /there/file; echo > /there/file", volumesFrom=sources, dependsOn=after("init")),
        sh("echo hello > /there/file", "init", essential=False, mountPoints=[mounted("data", "/there")]),
        volumes=[{"name": "data"}],
    )
    assert lines[0] == "hello"
    assert "Read-only" in lines[1]
    assert task["stopCode"] == "EssentialContainerExited"


async def test_a_volume_is_empty_for_each_task(host: Aws, tmp_path: Path) -> None:
    points = [mounted("data", "/data")]
    await host.register(
        containerDefinitions=[sh("ls /data; touch /data/left", mountPoints=points)],
        volumes=[{"name": "data"}],
    )
    for _ in range(2):
        arn = await host.run()
        await stopped(host, arn)
        assert await host.lines(arn) == []
    assert list((tmp_path / "volumes" / "tasks").iterdir()) == []


async def test_a_volume_that_is_configured_at_launch_is_new(host: Aws) -> None:
    points = [mounted("disk", "/data")]
    await host.register(
        containerDefinitions=[sh("touch /data/x && ls /data", mountPoints=points)],
        volumes=[{"name": "disk", "configuredAtLaunch": True}],
    )
    arn = await host.run(volumeConfigurations=[{"name": "disk", "managedEBSVolume": EBS}])
    await stopped(host, arn)
    assert await host.lines(arn) == ["x"]


async def test_an_efs_file_system_outlives_the_task_and_belongs_to_its_access_point(host: Aws) -> None:
    points = [mounted("efs", "/data")]
    volumes = [{"name": "efs", "efsVolumeConfiguration": EFS}]
    others = [{"name": "efs", "efsVolumeConfiguration": {"fileSystemId": EFS["fileSystemId"]}}]
    await ran(host, sh("touch /data/kept", mountPoints=points), volumes=volumes)
    _, same = await ran(host, sh("ls /data", mountPoints=points), family="same", volumes=volumes)
    _, other = await ran(host, sh("ls /data", mountPoints=points), family="other", volumes=others)
    assert same == ["kept"]
    assert other == []


async def test_a_mount_may_lie_in_another_mount(host: Aws) -> None:
    points = [mounted("inner", "/data/in/side"), mounted("outer", "/data")]
    task, lines = await ran(
        host,
        sh("touch /data/in/side/x /data/y && cd /data && find . -type f | sort", mountPoints=points),
        volumes=[{"name": "inner"}, {"name": "outer"}],
    )
    assert codes(task) == [0]
    assert lines == ["./in/side/x", "./y"]


async def test_a_read_only_mount_refuses_writes(host: Aws) -> None:
    task, lines = await ran(
        host,
        sh("touch /data/x", mountPoints=[mounted("data", "/data", readOnly=True)]),
        volumes=[{"name": "data"}],
    )
    assert codes(task) == [1]
    assert "Read-only file system" in lines[0]


async def test_a_tmpfs_has_its_size_and_options(host: Aws) -> None:
    tmpfs = [{"containerPath": "/fast", "size": 1, "mountOptions": ["noexec", "mode=1777"]}]
    script = "df -k /fast | tail -1 | tr -s ' ' | cut -d' ' -f2; grep ' /fast ' /proc/mounts"
    _, lines = await ran(host, sh(script, linuxParameters={"tmpfs": tmpfs}))
    assert lines[0] == "1024"
    assert "noexec" in lines[1]


async def test_what_a_container_writes_outside_of_volumes_stays_in_it(host: Aws) -> None:
    script = "mkdir /made-by-test && touch /usr/made-by-test && ls -d /usr/made-by-test"
    task, lines = await ran(
        host, sh(script, mountPoints=[mounted("data", "/data")]), volumes=[{"name": "data"}]
    )
    assert codes(task) == [0]
    assert lines == ["/usr/made-by-test"]
    assert not any(map(os.path.exists, ("/made-by-test", "/usr/made-by-test", "/data")))


async def test_a_link_in_a_container_path_leads_nowhere_but_inside(host: Aws) -> None:
    points = [mounted("data", "/var/run/made-by-test")]
    task, _ = await ran(host, sh("ls -d /run/made-by-test", mountPoints=points), volumes=[{"name": "data"}])
    assert codes(task) == [0]
    assert not os.path.exists("/run/made-by-test")  # noqa: PTH110  (one look)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"user": "nobody-of-this-name"}, "unable to find user", id="unknown user"),
        pytest.param({"user": "0:nobody-of-this-name"}, "unable to find group", id="unknown group"),
        pytest.param(
            {"mountPoints": [mounted("data", "/etc/hostname/data")]},
            "Not a directory",
            id="mount below a file",
        ),
    ],
)
async def test_a_container_that_cannot_be_started_fails_its_task_and_says_why(
    host: Aws, fields: dict[str, Any], reason: str
) -> None:
    task, lines = await ran(host, sh("true", **fields), volumes=[{"name": "data"}])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["containers"][0]["reason"].startswith("CannotStartContainerError: ")
    assert reason in task["containers"][0]["reason"]
    assert reason in lines[0]
    assert codes(task) == [128]


async def test_a_command_that_is_not_in_the_root_cannot_be_started(host: Aws) -> None:
    program = "/data/no-program"
    await host.register(
        containerDefinitions=[{**sh(""), "entryPoint": [program], "mountPoints": [mounted("data", "/data")]}],
        volumes=[{"name": "data"}],
    )
    task = await stopped(host, await host.run())
    assert codes(task) == [127]
    assert task["containers"][0]["reason"].endswith(f'exec: "{program}": No such file or directory')


async def test_without_volumes_path_nothing_is_left_of_a_task(build: Build) -> None:
    aws = build(can_execute=host_has, pace=AT_ONCE)
    task, _ = await ran(
        aws, sh("touch /data/x", mountPoints=[mounted("data", "/data")]), volumes=[{"name": "data"}]
    )
    assert codes(task) == [0]
    assert aws.fargate._surroundings.volumes._temporary is None


async def test_without_volumes_path_what_tasks_leave_goes_away_with_the_embedded_fargate(
    build: Build,
) -> None:
    aws = build(can_execute=host_has, pace=AT_ONCE)
    await ran(
        aws,
        sh("touch /data/x", mountPoints=[mounted("efs", "/data")]),
        volumes=[{"name": "efs", "efsVolumeConfiguration": EFS}],
    )
    directory = aws.fargate._surroundings.volumes._temporary
    assert directory is not None
    aws.fargate._surroundings.close()
    assert not directory.exists()
