import asyncio

import pytest

from app.ports.failures import Unavailable
from app.timing.waiting import first_of, within
from tests.fakes import VirtualClock, settle


async def answer_after(clock: VirtualClock, seconds: float) -> str:
    await clock.sleep(seconds)
    return "done"


async def broken() -> str:
    await asyncio.sleep(0)
    raise LookupError("broken")


async def test_what_is_done_in_time_is_returned() -> None:
    clock = VirtualClock()
    waiting = asyncio.ensure_future(within(clock, 5, answer_after(clock, 4)))
    await clock.advance(4)
    assert await waiting == "done"


async def test_what_takes_longer_is_cancelled() -> None:
    clock = VirtualClock()
    work = asyncio.ensure_future(asyncio.Event().wait())

    async def hung() -> bool:
        return await work

    waiting = asyncio.ensure_future(within(clock, 5, hung()))
    await clock.advance(5)
    with pytest.raises(Unavailable, match="within 5 s"):
        await waiting
    assert work.cancelled()


async def test_a_failure_passes_through() -> None:
    with pytest.raises(LookupError):
        await within(VirtualClock(), 5, broken())


async def test_cancelling_the_wait_cancels_the_work() -> None:
    clock = VirtualClock()
    work = asyncio.ensure_future(asyncio.Event().wait())

    async def hung() -> bool:
        return await work

    waiting = asyncio.ensure_future(within(clock, 5, hung()))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.cancelled()


async def test_an_event_ends_a_wait_early() -> None:
    event = asyncio.Event()
    waiting = asyncio.ensure_future(first_of(VirtualClock().sleep(5), event))
    await settle()
    assert not waiting.done()
    event.set()
    await settle()
    assert waiting.done()


async def test_a_wait_for_an_event_ends_with_its_time() -> None:
    clock = VirtualClock()
    waiting = asyncio.ensure_future(first_of(clock.sleep(5), asyncio.Event()))
    await clock.advance(4)
    assert not waiting.done()
    await clock.advance(1)
    assert waiting.done()
