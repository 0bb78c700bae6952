import asyncio
import errno
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.local.fargate.running.enclosure import kernel, namespace
from app.local.fargate.running.enclosure.plan import Impossible, Mount, Plan, plan_from
from app.local.fargate.running.enclosure.user import User
from app.local.fargate.running.processes import ProcessRunner
from app.local.fargate.running.root_file_system import RootFileSystem
from app.local.fargate.running.workload import Key, Workload
from tests.local.fargate.fakes import until
from tests.local.fargate.running.test_processes import FORGETFUL, alive


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str]] = []
        self.lines: list[str] = []

    def printed(self, key: Key, line: str) -> None:
        self.lines.append(line)

    def exited(self, key: Key, code: int, *, reason: str = "") -> None:
        self.ends.append((code, reason))


def refuse(flags: int) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_a_plan_comes_out_as_it_went_in() -> None:
    plan = Plan(
        scratch="/s",
        report=3,
        parent=1,
        mounts=(Mount("/a", source="/b", readonly=True), Mount("/c", text="x"), Mount("/d", options=("ro",))),
        user="1:2",
        capabilities=(0, 1),
    )
    assert plan_from(plan.text()) == plan._replace(
        mounts=tuple(each._replace(options=list(each.options)) for each in plan.mounts),  # type: ignore[arg-type]  # JSON has no tuples
        capabilities=[0, 1],  # type: ignore[arg-type]  # as above
    )


def test_a_host_without_namespaces_says_how_to_allow_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "unshare", refuse)
    with pytest.raises(Impossible, match=r"permits no namespaces \(Operation not permitted\): run as root"):
        namespace.enter(User(0, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
async def test_the_same_hindrance_is_logged_once() -> None:
    runner, heard = ProcessRunner(), Heard()
    root = RootFileSystem(user="nobody-of-this-name")
    with capture_logs() as logged:
        for number in range(2):
            workload = Workload(task=str(number), container="c", argv=("true",), environment={}, root=root)
            runner.start(workload, heard)
        await until(lambda: len(heard.ends) == 2)
    assert {reason.partition(":")[0] for _, reason in heard.ends} == {"CannotStartContainerError"}
    assert ["nobody-of-this-name" in each["why"] for each in logged] == [True]
    await runner.close()


async def test_a_way_in_that_cannot_be_taken_at_all_is_told(tmp_path: Path) -> None:
    runner, heard = ProcessRunner(), Heard()
    too_long = {"BIG": "x" * 1_000_000}
    root = RootFileSystem(user="0")
    runner.start(Workload(task="t", container="c", argv=("true",), environment=too_long, root=root), heard)
    await until(lambda: heard.ends)
    assert heard.ends == [(127, "")]
    assert heard.lines[0].startswith("cannot start true: ")
    await runner.close()


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
async def test_a_start_leaves_neither_files_nor_pipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runner, heard = ProcessRunner(), Heard()
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    root = RootFileSystem(user="0")
    for number in range(3):
        workload = Workload(task=str(number), container="c", argv=("true",), environment={}, root=root)
        runner.start(workload, heard)
    await until(lambda: len(heard.ends) == 3)
    assert heard.ends == [(0, "")] * 3
    assert list(tmp_path.iterdir()) == []
    await until(lambda: len(list(descriptors.iterdir())) <= before)
    await runner.close()


FORGETFUL_OF_A_ROOT = FORGETFUL.replace(
    "environment={}",
    "environment={}, root=__import__('app.local.fargate.running.root_file_system', fromlist=['_'])"
    ".RootFileSystem(user='4321')",
)


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
@pytest.mark.parametrize(
    ("script", "ending", "code"),
    [
        pytest.param("sleep 600 & echo $!; wait", "sys.exit(5)", 5, id="exits-without-stopping"),
        pytest.param("echo $$; exec sleep 600", "os.kill(os.getpid(), signal.SIGKILL)", -9, id="is-killed"),
    ],
)
async def test_no_enclosed_process_outlives_a_program_that(script: str, ending: str, code: int) -> None:
    program = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "ignore", "-c", FORGETFUL_OF_A_ROOT, script, ending],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert program.returncode == code
    await until(lambda: not alive(int(program.stdout)))
