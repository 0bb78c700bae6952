"""What is gathered of one pod, and what the probes are told on the way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.bridge.config import RecordConfig
from app.bridge.known import Known
from app.bridge.log_places import LogPlaces
from app.bridge.memories import Memories
from app.bridge.node.lease import NodeLease
from app.bridge.pod_views import PodViews, key_of
from app.bridge.probing.prober import Prober
from app.bridge.records import Records
from app.bridge.survey import Sources, Survey
from app.bridge.task_poll import TaskPoll
from app.bridge.task_store import TaskStore
from app.model.task import TaskContainer
from tests.bridge.door import Door
from tests.bridge.fake_ecs import FakeEcs
from tests.bridge.fake_kubernetes import FakeEvents, FakeLeases
from tests.bridge.fakes import CONFIG, FakeProbes, FakeStreams, a_namespace
from tests.bridge.situations import began, over
from tests.builders import NOON, VIRTUAL, a_container, a_pod, a_task
from tests.fakes import FakeWatched, VirtualClock

PROBE = {"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}
POD = a_pod("web-1", uid="u1", node=VIRTUAL, containers=[a_container(readinessProbe=PROBE)])
TASK = a_task(
    POD,
    ip="10.1.0.7",
    started_at=NOON,
    containers=(
        TaskContainer(name="main", last_status="RUNNING"),
        TaskContainer(name="spillway-keeper", last_status="RUNNING"),
    ),
)


class Surveyed:
    """One running pod whose container the helper keeps, with its probes."""

    def __init__(self) -> None:
        self.clock, self.streams, self.probes = VirtualClock(), FakeStreams(), FakeProbes()
        door = Door()
        store = TaskStore(cluster="cluster-1", node=VIRTUAL)
        store.put(TASK)
        lease = NodeLease(FakeLeases(door), clock=self.clock, config=CONFIG.node)
        views = PodViews(FakeWatched([POD]))
        self.records = Records(
            self.streams,
            store,
            clock=self.clock,
            places=LogPlaces(views, settings=CONFIG.task),
            config=RecordConfig(),
            held=lease.held,
        )
        self.prober = Prober(self.probes, events=FakeEvents(door), clock=self.clock, jitter=lambda: 0.0)
        poll = TaskPoll(
            FakeEcs(door, self.clock),
            store,
            clock=self.clock,
            config=CONFIG.poll,
            pods=frozenset,
            leads=lease.is_held,
        )
        known = Known(
            views=views,
            tasks=store,
            memories=Memories(),
            records=self.records,
            lease=lease,
        )
        namespaces = FakeWatched([a_namespace("shop")])
        sources = Sources(known=known, poll=poll, prober=self.prober, namespaces=namespaces, clock=self.clock)
        self.survey = Survey(sources, config=CONFIG)

    async def probed_in(self, seconds: int, *records: str) -> int:
        """How often the container is asked from the moment that these are all its records."""
        self.streams.lines[f"spillway/spillway-keeper/{TASK.task_id}"] = list(records)
        await self.records.read(TASK)
        self.survey.facts(key_of(POD))
        before = len(self.probes.asked)
        await self.clock.advance(seconds)
        return len(self.probes.asked) - before


@pytest.fixture
async def surveyed() -> AsyncIterator[Surveyed]:
    made = Surveyed()
    probing = asyncio.create_task(made.prober.run())
    await made.clock.advance(1)
    yield made
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)


async def test_a_container_that_runs_inside_the_task_is_probed(surveyed: Surveyed) -> None:
    assert await surveyed.probed_in(10, began(1)) >= 9


async def test_a_container_in_back_off_is_not_probed(surveyed: Surveyed) -> None:
    assert await surveyed.probed_in(10, began(1)) >= 9
    assert await surveyed.probed_in(10, began(1), over(1)) == 0


async def test_a_container_that_runs_again_is_probed_again(surveyed: Surveyed) -> None:
    assert await surveyed.probed_in(10, began(1), over(1)) == 0
    assert await surveyed.probed_in(10, began(1), over(1), began(2)) >= 9


async def test_a_container_in_back_off_has_no_health_to_fail_by(surveyed: Surveyed) -> None:
    await surveyed.probed_in(10, began(1), over(1))
    assert surveyed.survey.facts(key_of(POD)).health == {}
