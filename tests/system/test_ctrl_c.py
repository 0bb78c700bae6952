"""`spillway local` ends all that it started, however it is ended."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

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


Local = Callable[..., Awaitable[tuple[asyncio.subprocess.Process, dict[str, str]]]]


@pytest_asyncio.fixture
async def local() -> AsyncIterator[Local]:
    """Starts `spillway local`, and returns once it is ready; what still runs when the test ends is ended."""
    begun: list[asyncio.subprocess.Process] = []

    async def start(*flags: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "local", "--embedded", "--json", *flags),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        begun.append(process)
        assert process.stdout
        return process, json.loads(await asyncio.wait_for(process.stdout.readline(), 120))

    yield start
    for each in begun:
        if each.returncode is None:
            each.terminate()
        await each.wait()


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM")]
)
async def test_a_signal_ends_everything_and_the_exit_code_is_0(number: signal.Signals, local: Local) -> None:
    process, facts = await local()
    below = descendants(process.pid)
    assert len(below) >= 3
    assert Path(facts["kubeconfig"]).exists()
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 120) == 0
    assert living(below) == set()
    assert not Path(facts["kubeconfig"]).exists()


async def test_a_program_that_dies_again_and_again_ends_the_stack(tmp_path: Path, local: Local) -> None:
    process, _ = await local("--directory", str(tmp_path))
    killed: set[int] = set()
    while len(killed) < 3:
        victim = await extender_of(process.pid, other_than=killed)
        os.kill(victim, signal.SIGKILL)
        killed.add(victim)
    assert await asyncio.wait_for(process.wait(), 120) == 1


async def extender_of(pid: int, *, other_than: set[int]) -> int:
    """The extender's process, once there is another one than those."""
    for _ in range(1200):
        found = [each for each in descendants(pid) if each not in other_than and is_extender(each)]
        if found:
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError("no extender was started again")


def is_extender(pid: int) -> bool:
    """Whether this process runs the extender; one that has just ended runs nothing."""
    try:
        return b"extender" in command_of(pid)
    except FileNotFoundError:
        return False


def command_of(pid: int) -> bytes:
    """The process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()
