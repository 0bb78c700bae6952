"""Answers that many share."""

import asyncio
from collections import Counter

import pytest

from app.bridge.material.recent import Recent
from app.ports.failures import NotFound, PortFailure, Unavailable
from tests.fakes import VirtualClock, settle


class Oracle:
    """Answers with the number of the question, once the test lets it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.recent: Recent[str, int] = Recent(clock=self.clock, seconds=5.0)
        self.asked: Counter[str] = Counter()
        self.failure: PortFailure | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def of(self, key: str = "a") -> int:
        return await self.recent.of(key, lambda: self._answer(key))

    async def _answer(self, key: str) -> int:
        self.asked[key] += 1
        number = self.asked[key]
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return number


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


async def test_those_who_ask_together_ask_once(oracle: Oracle) -> None:
    assert await asyncio.gather(*(oracle.of() for _ in range(100))) == [1] * 100


async def test_an_answer_is_given_for_some_seconds(oracle: Oracle) -> None:
    await oracle.of()
    await oracle.clock.advance(4.9)
    assert await oracle.of() == 1
    await oracle.clock.advance(0.1)
    assert await oracle.of() == 2


async def test_the_seconds_count_from_the_question_not_from_the_answer(oracle: Oracle) -> None:
    oracle.gate.clear()
    slow = asyncio.ensure_future(oracle.of())
    await oracle.clock.advance(5)
    oracle.gate.set()

    assert await oracle.of() == 2
    assert await slow == 1


async def test_keys_are_asked_for_apart(oracle: Oracle) -> None:
    assert (await oracle.of("a"), await oracle.of("b")) == (1, 1)


async def test_a_definite_no_is_shared_as_an_answer_is(oracle: Oracle) -> None:
    oracle.failure = NotFound("no")
    with pytest.raises(NotFound):
        await oracle.of()
    oracle.failure = None
    with pytest.raises(NotFound):
        await oracle.of()
    await oracle.clock.advance(5)

    assert await oracle.of() == 2


async def test_a_failure_reaches_all_who_wait_and_is_forgotten(oracle: Oracle) -> None:
    oracle.failure = Unavailable("down")
    found = await asyncio.gather(oracle.of(), oracle.of(), return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable, Unavailable]
    oracle.failure = None

    assert await oracle.of() == 2


async def test_who_gives_up_waiting_takes_nothing_from_the_others(oracle: Oracle) -> None:
    oracle.gate.clear()
    first, second = asyncio.ensure_future(oracle.of()), asyncio.ensure_future(oracle.of())
    await settle()
    first.cancel()
    await settle()
    oracle.gate.set()

    assert await second == 1


async def test_old_answers_are_not_kept_in_memory(oracle: Oracle) -> None:
    await oracle.of("secret")
    await oracle.clock.advance(5)
    await oracle.of("other")

    assert list(oracle.recent._asked) == ["other"]
