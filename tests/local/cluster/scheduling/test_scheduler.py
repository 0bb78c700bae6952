import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from app.local.cluster.apiserver.api import Api, ApiError
from app.local.cluster.scheduling.config import SchedulerConfig
from app.local.cluster.scheduling.scheduler import Scheduler
from tests.fakes import VirtualClock, settle


class StubbornApi(Api):
    """An API whose next bindings fail."""

    refusals = 0
    bindings = 0

    async def bind(self, namespace: str, name: str, node: str, *, uid: str = "") -> None:
        self.bindings += 1
        if self.refusals > 0:
            self.refusals -= 1
            raise ApiError(500, "InternalError", "etcd is busy")
        await super().bind(namespace, name, node, uid=uid)


class World:
    """A cluster with one scheduler, on a clock that the test moves."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.clock = VirtualClock()
        self.api = StubbornApi(clock=self.clock, ids=lambda: f"uid-{next(numbers)}")
        self.scheduler = Scheduler(self.api, config=SchedulerConfig(), clock=self.clock)

    async def node(self, name: str = "ec2-0", *, cpu: str = "1") -> None:
        await self.api.create("nodes", "", {"metadata": {"name": name}})
        room = {"cpu": cpu, "memory": "4Gi", "pods": "10"}
        status = {"status": {"capacity": room, "allocatable": room}}
        await self.api.patch("nodes", "", name, status, kind="merge", subresource="status")
        await self.api.patch("nodes", "", name, {"spec": {"taints": []}}, kind="merge")

    async def pod(self, name: str, *, cpu: str = "600m", **spec: Any) -> None:
        container = {"name": "main", "image": "app", "resources": {"requests": {"cpu": cpu}}}
        body = {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}
        await self.api.create("pods", "default", body)
        await settle()

    def node_of(self, name: str) -> str:
        return str(self.api.get("pods", "default", name)["spec"].get("nodeName", ""))

    def reason_of(self, name: str) -> str:
        conditions = self.api.get("pods", "default", name)["status"].get("conditions", [])
        return next((str(each["reason"]) for each in conditions if each["status"] == "False"), "")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.api.create("namespaces", "", {"metadata": {"name": "default"}})
    running = asyncio.create_task(made.scheduler.run())
    await settle()
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_binding_that_fails_is_tried_again_after_a_second(world: World) -> None:
    await world.node()
    world.api.refusals = 1
    await world.pod("web")
    assert (world.node_of("web"), world.reason_of("web")) == ("", "SchedulerError")
    await world.clock.advance(0.9)
    assert world.api.bindings == 1
    await world.clock.advance(0.2)
    assert world.node_of("web") == "ec2-0"


async def test_the_room_of_a_failed_binding_is_free_for_others(world: World) -> None:
    await world.node()
    world.api.refusals = 1
    await world.pod("first")
    await world.pod("second")
    assert world.node_of("second") == "ec2-0"


async def test_room_is_never_given_away_twice_while_bindings_are_on_their_way(world: World) -> None:
    await world.node()
    await asyncio.gather(*(world.pod(f"web-{number}") for number in range(5)))
    assert sorted(world.node_of(f"web-{number}") for number in range(5)) == ["", "", "", "", "ec2-0"]


async def test_a_pod_bound_by_another_scheduler_takes_its_room(world: World) -> None:
    await world.node()
    await world.pod("foreign", schedulerName="other")
    await world.api.bind("default", "foreign", "ec2-0")
    await world.pod("web")
    assert world.node_of("web") == ""


async def test_a_pod_that_finished_makes_room(world: World) -> None:
    await world.node()
    await world.pod("first")
    await world.pod("second")
    done = {"status": {"phase": "Succeeded"}}
    await world.api.patch("pods", "default", "first", done, kind="merge", subresource="status")
    await settle()
    assert world.node_of("second") == "ec2-0"


async def test_a_deleted_pod_is_forgotten(world: World) -> None:
    await world.pod("web")
    await world.api.delete("pods", "default", "web")
    await world.node()
    await settle()
    assert world.api.bindings == 0


async def test_pods_and_nodes_that_were_there_before_are_seen(world: World) -> None:
    await world.node()
    await world.pod("running")
    restarted = Scheduler(world.api, config=SchedulerConfig(names=("second",)), clock=world.clock)
    await world.pod("waiting", schedulerName="second")
    running = asyncio.create_task(restarted.run())
    await settle()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert world.reason_of("waiting") == "Unschedulable"


async def test_the_same_verdict_is_counted_up_in_one_event(world: World) -> None:
    await world.node(cpu="100m")
    await world.pod("web")
    await world.clock.advance(301)
    events = [each for each in world.api.list("events") if each["reason"] == "FailedScheduling"]
    assert [each["count"] for each in events] == [2]


async def test_the_same_verdict_is_not_written_to_the_pod_again(world: World) -> None:
    await world.node(cpu="100m")
    await world.pod("web")
    before = world.api.get("pods", "default", "web")["metadata"]["resourceVersion"]
    await world.clock.advance(301)
    assert world.api.get("pods", "default", "web")["metadata"]["resourceVersion"] == before


async def test_a_higher_priority_evicts_gracefully_and_waits(world: World) -> None:
    await world.api.create("priorityclasses", "", {"metadata": {"name": "high"}, "value": 100})
    await world.node()
    await world.pod("low")
    await world.pod("urgent", priorityClassName="high")
    victim = world.api.get("pods", "default", "low")
    urgent = world.api.get("pods", "default", "urgent")
    assert victim["metadata"]["deletionGracePeriodSeconds"] == 30
    assert urgent["status"]["nominatedNodeName"] == "ec2-0"
    disrupted = next(each for each in victim["status"]["conditions"] if each["type"] == "DisruptionTarget")
    assert disrupted["reason"] == "PreemptionByScheduler"
    await world.pod("late")
    await world.api.delete("pods", "default", "low", grace_seconds=0)
    await settle()
    assert (world.node_of("urgent"), world.node_of("late")) == ("ec2-0", "")
