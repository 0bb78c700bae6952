import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.local.cluster.apiserver.api import ApiError
from app.local.cluster.controllers.workqueue import WorkQueue, split
from tests.fakes import VirtualClock, settle

Reconcile = Callable[[str], Coroutine[Any, Any, float | None]]


@asynccontextmanager
async def working(queue: WorkQueue, reconcile: Reconcile, *, workers: int = 1) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(queue.work(reconcile)) for _ in range(workers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_key_added_many_times_is_worked_once() -> None:
    queue, seen = WorkQueue("test", clock=VirtualClock()), []

    async def reconcile(key: str) -> None:
        seen.append(key)

    for key in ("a", "b", "a"):
        queue.add(key)
    async with working(queue, reconcile):
        await settle()
    assert seen == ["a", "b"]


async def test_a_key_added_during_its_round_gets_another_and_never_two_at_once() -> None:
    queue, busy, most = WorkQueue("test", clock=VirtualClock()), [0], [0]
    rounds: list[str] = []

    async def reconcile(key: str) -> None:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        rounds.append(key)
        if len(rounds) == 1:
            queue.add(key)
        await settle(3)
        busy[0] -= 1

    queue.add("a")
    async with working(queue, reconcile, workers=3):
        await settle()
    assert (rounds, most) == (["a", "a"], [1])


async def test_a_refusal_is_tried_again_later_and_later() -> None:
    clock = VirtualClock()
    queue, times = WorkQueue("test", clock=clock), []

    async def reconcile(_: str) -> None:
        times.append(clock.steady())
        raise ApiError(409, "Conflict", "somebody else was first")

    queue.add("a")
    async with working(queue, reconcile):
        await clock.advance(0.8)
    assert times == pytest.approx([0, 0.1, 0.3, 0.7])


async def test_a_mistake_of_ours_about_one_key_is_told_and_tried_again_while_others_are_worked() -> None:
    clock = VirtualClock()
    queue, seen = WorkQueue("test", clock=clock), []

    async def reconcile(key: str) -> None:
        seen.append(key)
        if seen == ["a"]:
            raise KeyError("spec")

    queue.add("a")
    queue.add("b")
    with capture_logs() as told:
        async with working(queue, reconcile):
            await clock.advance(1)
    assert seen == ["a", "b", "a"]
    assert [(each["log_level"], each["controller"], each["key"]) for each in told] == [("error", "test", "a")]


async def test_a_key_whose_round_was_cancelled_is_worked_by_the_next_worker() -> None:
    queue, seen = WorkQueue("test", clock=VirtualClock()), []

    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    async def reconcile(key: str) -> None:
        seen.append(key)

    queue.add("a")
    async with working(queue, hang):
        await settle()
    queue.add("a")
    async with working(queue, reconcile):
        await settle()
    assert seen == ["a"]


async def test_a_round_may_ask_for_a_later_one() -> None:
    clock = VirtualClock()
    queue, times = WorkQueue("test", clock=clock), []

    async def reconcile(_: str) -> float | None:
        times.append(clock.steady())
        return 5.0 if len(times) == 1 else None

    queue.add("a")
    async with working(queue, reconcile):
        await clock.advance(60)
    assert times == [0, 5]


def test_keys_have_two_parts_or_one() -> None:
    assert (split("shop/web"), split("ec2-0")) == (("shop", "web"), ("", "ec2-0"))
