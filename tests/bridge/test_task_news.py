"""Events of tasks: duplicates, any order, other nodes' tasks, and a queue that fails."""

from collections.abc import Sequence

import msgspec
from prometheus_client import CollectorRegistry

from app.bridge.metrics import BridgeMetrics
from app.bridge.task_news import TaskNews
from app.bridge.task_store import TaskStore
from app.model.task import Task, TaskContainer
from app.ports.failures import Unavailable
from app.ports.task_events import TaskEvent
from tests.bridge.fakes import World
from tests.builders import NOON, VIRTUAL, a_pod, a_task, identity_of
from tests.fakes import VirtualClock

POD = a_pod("web-1", uid="u1")


class Queue:
    """Hands out batches; fails where a batch is None."""

    def __init__(self, *batches: tuple[Task, ...] | None) -> None:
        self.batches = list(batches)
        self.done_with: list[str] = []

    async def receive(self) -> tuple[TaskEvent, ...]:
        batch = self.batches.pop(0) if self.batches else ()
        if batch is None:
            raise Unavailable("the queue is away")
        return tuple(TaskEvent(task, f"v{task.version}") for task in batch)

    async def done(self, events: Sequence[TaskEvent]) -> None:
        self.done_with += [event.receipt for event in events]


def at(version: int, last_status: str = "RUNNING", *, node: str = VIRTUAL) -> Task:
    return a_task(POD, last_status=last_status, version=version, identity=identity_of(POD, node=node))


def news_of(queue: Queue, *stores: TaskStore) -> TaskNews:
    news = TaskNews(queue, clock=VirtualClock(), retry=3, metrics=BridgeMetrics(CollectorRegistry()))
    for store in stores:
        news.on_task(store.hear, leads=lambda: True)
    return news


def a_store(node: str = VIRTUAL) -> TaskStore:
    return TaskStore(cluster="cluster-1", node=node)


async def test_the_newest_version_counts_in_whatever_order_they_come() -> None:
    store = a_store()
    await news_of(Queue((at(6, "STOPPED"), at(3), at(6, "STOPPED"), at(5, "DEPROVISIONING"))), store).once()
    assert [(task.version, task.last_status) for task in store.all()] == [(6, "STOPPED")]


async def test_every_event_is_confirmed_news_or_not() -> None:
    queue = Queue((at(3), at(3), at(2)))
    await news_of(queue, a_store()).once()
    assert queue.done_with == ["v3", "v3", "v2"]


async def test_an_event_reaches_the_node_that_it_is_about() -> None:
    first, second = a_store("fargate-1a"), a_store("fargate-1b")
    await news_of(Queue((at(3, node="fargate-1b"),)), first, second).once()
    assert (len(first.all()), len(second.all())) == (0, 1)


async def test_somebody_elses_task_is_no_news() -> None:
    assert a_store().hear(at(3, node="fargate-1b")) is False


async def test_an_event_says_nothing_of_health_or_of_whose_task_it_is() -> None:
    store = a_store()
    box = TaskContainer(name="main", last_status="RUNNING", health="HEALTHY")
    store.put(msgspec.structs.replace(at(3), containers=(box,)))
    bare = msgspec.structs.replace(box, health="UNKNOWN")
    assert store.hear(msgspec.structs.replace(at(4), identity=None, attempt=0, containers=(bare,)))
    [known] = store.all()
    assert (known.version, known.attempt, known.identity) == (4, 1, identity_of(POD))
    assert known.containers == (box,)


async def test_an_event_without_a_word_of_sessions_leaves_what_is_known_of_them() -> None:
    store = a_store()
    box = TaskContainer(name="main", agent="STOPPED", agent_reason="no role", words=("run", "main", "--"))
    store.put(msgspec.structs.replace(at(3), containers=(box,), execute_command=True))
    store.hear(msgspec.structs.replace(at(4), containers=(TaskContainer(name="main"),)))
    [known] = store.all()
    assert (known.containers, known.execute_command) == ((box,), True)


async def test_an_event_tells_how_the_agent_is() -> None:
    store = a_store()
    store.put(msgspec.structs.replace(at(3), containers=(TaskContainer(name="main", agent="PENDING"),)))
    running = TaskContainer(name="main", agent="RUNNING")
    store.hear(msgspec.structs.replace(at(4), containers=(running,)))
    assert store.all()[0].containers == (running,)


async def test_the_queue_is_drained_as_of_when_it_was_asked() -> None:
    news = news_of(Queue((at(3),)), a_store())
    await news.once()
    assert news.drained_at is None
    await news.once()
    assert news.drained_at == NOON


async def test_a_lost_task_whose_end_is_in_the_queue_is_told_by_it() -> None:
    world = World(listens=True)
    pod = a_pod("job", node=VIRTUAL, restartPolicy="Never")
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    [run] = world.ecs.of(pod)
    await world.stop()
    world.ecs.end(run, 7)
    await world.advance(5)
    world.ecs.vanish(run)
    await world.clock.advance(7200)
    world.start()
    await world.advance(60)
    now = world.pod(pod)
    assert (now.status.phase, now.status.reason) == ("Failed", "")
    assert now.status.container_statuses[0]["state"]["terminated"]["exitCode"] == 7
    await world.stop()


async def test_a_task_is_lost_only_after_the_queue_was_drained() -> None:
    world = World(listens=True)
    pod = a_pod("job", node=VIRTUAL, restartPolicy="Never")
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    world.door.failures["receive"] = [Unavailable("the queue is away")] * 10_000
    world.ecs.vanish(world.ecs.of(pod)[0])
    await world.advance(900, step=5)
    assert world.pod(pod).status.phase == "Running"
    world.door.failures.clear()
    await world.advance(120)
    assert (world.pod(pod).status.phase, world.pod(pod).status.reason) == ("Failed", "TaskLost")
    await world.stop()


async def test_an_event_shows_an_end_before_the_next_poll() -> None:
    world = World(listens=True)
    pod = a_pod("job", node=VIRTUAL, restartPolicy="Never")
    world.start()
    world.pods.bind(pod)
    await world.advance(15)
    world.door.failures["describe"] = [Unavailable("503")] * 100
    world.ecs.end(world.ecs.of(pod)[0], 0)
    await world.advance(3)
    assert world.pod(pod).status.phase == "Succeeded"
    await world.stop()


async def test_a_queue_that_fails_costs_only_the_hints() -> None:
    world = World(listens=True)
    pod = a_pod(node=VIRTUAL)
    world.door.failures["receive"] = [Unavailable("the queue is away")] * 100
    world.start()
    world.pods.bind(pod)
    await world.advance(30)
    assert world.pod(pod).status.phase == "Running"
    await world.stop()
