"""An API server's judgement, as the test has it."""

import asyncio
from typing import TYPE_CHECKING

from app.ports.access import Answered, Caller, NodeAccess, Reviews

if TYPE_CHECKING:
    from app.ports.failures import PortFailure

ANY = "*"


class FakeReviews(Reviews):
    """Knows tokens and rights; `hold` keeps every answer back until `release`."""

    def __init__(self) -> None:
        self.tokens: dict[str, Caller] = {}
        self.rights: set[tuple[str, str, str]] = set()
        self.tokens_asked: list[str] = []
        self.asked: list[tuple[Caller, NodeAccess]] = []
        self.failure: PortFailure | None = None
        self.at_once = 0
        self.most_at_once = 0
        self._open = asyncio.Event()
        self._open.set()

    def let(self, user: str, verb: str = ANY, subresource: str = ANY) -> None:
        self.rights.add((user, verb, subresource))

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def caller(self, token: str) -> Caller | None:
        self.tokens_asked.append(token)
        await self._answer()
        return self.tokens.get(token)

    async def answer(self, caller: Caller, access: NodeAccess) -> Answered:
        self.asked.append((caller, access))
        await self._answer()
        wanted = (caller.name, access.verb, access.subresource)
        return Answered(allowed=any(_covers(right, wanted) for right in self.rights))

    async def _answer(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self._open.wait()
        finally:
            self.at_once -= 1
        if self.failure is not None:
            raise self.failure


def _covers(right: tuple[str, str, str], wanted: tuple[str, str, str]) -> bool:
    return all(part in {ANY, value} for part, value in zip(right, wanted, strict=True))
