"""What somebody works in may be over before they hear of it: the bridge, which asks ECS, knows."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Never, TypeVar

from app.ports.clock import Clock
from app.timing.waiting import cancelled

LOOK_SECONDS: Final = 1.0
"""Between looks at what the bridge knows, which is in memory."""

LAST_WORDS_SECONDS: Final = 3.0
"""For what is on its way when a container ends: its last output, and its own word of its end."""

T = TypeVar("T")


class Over(Exception):
    """The container or the pod is over; the sentence says how."""


async def until_over(look: Callable[[], str], *, clock: Clock, grace: float = LAST_WORDS_SECONDS) -> Never:
    """Wait for the end of what somebody works in.

    Args:
        look: why it is over; empty while it is not.
        clock: time.
        grace: seconds between the end and telling it.

    Raises:
        Over: it is.
    """
    while not (why := look()):
        await clock.sleep(LOOK_SECONDS)
    await clock.sleep(grace)
    raise Over(why)


async def alongside(leading: Coroutine[Any, Any, T], *others: Coroutine[Any, Any, None]) -> T:
    """The leading one's result; the others run beside it, end with it, and end it where one fails."""
    main = asyncio.create_task(leading)
    beside = [asyncio.create_task(each) for each in others]
    pending: set[asyncio.Task[Any]] = {main, *beside}
    try:
        while not main.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        return main.result()
    finally:
        await cancelled(main, *beside)
