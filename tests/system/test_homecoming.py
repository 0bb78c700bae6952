"""Overflow pods come home once real nodes have had room for a while: few at a time, and never in circles."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeKubelets, FakeNode
from app.model.names import RETURNS
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.conftest import NODES, ON_REAL, real_is_missing

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

FLAGS = {"extender": {"return-after": "3s", "return-hold-off": "20s"}}
HOSTNAME = "kubernetes.io/hostname"
NEW = "ec2-2"


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="session",
    params=[
        "embedded",
        pytest.param("real", marks=pytest.mark.skipif(bool(real_is_missing()), reason=real_is_missing())),
    ],
)
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """A stack whose overflow comes home after seconds."""
    directory = tmp_path_factory.mktemp(f"home-{request.param}")
    options = LocalOptions(
        directory=directory,
        nodes=NODES,
        fargate=FargateConfig(
            pace=FAST, events_queue="task-events", journal_path=directory / "fargate.jsonl"
        ),
        embedded=request.param == "embedded",
        helper=False,
        flags=FLAGS,
    )
    async with LocalStack(options, clock=SystemClock()) as running_stack:
        yield running_stack


class Room:
    """A third node, when the test wants it."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._tasks: list[asyncio.Task[None]] = []

    async def add(self) -> None:
        """Register the node; its kubelet serves it."""
        parts = kubernetes.parts(self._stack.connection, clock=SystemClock(), component="fake-kubelet")
        pods = parts.watch_pods()
        kubelets = FakeKubelets(
            (FakeNode(name=NEW, cpu="2", memory="4Gi", zone="us-east-1a"),),
            nodes_api=parts.nodes,
            pods_api=parts.pods,
            leases=parts.leases,
            pods=pods,
            clock=SystemClock(),
        )
        self._tasks = [asyncio.create_task(pods.run()), asyncio.create_task(kubelets.run())]

    async def remove(self) -> None:
        """Take the node away again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self._stack.connection.request("DELETE", f"/api/v1/nodes/{NEW}")


@pytest_asyncio.fixture(loop_scope="session")
async def room(stack: LocalStack) -> AsyncIterator[Room]:
    """A node that may be added; name it before `actors`, whose pods must be gone before it goes."""
    more = Room(stack)
    yield more
    await more.remove()


async def an_overflow(actors: Actors, *, replicas: int = 10) -> str:
    """A namespace with a Deployment that fills the two nodes and bursts with the rest."""
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=replicas)
    pods = await actors.until(space, f"{replicas} running pods", lambda pods: len(running(pods)) == replicas)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, replicas - 8)
    return space


async def told(actors: Actors, space: str, reason: str) -> int:
    """How often an Event with this reason was recorded, of whichever pod."""
    found = await actors.request("GET", f"/api/v1/namespaces/{space}/events")
    return sum(each.get("count", 1) for each in found["items"] if each["reason"] == reason)


async def test_overflow_comes_home_when_a_node_is_added(room: Room, actors: Actors) -> None:
    space = await an_overflow(actors)
    await room.add()
    pods = await actors.until(
        space, "all to run on nodes", lambda pods: len(on_nodes(running(pods))) == len(pods) == 10
    )
    assert on_fargate(pods) == []
    assert await told(actors, space, "ReturningHome") == 2
    await actors.until_no_task_is_left()


async def test_the_only_replica_and_bare_pods_stay_on_fargate(room: Room, actors: Actors) -> None:
    await an_overflow(actors, replicas=8)
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=1)
    await actors.pod(space, "bare", "import time; time.sleep(600)")
    before = await actors.until(space, "two on Fargate", lambda pods: len(on_fargate(running(pods))) == 2)
    await room.add()
    await actors.pass_time(10)
    after = await actors.pods(space)
    assert {pod.uid for pod in on_fargate(running(after))} == {pod.uid for pod in before}
    assert await told(actors, space, "ReturningHome") == 0


@ON_REAL
async def test_a_budget_holds_overflow_and_is_not_asked_again_at_once_not_by_a_new_leader_either(
    room: Room, actors: Actors
) -> None:
    space = await an_overflow(actors)
    before = {pod.uid for pod in await actors.pods(space)}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all"},
        "spec": {"minAvailable": 10, "selector": {"matchLabels": {"app": "web"}}},
    }
    await actors.request("POST", f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets", budget)
    await room.add()
    message = await actors.until_told(space, "ReturnRefused")
    assert "The disruption budget all " in message
    async with actors.without("extender"):
        pass
    await actors.pass_time(12)
    assert {pod.uid for pod in running(await actors.pods(space))} == before
    assert await told(actors, space, "ReturnRefused") == 1


@ON_REAL
async def test_a_pod_that_the_scheduler_sends_back_to_fargate_is_not_moved_in_circles(
    room: Room, actors: Actors
) -> None:
    space = await an_overflow(actors, replicas=9)
    await room.add()
    await hermit(actors, space)
    await actors.until_told(space, "ReturningHome")
    await actors.pass_time(30)
    moves = await told(actors, space, "ReturningHome")
    pods = await actors.until(space, "9 running pods", lambda pods: len(running(pods)) == 10)
    assert len(on_fargate(pods)) == 1
    assert 1 <= moves <= 2
    assert '"state":"struck"' in (await actors.virtual_node()).metadata.annotations[RETURNS]


async def hermit(actors: Actors, space: str) -> None:
    """A pod on the new node that bears no `web` beside it: kube-scheduler heeds that, our fit does not."""
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}
    await actors.pod(
        space,
        "hermit",
        "import time; time.sleep(600)",
        labels={"spillway.dev/overflow": "disabled"},
        container={"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}},
        nodeSelector={HOSTNAME: NEW},
        affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
    )
