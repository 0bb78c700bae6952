import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.local.fargate.config import Image
from app.local.fargate.running.processes import host_has
from tests.local.fargate.enclosed import AT_ONCE, codes, mounted, ran, sh, stopped
from tests.local.fargate.fakes import Aws, Build, a_container

HELPER = "spillway/helper:local"
WRAPPER = "/tools/bin/run"
SCRIPT = """#!/bin/sh
case "$1" in
install) mkdir -p /tools/bin && cp "$0" /tools/bin/run && chmod 755 /tools/bin/run ;;
*) echo "$GREETING as $(id -u) in $(pwd)"; shift; exec "$@" ;;
esac
"""


@pytest.fixture
async def host(build: Build, tmp_path: Path) -> AsyncIterator[Aws]:
    """An embedded Fargate that knows an image with a program, and what that program does in a simulation."""
    program = tmp_path / "program"
    program.write_text(SCRIPT)
    program.chmod(0o755)
    known = Image(
        files={"/tool": program},
        entry_point=("/tool",),
        command=("say", "echo", "default"),
        environment={"GREETING": "hello"},
        user="4321",
        working_directory="/srv/app",
        wrappers=(WRAPPER,),
        simulated={"install": '{"run_seconds": 0}'},
    )
    aws = build(can_execute=host_has, pace=AT_ONCE, images={HELPER: known}, volumes_path=tmp_path / "volumes")
    yield aws
    await aws.fargate._processes.close()


linux = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")


@linux
@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        pytest.param({}, ["hello as 4321 in /srv/app", "default"], id="all from the image"),
        pytest.param(
            {"command": ["say", "echo", "other"]}, ["hello as 4321 in /srv/app", "other"], id="own command"
        ),
        pytest.param({"entryPoint": ["sh", "-c", "echo $GREETING"]}, ["hello"], id="own entry point"),
        pytest.param(
            {
                "user": "0",
                "workingDirectory": "/usr",
                "environment": [{"name": "GREETING", "value": "bye"}],
            },
            ["bye as 0 in /usr", "default"],
            id="own user, directory and variable",
        ),
    ],
)
async def test_an_image_says_what_the_definition_does_not(
    host: Aws, fields: dict[str, Any], lines: list[str]
) -> None:
    _, printed = await ran(host, a_container(image=HELPER, **fields))
    assert printed == lines


@linux
async def test_a_program_that_an_init_container_installs_wraps_the_others(host: Aws) -> None:
    points = [mounted("tools", "/tools")]
    install = a_container(
        "install", image=HELPER, command=["install"], user="0", essential=False, mountPoints=points
    )
    main = a_container(
        entryPoint=[WRAPPER],
        command=["--", "echo", "wrapped"],
        mountPoints=points,
        dependsOn=[{"containerName": "install", "condition": "SUCCESS"}],
    )
    task, lines = await ran(host, main, install, volumes=[{"name": "tools"}])
    assert codes(task) == [0, 0]
    assert lines[-1] == "wrapped"


@linux
async def test_an_images_files_cannot_be_changed(host: Aws) -> None:
    _, lines = await ran(host, sh("echo x > /tool", image=HELPER, user="0"))
    assert "Read-only file system" in lines[0]


async def test_a_wrapped_command_that_the_host_lacks_is_simulated_and_so_is_what_installs_the_wrapper(
    host: Aws,
) -> None:
    points = [mounted("tools", "/tools")]
    install = a_container("install", image=HELPER, command=["install"], essential=False, mountPoints=points)
    main = a_container(
        entryPoint=[WRAPPER],
        command=["run", "main", "--", "no-such-program"],
        mountPoints=points,
        dependsOn=[{"containerName": "install", "condition": "SUCCESS"}],
    )
    await host.register(containerDefinitions=[main, install], volumes=[{"name": "tools"}])
    arn = await host.run()
    await host.clock.advance(1)
    assert [each["process"] for each in host.fargate.state()["tasks"]] == [False]
    task = await host.task(arn)
    assert task["lastStatus"] == "RUNNING"
    assert codes(task) == [None, 0]


@pytest.mark.parametrize(
    ("names", "status"),
    [
        pytest.param(["main", "other"], "DEPROVISIONING", id="once all of them are over"),
        pytest.param(["main", "for-ever"], "RUNNING", id="not before"),
        pytest.param([], "RUNNING", id="never without names"),
    ],
)
async def test_a_simulated_follower_ends(build: Build, names: list[str], status: str) -> None:
    aws = build(images={HELPER: Image(followers=("keep",))})
    keeper = a_container("keeper", image=HELPER, entryPoint=["/tool", "keep"], command=names)
    main = a_container(essential=False, script={"run_seconds": 5, "exit_code": 3})
    other = a_container("other", essential=False, script={"run_seconds": 9})
    endless = a_container("for-ever", essential=False)
    arn = await aws.running(containerDefinitions=[keeper, main, other, endless])
    await aws.clock.advance(7)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"
    await aws.clock.advance(5)
    task = await aws.task(arn)
    assert task["lastStatus"] == status
    assert codes(task)[1:3] == [3, 0]


async def test_an_image_shows_nowhere_in_the_definition(host: Aws) -> None:
    await host.register(containerDefinitions=[a_container(image=HELPER)])
    found = (await host.call("DescribeTaskDefinition", taskDefinition="web"))["taskDefinition"]
    assert "user" not in found["containerDefinitions"][0]
    await stopped(host, await host.run())
