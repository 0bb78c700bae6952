import asyncio
from collections.abc import AsyncIterator

import pytest

from app.bridge.decision.facts import PodKey
from app.bridge.pod_worker import PodWorkers
from app.model.names import PodUid
from app.ports.failures import PortFailure, Unavailable
from tests.fakes import VirtualClock, settle

KEY = PodKey("shop", "web-1", PodUid("u1"))
OTHER = PodKey("shop", "web-2", PodUid("u2"))


class Steps:
    """A step whose answers the test sets; without one it answers None."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.done: list[tuple[PodKey, float]] = []
        self.answers: list[float | Exception | None] = []
        self.hold: asyncio.Event | None = None
        self.told: list[str] = []
        self.refuses: PortFailure | None = None
        self.workers = PodWorkers(self.step, clock=self.clock, jitter=lambda: 1.0, cap=30, tell=self.tell)

    async def tell(self, key: PodKey, failure: PortFailure) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.told.append(f"{key.path}: {failure}")

    async def step(self, key: PodKey) -> float | None:
        self.done.append((key, self.clock.steady()))
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def times(self) -> list[float]:
        return [at for _, at in self.done]


@pytest.fixture
async def steps() -> AsyncIterator[Steps]:
    made = Steps()
    running = asyncio.get_running_loop().create_task(made.workers.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_each_pod_that_is_woken_is_worked_on(steps: Steps) -> None:
    steps.workers.wake(KEY)
    steps.workers.wake(OTHER)
    await settle()
    assert [key for key, _ in steps.done] == [KEY, OTHER]


async def test_wakes_during_a_step_run_it_once_more(steps: Steps) -> None:
    steps.hold = asyncio.Event()
    steps.workers.wake(KEY)
    await settle()
    steps.workers.wake(KEY)
    steps.workers.wake(KEY)
    steps.hold.set()
    await settle()
    assert len(steps.done) == 2


async def test_one_pod_does_not_hold_up_another(steps: Steps) -> None:
    steps.hold = asyncio.Event()
    steps.workers.wake(KEY)
    steps.workers.wake(OTHER)
    await settle()
    assert [key for key, _ in steps.done] == [KEY, OTHER]


async def test_a_step_comes_again_after_the_time_it_asked_for(steps: Steps) -> None:
    steps.answers = [5.0]
    steps.workers.wake(KEY)
    await steps.clock.advance(60)
    assert steps.times() == [0, 5]


async def test_a_wake_before_that_time_takes_its_place(steps: Steps) -> None:
    steps.answers = [5.0]
    steps.workers.wake(KEY)
    await steps.clock.advance(2)
    steps.workers.wake(KEY)
    await steps.clock.advance(60)
    assert steps.times() == [0, 2]


async def test_a_failing_step_is_repeated_for_ever_with_a_capped_backoff(steps: Steps) -> None:
    steps.answers = [Unavailable("no answer")] * 8
    steps.workers.wake(KEY)
    await steps.clock.advance(200)
    assert steps.times() == [0, 1, 3, 7, 15, 31, 61, 91, 121]


async def test_what_goes_on_failing_is_told_on_the_pod_and_a_moments_trouble_is_not(steps: Steps) -> None:
    steps.answers = [Unavailable("no answer")] * 3
    steps.workers.wake(OTHER)
    await steps.clock.advance(30)
    steps.answers = [Unavailable("no answer")] * 4
    steps.workers.wake(KEY)
    await steps.clock.advance(30)
    assert steps.told == ["shop/web-1: no answer"]


async def test_an_event_that_cannot_be_written_stops_no_work(steps: Steps) -> None:
    steps.refuses = Unavailable("no Event either")
    steps.answers = [Unavailable("no answer")] * 4
    steps.workers.wake(KEY)
    await steps.clock.advance(30)
    assert steps.times() == [0, 1, 3, 7, 15]
    steps.workers.wake(OTHER)
    await settle()
    assert steps.done[-1][0] == OTHER


async def test_a_success_forgets_the_failures(steps: Steps) -> None:
    steps.answers = [Unavailable("x"), Unavailable("x"), 10.0, Unavailable("x")]
    steps.workers.wake(KEY)
    await steps.clock.advance(60)
    assert steps.times() == [0, 1, 3, 13, 14]


async def test_a_mistake_of_ours_stops_neither_the_pod_nor_the_others(steps: Steps) -> None:
    steps.answers = [ZeroDivisionError("a bug")]
    steps.workers.wake(KEY)
    await settle()
    steps.workers.wake(OTHER)
    await steps.clock.advance(5)
    assert [key for key, _ in steps.done] == [KEY, OTHER, KEY]


async def test_wakes_during_a_failing_step_do_not_cut_its_backoff(steps: Steps) -> None:
    steps.hold = asyncio.Event()
    steps.answers = [Unavailable("x")]
    steps.workers.wake(KEY)
    await settle()
    steps.workers.wake(KEY)
    steps.hold.set()
    await settle()
    assert len(steps.done) == 1
    await steps.clock.advance(1)
    assert len(steps.done) == 2
