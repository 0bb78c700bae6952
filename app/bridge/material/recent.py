"""Answers that many share: one question at a time for each key, and its answer for some seconds."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, NamedTuple, TypeVar

from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Asked(NamedTuple):
    answer: "asyncio.Future[Any]"
    at: float


class Recent(Generic[K, V]):
    """A thousand replicas that start together ask once.

    A definite no (NotFound, Refused) is an answer, and shared as long as one; other failures reach those who
    wait for them and are forgotten.
    """

    def __init__(self, *, clock: Clock, seconds: float) -> None:
        """`seconds` count from the question, so nothing older is ever given."""
        self._clock = clock
        self._seconds = seconds
        self._asked: dict[K, _Asked] = {}

    async def of(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer for the key; `ask` is called where none is known. Raises what it raises."""
        self._drop_old()
        known = self._asked.get(key)
        if known is None:
            known = _Asked(asyncio.ensure_future(ask()), self._clock.steady())
            self._asked[key] = known
            known.answer.add_done_callback(lambda _: self._settle(key, known))
        # Whoever is cancelled while waiting must not take the answer from the others.
        answer: V = await asyncio.shield(known.answer)
        return answer

    def _settle(self, key: K, known: _Asked) -> None:
        answer = known.answer
        failure = asyncio.CancelledError() if answer.cancelled() else answer.exception()
        is_definite = failure is None or isinstance(failure, NotFound | Refused)
        if not is_definite and self._asked.get(key) is known:
            del self._asked[key]

    def _drop_old(self) -> None:
        """Questions stand in the order in which they were asked; values must not outlive their time here."""
        horizon = self._clock.steady() - self._seconds
        while self._asked:
            key = next(iter(self._asked))
            if self._asked[key].at > horizon:
                return
            del self._asked[key]
