"""Where a bridge can be killed at any single call, or paused."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Literal, TypeVar

from app.ports.failures import PortFailure, Unavailable

T = TypeVar("T")

PROCESS: contextvars.ContextVar[str] = contextvars.ContextVar("PROCESS", default="")
"""Which bridge speaks; every process has a context of its own."""


class Door:
    """Every call to the outside goes through here, one by one.

    At call number `at` the process dies (or, where `survives`, the call fails): `before` the call has its
    effect, or `after` it had it and before the answer arrives. A dead process's calls never return.
    A paused process's calls have no effect, and fail when it wakes up: their connections are gone by then.

    Attributes:
        failures: by the name of the call, what its next ones fail with, before they have an effect.
        lost: by the name of the call, how many of its next ones have their effect and no answer.
        said: who called what.
        pause_after: the name of a call in which its process is paused, between the effect and the answer.
    """

    def __init__(self) -> None:
        self.at = 0
        self.moment: Literal["before", "after"] = "before"
        self.calls: list[str] = []
        self.survives = False
        self.failures: dict[str, list[PortFailure]] = {}
        self.died = False
        self.mishaps = 0
        self.lost: dict[str, int] = {}
        self.said: list[tuple[str, str]] = []
        self.pause_after = ""
        self._paused: dict[str, asyncio.Event] = {}

    def pause(self, who: str) -> None:
        self._paused[who] = asyncio.Event()

    def wake(self, who: str) -> None:
        self._paused.pop(who).set()

    async def awake(self) -> bool:
        """Return when the process that asks is not paused; whether it was."""
        paused = self._paused.get(PROCESS.get())
        if paused is None:
            return False
        await paused.wait()
        return True

    async def call(self, name: str, effect: Callable[[], T]) -> T:
        if self.died:
            await asyncio.Event().wait()
        if await self.awake():
            raise Unavailable("the connection is gone")
        self.calls.append(name)
        self.said.append((PROCESS.get(), name))
        number = len(self.calls)
        await self._mishap(number, "before")
        await asyncio.sleep(0)
        waiting = self.failures.get(name)
        if waiting:
            raise waiting.pop(0)
        try:
            result = effect()
            if self.lost.get(name):
                self.lost[name] -= 1
                raise Unavailable("the answer is lost")
            if name == self.pause_after:
                self.pause_after = ""
                self.pause(PROCESS.get())
                await self.awake()
            return result
        finally:
            await self._mishap(number, "after")

    async def _mishap(self, number: int, moment: str) -> None:
        if (number, moment) != (self.at, self.moment):
            return
        self.mishaps += 1
        if self.survives:
            raise Unavailable("the line is dead")
        self.died = True
        await asyncio.Event().wait()
