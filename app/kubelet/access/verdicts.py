"""Verdicts of the API server, remembered for a while, and asked for once however many wait for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.ports.clock import Clock
from app.ports.failures import PortFailure

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Asking(Generic[V]):
    """A question under way, and how many wait for its answer."""

    task: asyncio.Task[V]
    waiting: int = 0


class Verdicts(Generic[K, V]):
    """At most so many verdicts; who was not asked about for longest goes first.

    A question that fails is not remembered: whoever waits for it shares the failure, the next one asks anew.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        keep: Callable[[V], float],
        most: int,
        questions: asyncio.Semaphore,
        count: Callable[[str], None],
    ) -> None:
        """Remember nothing yet.

        Args:
            clock: time.
            keep: for how many seconds a verdict holds.
            most: how many are remembered.
            questions: how many are asked at once; further ones wait.
            count: told of every verdict how it came about: `remembered`, `asked` or `failed`; who waits for a
                question that is asked already counts as one who asks.
        """
        self._count = count
        self._clock = clock
        self._keep = keep
        self._most = most
        self._questions = questions
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asking: dict[K, _Asking[V]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The verdict that holds, or the answer to `ask`; raises as that does."""
        until, verdict = self._known.get(key, (0.0, None))
        if verdict is not None and self._clock.steady() < until:
            self._known.move_to_end(key)
            self._count("remembered")
            return verdict
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = _Asking(asyncio.create_task(self._ask(key, ask)))
        return await self._shared(key, asking)

    async def _shared(self, key: K, asking: _Asking[V]) -> V:
        asking.waiting += 1
        try:
            verdict = await asyncio.shield(asking.task)
        except PortFailure:
            self._count("failed")
            raise
        else:
            self._count("asked")
            return verdict
        finally:
            asking.waiting -= 1
            if not asking.waiting:
                self._end(key, asking)

    def _end(self, key: K, asking: _Asking[V]) -> None:
        """Answered, or everybody who wanted to know has gone: the next one asks anew."""
        if self._asking.get(key) is asking:
            del self._asking[key]
        asking.task.cancel()

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        async with self._questions:
            verdict = await ask()
        self._remember(key, verdict)
        return verdict

    def _remember(self, key: K, verdict: V) -> None:
        self._known[key] = (self._clock.steady() + self._keep(verdict), verdict)
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
