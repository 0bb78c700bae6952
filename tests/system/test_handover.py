"""Overflow that stays is handed over to a node that an autoscaler was asked for; the tests play it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.extender.handover import REQUESTED
from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeKubelets, FakeNode
from app.model.pod import Pod, condition
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.programs import NAMESPACE
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.conftest import NEEDS_REAL, NODES

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

NEW = FakeNode(name="ec2-new", cpu="2", memory="4Gi", zone="us-east-1a")
FLAGS: dict[str, str | bool] = {
    "handover": True,
    "handover-timeout": "15s",
    "node-stay": "10s",
    "node-hourly-price": "0.05",
    "return-after": "1s",
}


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[pytest.param("real", marks=NEEDS_REAL)],
)
async def eager(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """A stack whose nodes are cheap, and stay for ten seconds."""
    directory = tmp_path_factory.mktemp(f"handover-{request.param}")
    options = LocalOptions(
        directory=directory,
        nodes=NODES,
        fargate=FargateConfig(pace=FAST, journal_path=directory / "fargate.jsonl"),
        embedded=request.param == "embedded",
        helper=False,
        flags={"extender": FLAGS},
    )
    async with LocalStack(options, clock=SystemClock()) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="module")
async def people(eager: LocalStack) -> AsyncIterator[Actors]:
    acting = Actors(eager, clock=SystemClock())
    yield acting
    await acting.leave()


def asks_for_a_node(pod: Pod) -> bool:
    """What autoscalers look for."""
    tried = condition(pod, "PodScheduled")
    return tried is not None and tried.reason == "Unschedulable"


@contextlib.asynccontextmanager
async def autoscaler(people: Actors) -> AsyncIterator[None]:
    """Adds the new node two seconds after a placeholder found none; it goes with the test."""
    task = asyncio.create_task(_scale(people))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        with contextlib.suppress(Exception):
            await people.request("DELETE", f"/api/v1/nodes/{NEW.name}")


async def _scale(people: Actors) -> None:
    await people.until(
        NAMESPACE, "a placeholder without a node", lambda pods: any(map(asks_for_a_node, pods))
    )
    await people.pass_time(2)
    clock = SystemClock()
    parts = kubernetes.parts(people.stack.connection, clock=clock, component="fake-kubelet")
    pods = parts.watch_pods()
    kubelets = FakeKubelets(
        (NEW,), nodes_api=parts.nodes, pods_api=parts.pods, leases=parts.leases, pods=pods, clock=clock
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(pods.run())
        group.create_task(kubelets.run())


async def test_overflow_that_stays_comes_home_to_a_node_that_placeholders_asked_for(people: Actors) -> None:
    space = await people.namespace(overflow="enabled")
    await people.deployment(space, replicas=12)
    pods = await people.until(space, "12 running pods", lambda pods: len(running(pods)) == 12)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 4)
    launches = people.truth().launches
    async with autoscaler(people):
        await people.until(
            space,
            "12 pods to run on nodes",
            lambda pods: len(on_nodes(running(pods))) == 12 and not on_fargate(pods),
        )
        await people.until(NAMESPACE, "no placeholder to be left", lambda pods: not pods)
        told = dict(await people.events("default"))
        assert "asked for 1" in told[REQUESTED]
        await people.scale(space, 0)
        await people.until(space, "the pods of the new node to end with it", lambda pods: not pods)
    assert people.truth().launches == launches


async def test_where_no_node_comes_the_placeholders_go_and_the_pods_stay(people: Actors) -> None:
    space = await people.namespace(overflow="enabled")
    await people.deployment(space, replicas=12)
    before = await people.until(space, "12 running pods", lambda pods: len(running(pods)) == 12)
    await people.until(NAMESPACE, "placeholders", lambda pods: len(pods) == 4)
    await people.until(NAMESPACE, "no placeholder to be left", lambda pods: not pods)
    after = await people.pods(space)
    assert {pod.uid for pod in on_fargate(running(after))} == {pod.uid for pod in on_fargate(before)}
