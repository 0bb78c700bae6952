"""A bound on waiting, by the clock that is passed in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.ports.clock import Clock
from app.ports.failures import Unavailable

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled if it takes longer.

    Raises:
        Unavailable: the time is over; the outcome is unknown.
    """
    task = asyncio.create_task(work)
    alarm = asyncio.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Unavailable(f"no answer within {seconds:g} s")
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.wait({task, alarm})
