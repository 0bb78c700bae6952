"""`spillway local` ends all that it started, however it is ended."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system


def descendants(pid: int) -> set[int]:
    """The living processes below one, from /proc."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return found


def living(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and state_of(pid) != "Z"}


def state_of(pid: int) -> str:
    """The process's state letter."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


async def started(*flags: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    """`spillway local`, once it says that it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "local", "--embedded", "--json", *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    return process, json.loads(await asyncio.wait_for(process.stdout.readline(), 60))


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM")]
)
async def test_a_signal_ends_everything_and_the_exit_code_is_0(number: signal.Signals) -> None:
    process, facts = await started()
    below = descendants(process.pid)
    assert len(below) >= 3
    assert Path(facts["kubeconfig"]).exists()
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert living(below) == set()
    assert not Path(facts["kubeconfig"]).exists()


async def test_a_program_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    process, _ = await started("--directory", str(tmp_path))
    victim = next(pid for pid in descendants(process.pid) if b"extender" in command_of(pid))
    os.kill(victim, signal.SIGKILL)
    assert await asyncio.wait_for(process.wait(), 20) == 1


def command_of(pid: int) -> bytes:
    """The process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()
