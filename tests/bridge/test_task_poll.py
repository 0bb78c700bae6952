import asyncio
from collections.abc import AsyncIterator

import pytest

from app.bridge.config import PollConfig
from app.bridge.task_poll import TaskPoll
from app.bridge.task_store import TaskStore
from app.model.names import TaskArn
from app.ports.failures import Throttled
from tests.bridge.door import Door
from tests.bridge.fake_ecs import FakeEcs
from tests.builders import VIRTUAL, a_pod, identity_of
from tests.fakes import VirtualClock

CONFIG = PollConfig(busy=2, quiet=10, look=60, retry=3)
POD = a_pod("web-1", uid="u1")


class Polled:
    """An ECS that is polled."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.door = Door()
        self.ecs = FakeEcs(self.door, self.clock)
        self.ecs.lag = 0
        self._running: list[asyncio.Task[None]] = []
        self.store = TaskStore(cluster="cluster-1", node=VIRTUAL)
        self.leads = True
        self.poll = TaskPoll(
            self.ecs,
            self.store,
            clock=self.clock,
            config=CONFIG,
            pods=lambda: frozenset({POD.uid}),
            leads=lambda: self.leads,
        )

    def start(self) -> None:
        self._running.append(asyncio.get_running_loop().create_task(self.poll.run()))

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def count(self, call: str) -> int:
        return self.door.calls.count(call)


@pytest.fixture
async def polled() -> AsyncIterator[Polled]:
    made = Polled()
    yield made
    await made.stop()


async def test_the_first_thing_is_a_complete_listing_running_tasks_first(polled: Polled) -> None:
    polled.start()
    await polled.clock.advance(1)
    assert polled.door.calls == ["arns RUNNING", "arns STOPPED"]
    assert polled.poll.looked_at is not None


async def test_tasks_that_stopped_while_nobody_looked_are_found(polled: Polled) -> None:
    run = polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD))
    run.ends = 0
    polled.start()
    await polled.clock.advance(1)
    assert [task.last_status for task in polled.store.of(POD.uid)] == ["STOPPED"]


async def test_a_failed_half_of_a_listing_is_no_listing(polled: Polled) -> None:
    polled.door.failures["arns STOPPED"] = [Throttled("slow down")]
    polled.start()
    await polled.clock.advance(1)
    assert polled.poll.looked_at is None
    await polled.clock.advance(3)
    assert polled.poll.looked_at is not None


async def test_a_starting_task_is_described_quickly_and_a_running_one_slowly(polled: Polled) -> None:
    run = polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD))
    run.starts = 9
    polled.start()
    await polled.clock.advance(9)
    starting = polled.count("describe")
    await polled.clock.advance(40)
    running = polled.count("describe") - starting
    assert (starting, running) == (5, 5)


async def test_ended_and_foreign_tasks_are_described_once(polled: Polled) -> None:
    polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD)).ends = 0
    polled.ecs.launch_behind_our_back("arn:x/2", identity_of(POD, cluster="other"))
    polled.start()
    await polled.clock.advance(200)
    assert polled.count("describe") == 1


async def test_a_look_that_is_asked_for_comes_soon(polled: Polled) -> None:
    polled.start()
    await polled.clock.advance(5)
    polled.poll.request_look()
    await polled.clock.advance(3)
    assert polled.count("arns RUNNING") == 2


async def test_a_task_that_was_told_to_stop_is_followed_until_it_shows(polled: Polled) -> None:
    run = polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD))
    run.starts = 0
    polled.start()
    await polled.clock.advance(1)
    before = polled.count("describe")
    polled.store.expect_stop(TaskArn("arn:x/1"))
    await polled.clock.advance(4 * CONFIG.busy)
    assert polled.count("describe") >= before + 3


async def test_a_stop_of_an_unknown_task_is_not_waited_for(polled: Polled) -> None:
    polled.store.expect_stop(TaskArn("arn:x/9"))
    assert not polled.store.is_curious()


async def test_who_waits_for_the_lease_describes_now_and_then(polled: Polled) -> None:
    polled.leads = False
    polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD)).starts = 900
    polled.start()
    await polled.clock.advance(55)
    assert polled.count("describe") == 2


async def test_who_gets_the_lease_describes_at_once_again(polled: Polled) -> None:
    polled.leads = False
    polled.ecs.launch_behind_our_back("arn:x/1", identity_of(POD)).starts = 900
    polled.start()
    await polled.clock.advance(11)
    before = polled.count("describe")
    polled.leads = True
    await polled.clock.advance(CONFIG.quiet)
    assert polled.count("describe") > before
