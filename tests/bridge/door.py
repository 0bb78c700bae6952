"""Where a bridge can be killed at any single call."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeVar

from app.ports.failures import PortFailure, Unavailable

T = TypeVar("T")


class Door:
    """Every call to the outside goes through here, one by one.

    At call number `at` the process dies (or, where `survives`, the call fails): `before` the call has its
    effect, or `after` it had it and before the answer arrives. A dead process's calls never return.
    """

    def __init__(self) -> None:
        self.at = 0
        self.moment: Literal["before", "after"] = "before"
        self.calls: list[str] = []
        self.survives = False
        self.failures: dict[str, list[PortFailure]] = {}
        self.died = False
        self.mishaps = 0

    async def call(self, name: str, effect: Callable[[], T]) -> T:
        if self.died:
            await asyncio.Event().wait()
        self.calls.append(name)
        number = len(self.calls)
        await self._mishap(number, "before")
        await asyncio.sleep(0)
        waiting = self.failures.get(name)
        if waiting:
            raise waiting.pop(0)
        try:
            return effect()
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
