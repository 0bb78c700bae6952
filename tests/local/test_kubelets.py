import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from app.local.cluster.apiserver.api import Api
from app.local.kubelet_objects import RUN_SECONDS, run_seconds
from app.local.kubelets import FakeKubelets, FakeNode
from app.model.pod import Pod
from tests.builders import a_pod
from tests.fakes import FakeWatched, VirtualClock
from tests.local.kubelet_ports import ApiLeases, ApiNodes, ApiPods

NODE = FakeNode(name="ec2-0", cpu="2", memory="4Gi", zone="eu-west-1b", pods=10)


class World:
    """One fake kubelet on an embedded API, with a watch that the test pumps."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.clock = VirtualClock()
        self.api = Api(clock=self.clock, ids=lambda: f"uid-{next(numbers)}")
        self.nodes, self.pods, self.leases = ApiNodes(self.api), ApiPods(self.api), ApiLeases(self.api)
        self.watched: FakeWatched[Pod] = FakeWatched()
        self.kubelets = FakeKubelets(
            (NODE,),
            nodes_api=self.nodes,
            pods_api=self.pods,
            leases=self.leases,
            pods=self.watched,
            clock=self.clock,
        )

    async def pod(self, name: str = "web", **metadata: Any) -> None:
        """A pod bound to the node."""
        body = {"metadata": {"name": name, **metadata}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        await self.api.create("pods", "default", body)
        await self.api.bind("default", name, NODE.name)
        self.see(name)

    def see(self, name: str = "web") -> None:
        """Let the watch catch up with one pod."""
        self.watched.put(msgspec.convert(self.api.get("pods", "default", name), Pod))

    def status(self, name: str = "web") -> dict[str, Any]:
        found: dict[str, Any] = self.api.get("pods", "default", name)["status"]
        return found

    def ready(self) -> str:
        conditions = self.api.get("nodes", "", NODE.name)["status"]["conditions"]
        return next(str(each["status"]) for each in conditions if each["type"] == "Ready")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    for name in ("default", "kube-node-lease"):
        await made.api.create("namespaces", "", {"metadata": {"name": name}})
    running = asyncio.create_task(made.kubelets.run())
    await made.clock.advance(0.1)
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_node_is_registered_as_a_kubelet_on_ec2_does(world: World) -> None:
    node = world.api.get("nodes", "", "ec2-0")
    assert node["spec"]["providerID"] == "aws:///eu-west-1b/i-ec2-0"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "ec2-0"
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "eu-west-1b"
    assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "eu-west-1"
    assert node["status"]["allocatable"]["pods"] == "10"
    assert world.ready() == "True"


async def test_the_lease_is_renewed_through_an_outage(world: World) -> None:
    world.nodes.outage = world.leases.outage = 1
    await world.clock.advance(30)
    assert world.api.get("leases", "kube-node-lease", "ec2-0")["spec"]["holderIdentity"] == "ec2-0"
    assert world.leases.outage == 0


async def test_failing_heartbeats_are_told_once_for_each_trouble(world: World) -> None:
    world.leases.outage = 4
    with capture_logs() as told:
        await world.clock.advance(50)
        world.leases.outage = 1
        await world.clock.advance(10)
    assert [(each["event"], each["node"]) for each in told] == [("a heartbeat failed", "ec2-0")] * 2


@pytest.mark.parametrize(
    ("node", "word"),
    [
        pytest.param(FakeNode(name="ec2-0", cpu="two"), 'the cpu of node ec2-0: "two"', id="cpu"),
        pytest.param(FakeNode(name="ec2-0", memory="4GB"), 'the memory of node ec2-0: "4GB"', id="memory"),
    ],
)
def test_a_node_without_readable_quantities_is_refused(node: FakeNode, word: str) -> None:
    made = World()
    with pytest.raises(ValueError, match=word):
        FakeKubelets(
            (node,),
            nodes_api=made.nodes,
            pods_api=made.pods,
            leases=made.leases,
            pods=made.watched,
            clock=made.clock,
        )


async def test_a_node_declared_dead_speaks_up_again(world: World) -> None:
    dead = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}
    await world.api.patch("nodes", "", "ec2-0", dead, kind="strategic", subresource="status")
    await world.clock.advance(10)
    assert world.ready() == "True"


async def test_a_bound_pod_runs_soon(world: World) -> None:
    await world.pod()
    await world.clock.advance(1)
    status = world.status()
    assert (status["phase"], status["containerStatuses"][0]["ready"]) == ("Running", True)
    assert status["podIP"].startswith("10.1.")


async def test_a_pod_on_another_node_is_left_alone(world: World) -> None:
    world.watched.put(a_pod(node="fargate-1a"))
    await world.clock.advance(1)
    assert world.api.list("pods") == []


async def test_a_pod_ends_after_the_seconds_that_its_annotation_says(world: World) -> None:
    await world.pod(annotations={RUN_SECONDS: "5"})
    await world.clock.advance(5)
    assert world.status()["phase"] == "Running"
    await world.clock.advance(1)
    assert world.status()["phase"] == "Succeeded"
    assert world.status()["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


async def test_a_deleted_pod_ends_and_then_goes(world: World) -> None:
    await world.pod()
    await world.clock.advance(1)
    await world.api.delete("pods", "default", "web")
    world.see()
    await world.clock.advance(1)
    assert world.api.list("pods") == []
    assert world.pods.removed == ["web"]


async def test_an_outage_delays_a_report_but_does_not_lose_it(world: World) -> None:
    world.pods.outage = 3
    await world.pod()
    await world.clock.advance(1)
    assert world.status()["phase"] == "Pending"
    await world.clock.advance(5)
    assert world.status()["phase"] == "Running"


async def test_a_pod_declared_unready_by_the_node_controller_is_reported_again(world: World) -> None:
    await world.pod()
    await world.clock.advance(1)
    world.see()
    unready = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "NodeNotReady"}]}}
    await world.api.patch("pods", "default", "web", unready, kind="strategic", subresource="status")
    world.see()
    await world.clock.advance(1)
    ready = next(each for each in world.status()["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"


async def test_restarted_kubelets_keep_the_start_of_running_pods(world: World) -> None:
    await world.pod(annotations={RUN_SECONDS: "30"})
    await world.clock.advance(10)
    fresh = FakeKubelets(
        (NODE,),
        nodes_api=world.nodes,
        pods_api=world.pods,
        leases=world.leases,
        pods=FakeWatched([msgspec.convert(world.api.get("pods", "default", "web"), Pod)]),
        clock=world.clock,
    )
    running = asyncio.create_task(fresh.run())
    await world.clock.advance(21)
    assert world.status()["phase"] == "Succeeded"
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("1.5", 1.5, id="a-number"),
        pytest.param("-3", 0.0, id="never-negative"),
        pytest.param("soon", None, id="unreadable-means-for-ever"),
    ],
)
def test_run_seconds_are_read_with_care(text: str, seconds: float | None) -> None:
    assert run_seconds(a_pod(annotations={RUN_SECONDS: text})) == seconds
