"""Waiting no longer than a given time, or for whichever comes first."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.ports.clock import Clock
from app.ports.failures import Unavailable

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled where it takes longer than `seconds`.

    Raises:
        Unavailable: the time is up; the outcome of the work is unknown.
    """
    doing = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({doing, timer}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise Unavailable(f"no answer within {seconds:.3g} s")
    finally:
        await cancelled(doing, timer)


async def first_of(waiting: Coroutine[Any, Any, None], event: asyncio.Event) -> None:
    """Return when the coroutine does or the event is set; the other is cancelled."""
    both = [asyncio.ensure_future(waiting), asyncio.ensure_future(event.wait())]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*both)


async def cancelled(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel the tasks and return once all of them are over; what they raise while ending is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
