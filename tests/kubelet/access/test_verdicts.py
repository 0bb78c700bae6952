import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from app.kubelet.access.verdicts import Verdicts
from app.ports.failures import Unavailable
from tests.fakes import VirtualClock, settle


@dataclass
class Oracle:
    """Answers each question with how many came before it, once it is let."""

    asked: list[str] = field(default_factory=list)
    failure: Exception | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def about(self, key: str) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            self.asked.append(key)
            await self.open.wait()
            if self.failure is not None:
                raise self.failure
            return len(self.asked)

        return ask


@dataclass
class Bench:
    oracle: Oracle
    clock: VirtualClock
    verdicts: Verdicts[str, int]
    counts: Counter[str]

    async def get(self, key: str) -> int:
        return await self.verdicts.get(key, self.oracle.about(key))

    def start(self, key: str) -> asyncio.Task[int]:
        return asyncio.create_task(self.get(key))


@pytest.fixture
async def bench() -> Bench:
    clock, oracle = VirtualClock(), Oracle()
    oracle.open.set()
    counts: Counter[str] = Counter()
    verdicts = Verdicts[str, int](
        clock=clock,
        keep=lambda _: 60.0,
        most=2,
        questions=asyncio.Semaphore(2),
        count=lambda outcome: counts.update([outcome]),
    )
    return Bench(oracle, clock, verdicts, counts)


async def test_it_is_counted_how_each_verdict_came_about(bench: Bench) -> None:
    await asyncio.gather(bench.start("a"), bench.start("a"))
    await bench.get("a")
    bench.oracle.failure = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await bench.get("b")
    assert bench.counts == {"asked": 2, "remembered": 1, "failed": 1}


async def test_a_verdict_holds_for_its_time_and_no_longer(bench: Bench) -> None:
    assert await bench.get("a") == 1
    await bench.clock.advance(59)
    assert await bench.get("a") == 1
    await bench.clock.advance(1)
    assert await bench.get("a") == 2


async def test_many_who_ask_the_same_share_one_question(bench: Bench) -> None:
    bench.oracle.open.clear()
    waiting = [bench.start("a") for _ in range(200)]
    await settle()
    bench.oracle.open.set()
    assert await asyncio.gather(*waiting) == [1] * 200
    assert bench.oracle.asked == ["a"]


async def test_a_failure_is_shared_and_then_forgotten(bench: Bench) -> None:
    bench.oracle.open.clear()
    bench.oracle.failure = Unavailable("no answer")
    waiting = [bench.start("a") for _ in range(3)]
    await settle()
    bench.oracle.open.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [Unavailable] * 3
    bench.oracle.failure = None
    assert await bench.get("a") == 2


async def test_who_goes_away_leaves_the_question_to_the_others(bench: Bench) -> None:
    bench.oracle.open.clear()
    first, second = bench.start("a"), bench.start("a")
    await settle()
    first.cancel()
    await settle()
    bench.oracle.open.set()
    assert await second == 1
    assert bench.oracle.asked == ["a"]


async def test_a_question_that_nobody_waits_for_ends_and_is_asked_anew(bench: Bench) -> None:
    bench.oracle.open.clear()
    alone = bench.start("a")
    await settle()
    alone.cancel()
    later = bench.start("a")
    await settle()
    bench.oracle.open.set()
    assert await later == 2
    assert len(asyncio.all_tasks()) == 1


async def test_a_question_cancelled_before_it_began_blocks_nobody(bench: Bench) -> None:
    alone = bench.start("a")
    await asyncio.sleep(0)
    alone.cancel()
    assert await bench.get("a") == 1


async def test_only_so_many_questions_are_asked_at_once(bench: Bench) -> None:
    bench.oracle.open.clear()
    waiting = [bench.start(key) for key in "abcde"]
    await settle()
    assert bench.oracle.asked == ["a", "b"]
    bench.oracle.open.set()
    await asyncio.gather(*waiting)


async def test_memory_is_bounded_and_the_longest_unused_go_first(bench: Bench) -> None:
    await bench.get("a")
    await bench.get("b")
    await bench.get("a")
    await bench.get("c")
    assert len(bench.verdicts) == 2
    bench.oracle.asked.clear()
    await bench.get("a")
    await bench.get("b")
    assert bench.oracle.asked == ["b"]
