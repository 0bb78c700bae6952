"""Waiting no longer than a given time, on the clock that the component was given."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.ports.clock import Clock

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled where it takes longer than `seconds`.

    Raises:
        TimeoutError: the time is up.
    """
    doing = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({doing, timer}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise TimeoutError(f"took longer than {seconds:.1f} s")
    finally:
        await cancelled(doing, timer)


async def cancelled(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel the tasks and return once all of them are over; what they raise while ending is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
