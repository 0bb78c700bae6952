"""A signal cancels the work, and the work cleans up."""

import asyncio
import os
import signal

import pytest

from app.wiring.stopping import StartError, run_until_stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_work_which_cleans_up(number: signal.Signals) -> None:
    steps: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("cleaned up")

    assert run_until_stopped(work()) is True
    assert steps == ["cleaned up"]


def test_work_that_ends_by_itself_was_not_stopped() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert run_until_stopped(work()) is False


def test_a_failure_is_the_callers_to_see() -> None:
    async def work() -> None:
        raise StartError("no cluster")

    with pytest.raises(StartError, match="no cluster"):
        run_until_stopped(work())
