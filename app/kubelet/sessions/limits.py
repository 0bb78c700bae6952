"""How long the parts of an exec may take, and how they run beside each other."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from app.timing.waiting import cancelled

T = TypeVar("T")


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How commands are run in sessions.

    Attributes:
        open_seconds: until a session must have opened, and its far side be ready.
        drain_seconds: after a command's end, for how long nothing may be said before it is over: what it left
            running may hold its output open for ever.
        awake_seconds: between signs of life typed into a session, which Session Manager ends after 20 idle
            minutes.
    """

    open_seconds: float = 60.0
    drain_seconds: float = 2.0
    awake_seconds: float = 300.0


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
