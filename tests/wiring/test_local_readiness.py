"""How long a local stack waits for its parts."""

import asyncio
from pathlib import Path

import pytest

from app.wiring.local.options import LocalStackError
from app.wiring.local.readiness import Patience
from tests.fakes import VirtualClock


class Stage:
    """A wait for what comes when the test says so, beside a part that ends when it says so."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.is_there = False
        self.ended = ""
        self.patience = Patience(self.check, logs=Path("/logs"), clock=self.clock)

    def check(self) -> None:
        if self.ended:
            raise LocalStackError(self.ended)

    async def holds(self) -> bool:
        return self.is_there

    def waiting(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.patience.until("the bridge to be ready", self.holds))


async def test_the_wait_ends_when_it_is_there() -> None:
    stage = Stage()
    waiting = stage.waiting()
    await stage.clock.advance(59)
    assert not waiting.done()
    stage.is_there = True
    await stage.clock.advance(1)
    await waiting


async def test_after_a_minute_the_logs_are_named() -> None:
    stage = Stage()
    waiting = stage.waiting()
    await stage.clock.advance(61)
    with pytest.raises(LocalStackError, match="60 s for the bridge to be ready; see the logs in /logs"):
        await waiting


async def test_a_part_that_ends_meanwhile_is_not_waited_for() -> None:
    stage = Stage()
    waiting = stage.waiting()
    await stage.clock.advance(1)
    stage.ended = "the bridge ended with exit code 2"
    await stage.clock.advance(1)
    with pytest.raises(LocalStackError, match="exit code 2"):
        await waiting
