"""Programs of the local stack that end by themselves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.local.processes import Child
from app.wiring.clock import SystemClock
from app.wiring.local.revival import Revival
from tests.fakes import VirtualClock


class Stack:
    """Programs that run until somebody ends them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = VirtualClock()
        self.said: list[str] = []
        self.programs: dict[str, Child] = {}
        self.revival = Revival(self.start, clock=self.clock, progress=self.said.append)

    async def start(self, name: str) -> None:
        """Start a program."""
        self.programs[name] = await Child.start(name, ["sleep", "600"], directory=self.directory)

    async def ends(self, name: str) -> None:
        """The program ends, and somebody looks."""
        await self.programs[name].kill()
        await self.revival.look(self.programs)

    def running(self) -> list[str]:
        """The programs that run."""
        return [name for name, child in self.programs.items() if child.exit_code is None]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """With a bridge and a webhook."""
    stack = Stack(tmp_path)
    await stack.start("bridge")
    await stack.start("webhook")
    yield stack
    for child in stack.programs.values():
        await child.stop(clock=SystemClock())


async def test_a_program_that_ended_is_started_again_and_people_are_told(stack: Stack) -> None:
    await stack.ends("bridge")
    assert stack.running() == ["bridge", "webhook"]
    assert stack.said == ["bridge ended with exit code -9; starting it again"]


async def test_the_third_end_within_a_minute_is_the_last(stack: Stack) -> None:
    await stack.ends("bridge")
    await stack.ends("bridge")
    await stack.ends("bridge")
    assert stack.running() == ["webhook"]
    assert stack.said[-1] == "bridge died three times within a minute, giving up"


async def test_another_programs_ends_do_not_count(stack: Stack) -> None:
    await stack.ends("bridge")
    await stack.ends("webhook")
    await stack.ends("bridge")
    assert stack.running() == ["bridge", "webhook"]


async def test_ends_of_more_than_a_minute_ago_are_forgotten(stack: Stack) -> None:
    await stack.ends("bridge")
    await stack.ends("bridge")
    await stack.clock.advance(60)
    await stack.ends("bridge")
    assert stack.running() == ["bridge", "webhook"]


async def test_programs_that_run_are_left_alone(stack: Stack) -> None:
    await stack.revival.look(stack.programs)
    assert stack.said == []
