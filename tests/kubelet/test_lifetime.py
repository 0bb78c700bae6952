import asyncio

import pytest

from app.kubelet.lifetime import LAST_WORDS_SECONDS, LOOK_SECONDS, Over, alongside, until_over
from tests.fakes import VirtualClock, settle


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_the_end_is_told_once_there_was_time_for_last_words() -> None:
    clock, known = VirtualClock(), [""]
    watching = asyncio.create_task(until_over(lambda: known[0], clock=clock))
    await clock.advance(10 * LOOK_SECONDS)
    known[0] = "its task has stopped"
    await clock.advance(LOOK_SECONDS + LAST_WORDS_SECONDS - 0.1)
    assert not watching.done()
    await clock.advance(0.2)
    with pytest.raises(Over, match="its task has stopped"):
        await watching


async def test_the_others_end_with_the_leading_one() -> None:
    async def lead() -> str:
        return "done"

    before = asyncio.all_tasks()
    assert await alongside(lead(), for_ever()) == "done"
    await settle()
    assert asyncio.all_tasks() == before


async def test_one_that_fails_ends_the_leading_one() -> None:
    async def fail() -> None:
        raise Over("gone")

    with pytest.raises(Over):
        await alongside(for_ever(), fail())
