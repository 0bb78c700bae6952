import asyncio
from datetime import timedelta
from typing import Any

import msgspec

from app.bridge.task_store import TaskStore
from app.bridge.usage.board import UsageBoard, UsageConfig
from app.model.pod import Pod
from app.model.task import Task
from app.model.usage import Sample
from tests.bridge.fakes import FakeInsights
from tests.builders import NOON, VIRTUAL, a_pod, a_task
from tests.fakes import FakeWatched, VirtualClock, settle


def a_running(name: str = "web-1", *containers: str) -> tuple[Pod, Task]:
    """A pod whose containers run since noon, and its task."""
    names = containers or ("main",)
    status: dict[str, Any] = {
        "containerStatuses": [
            {"name": each, "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}} for each in names
        ]
    }
    pod = a_pod(name, uid=name, containers=[{"name": each, "image": "i"} for each in names], status=status)
    return pod, a_task(pod, started_at=NOON)


class Boarded:
    """A board with what stands around it."""

    def __init__(self, *pairs: tuple[Pod, Task]) -> None:
        self.clock, self.insights = VirtualClock(), FakeInsights()
        self.store = TaskStore(cluster="cluster-1", node=VIRTUAL)
        for _, task in pairs:
            self.store.put(task)
        self.ours = asyncio.Event()
        self.ours.set()
        self.board = UsageBoard(
            self.insights,
            self.store,
            pods=FakeWatched([pod for pod, _ in pairs]),
            clock=self.clock,
            config=UsageConfig(node=VIRTUAL, period=60.0),
            held=self.ours.wait,
        )

    def measure(self, task: Task, container: str = "main", *, cores: float = 1.0, minute: int = 1) -> None:
        at = NOON + timedelta(minutes=minute)
        self.insights.measured.append(
            Sample(task=task.arn, container=container, at=at, cores=cores, working_set=1 << 20)
        )

    def count(self, task: Task, seconds: float, *, minute: int) -> None:
        """What a helper reads of the container's counter."""
        at = NOON + timedelta(minutes=minute)
        self.insights.measured.append(Sample(task=task.arn, container="main", at=at, cpu_seconds=seconds))

    async def minutes(self, count: int) -> None:
        """Let the board ask so often."""
        running = asyncio.create_task(self.board.run())
        await settle()
        for _ in range(count):
            await self.clock.advance(60)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_pod_is_told_of_once_all_its_containers_are_measured() -> None:
    pod, task = a_running("web-1", "main", "side")
    boarded = Boarded((pod, task))
    boarded.measure(task, "main", cores=0.5)
    await boarded.minutes(1)
    assert boarded.board.pods() == ()
    boarded.measure(task, "side", cores=0.25)
    await boarded.minutes(1)
    [usage] = boarded.board.pods()
    assert [(each.name, each.cpu_seconds) for each in usage.containers] == [("main", 30.0), ("side", 15.0)]


async def test_a_node_counts_on_when_a_pod_has_ended() -> None:
    pod, task = a_running()
    boarded = Boarded((pod, task))
    boarded.measure(task, cores=2.0)
    await boarded.minutes(1)
    boarded.store.put(msgspec.structs.replace(task, last_status="STOPPED", version=9))
    await boarded.minutes(1)
    node = boarded.board.node()
    assert (node.cpu_seconds, node.working_set, boarded.board.pods()) == (120.0, 0, ())


async def test_a_node_grows_evenly_though_some_are_measured_later_than_others() -> None:
    (slow, slow_task), (quick, quick_task) = a_running("web-1"), a_running("web-2")
    boarded = Boarded((slow, slow_task), (quick, quick_task))
    told = []
    for minute in range(1, 7):
        boarded.measure(quick_task, cores=1.0, minute=minute)
        if minute % 2:
            boarded.measure(slow_task, cores=1.0, minute=minute)
        await boarded.minutes(1)
        told.append(boarded.board.node().cpu_seconds)
    assert told == [120.0 * minute for minute in range(1, 7)]


async def test_a_container_restarted_in_place_has_one_beginning() -> None:
    pod, task = a_running()
    boarded = Boarded((pod, task))
    boarded.count(task, 30.0, minute=1)
    boarded.count(task, 5.0, minute=2)
    await boarded.minutes(2)
    [usage] = boarded.board.pods()
    [main] = usage.containers
    assert (main.cpu_seconds, main.started) == (35.0, NOON)


async def test_another_start_of_the_container_is_not_told_of_by_the_old_one() -> None:
    pod, task = a_running()
    boarded = Boarded((pod, task))
    boarded.measure(task)
    await boarded.minutes(1)
    fresh = msgspec.structs.replace(task.containers[0], runtime_id="another")
    boarded.store.put(msgspec.structs.replace(task, containers=(fresh,), version=9))
    assert boarded.board.pods() == ()


async def test_a_failure_keeps_what_was_known_and_the_next_minute_catches_up() -> None:
    pod, task = a_running()
    boarded = Boarded((pod, task))
    boarded.measure(task, cores=1.0)
    await boarded.minutes(1)
    boarded.insights.failing = True
    boarded.measure(task, cores=1.0, minute=2)
    await boarded.minutes(1)
    assert boarded.board.pods()[0].containers[0].cpu_seconds == 60.0
    boarded.insights.failing = False
    await boarded.minutes(1)
    assert boarded.board.pods()[0].containers[0].cpu_seconds == 120.0


async def test_nobody_is_asked_while_nothing_runs_or_the_node_is_anothers() -> None:
    boarded = Boarded()
    await boarded.minutes(2)
    pod, task = a_running()
    waiting = Boarded((pod, task))
    waiting.ours.clear()
    await waiting.minutes(2)
    assert (boarded.insights.asked, waiting.insights.asked) == ([], [])
