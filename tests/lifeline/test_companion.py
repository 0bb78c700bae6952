"""A child process that lives and dies with its parent."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from app.lifeline.companion import Companion, Parted
from app.wiring.clock import SystemClock
from app.wiring.stopping import leaves
from tests.fakes import VirtualClock

CHILD = """
import asyncio, os, sys
from app.lifeline.parent import Parent

async def main():
    parent = await Parent.at()
    first = await parent.greeting()
    await parent.answer(lambda question: b"%d %s %s" % (os.getpid(), first, question))
    parent.close()
    open(sys.argv[1], "w").write("cleaned up")

asyncio.run(main())
"""

PARENT = """
import asyncio, sys
from app.lifeline.companion import Companion
from app.wiring.clock import SystemClock

async def main():
    companion = Companion("child", [sys.executable, "-c", *sys.argv[1:]], greeting=b"hi", clock=SystemClock())
    running = asyncio.create_task(companion.run())
    while (answer := await companion.ask(b"who", seconds=5)) is None:
        await asyncio.sleep(0.05)
    print(answer.split()[0].decode(), flush=True)
    await running

asyncio.run(main())
"""

DEAF = "import time; time.sleep(60)"


@contextlib.asynccontextmanager
async def running(*command: str) -> AsyncIterator[tuple[Companion, "asyncio.Task[None]"]]:
    """A companion, and its run; stopped in the end where it still runs."""
    companion = Companion("the child", [sys.executable, "-c", *command], greeting=b"hi", clock=SystemClock())
    task = asyncio.create_task(companion.run())
    yield companion, task
    task.cancel()
    await asyncio.wait({task})


async def answer_of(companion: Companion, question: bytes) -> list[bytes]:
    """Its answer, once it runs."""
    for _ in range(1500):
        if (answer := await companion.ask(question, seconds=10)) is not None:
            return answer.split()
        await asyncio.sleep(0.02)
    raise AssertionError("it does not answer")


async def until(holds: Iterable[bool]) -> None:
    """Return once the next of them is true; the test's own timeout bounds it."""
    for each in holds:
        if each:
            return
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether no such process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_it_is_greeted_and_answers(tmp_path: Path) -> None:
    async with running(CHILD, str(tmp_path / "end")) as (companion, _):
        assert (await answer_of(companion, b"how"))[1:] == [b"hi", b"how"]


async def test_an_answer_belongs_to_its_question_though_one_before_came_too_late(tmp_path: Path) -> None:
    async with running(CHILD, str(tmp_path / "end")) as (companion, _):
        pid = int((await answer_of(companion, b"who"))[0])
        os.kill(pid, signal.SIGSTOP)
        late = await companion.ask(b"first", seconds=0.2)
        os.kill(pid, signal.SIGCONT)
        assert (late, (await answer_of(companion, b"second"))[2]) == (None, b"second")


async def test_who_does_not_run_yet_gives_no_answer() -> None:
    companion = Companion("the child", ["true"], greeting=b"hi", clock=VirtualClock())
    assert await companion.ask(b"how", seconds=1) is None


async def test_when_it_is_stopped_it_has_cleaned_up_before_that_is_over(tmp_path: Path) -> None:
    async with running(CHILD, str(tmp_path / "end")) as (companion, task):
        pid = int((await answer_of(companion, b"who"))[0])
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert is_gone(pid)
        assert (tmp_path / "end").read_text() == "cleaned up"


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        pytest.param("raise SystemExit(0)", "exit code 0", 1, id="by itself"),
        pytest.param("raise SystemExit(1)", "exit code 1", 1, id="by a failure"),
        pytest.param("raise SystemExit(2)", "exit code 2", 2, id="since it could not start"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "SIGKILL", 1, id="killed"),
    ],
)
async def test_its_end_is_ours_and_says_why(command: str, said: str, code: int) -> None:
    async with running(command) as (_, task):
        await asyncio.wait({task})
        (parted,) = leaves(failure_of(task))
        assert isinstance(parted, Parted)
        assert said in str(parted)
        assert parted.code == code


def failure_of(task: "asyncio.Task[None]") -> BaseExceptionGroup[BaseException]:
    """What the task ended with."""
    failure = task.exception()
    assert isinstance(failure, BaseExceptionGroup)
    return failure


async def test_one_that_hangs_is_killed_and_ends_us() -> None:
    clock = VirtualClock()
    companion = Companion("the child", [sys.executable, "-c", DEAF], greeting=b"hi", clock=clock)
    task = asyncio.create_task(companion.run())
    while not task.done():
        await clock.advance(5)
        await asyncio.sleep(0.01)
    (parted,) = leaves(failure_of(task))
    assert "hangs" in str(parted)


async def test_where_the_parent_is_killed_the_child_is_gone_too(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, CHILD, str(tmp_path / "end")), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    child = int(await parent.stdout.readline())
    assert not is_gone(child)
    parent.kill()
    await parent.wait()
    await until(is_gone(child) for _ in range(1500))
    assert is_gone(child)
