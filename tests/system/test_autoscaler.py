"""Beside an autoscaler: who can wait gets the node that is on its way, who cannot bursts before it comes."""

import pytest

from app.local.kubelets import FakeNode
from app.model.names import MAX_WAIT
from app.ports.failures import NotFound
from tests.system.actors import Actors, on_fargate, running
from tests.system.autoscaler import autoscaler, is_unschedulable, on
from tests.system.conftest import BOTH_ACTUATORS
from tests.system.pods import SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session"), BOTH_ACTUATORS]
NEW = FakeNode(name="ec2-new", cpu="2", memory="4Gi", zone="us-east-1a")
LARGE = {"resources": {"requests": {"cpu": "1500m", "memory": "64Mi"}}}


async def full_nodes(actors: Actors) -> str:
    """A namespace that opted in; another's pods leave no room on the nodes for what is `LARGE`."""
    others = await actors.namespace()
    await actors.deployment(others, replicas=4, cpu="800m")
    await actors.until(others, "4 running pods", lambda pods: len(running(pods)) == 4)
    return await actors.namespace(overflow="enabled")


async def a_pod(actors: Actors, space: str, name: str, *, max_wait: str) -> None:
    """A large pod with its word on waiting."""
    await actors.pod(space, name, SLEEP, container=LARGE, annotations={MAX_WAIT: max_wait})


async def test_a_pod_that_can_wait_long_enough_lands_on_the_node_that_the_autoscaler_adds(
    actors: Actors,
) -> None:
    space = await full_nodes(actors)
    launches = actors.truth().launches
    async with autoscaler(actors, space, NEW, delay=4):
        await a_pod(actors, space, "patient", max_wait="90s")
        await actors.until(space, "the verdict", lambda pods: any(map(is_unschedulable, pods)))
        pods = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
        assert len(on(NEW, pods)) == 1
    assert actors.truth().launches == launches


async def test_a_pod_that_does_not_wait_bursts_before_the_node_comes(actors: Actors) -> None:
    space = await full_nodes(actors)
    async with autoscaler(actors, space, NEW, delay=6):
        await a_pod(actors, space, "urgent", max_wait="0s")
        pods = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
        assert len(on_fargate(pods)) == 1
        with pytest.raises(NotFound):
            await actors.request("GET", f"/api/v1/nodes/{NEW.name}")


async def test_a_pod_whose_wait_ends_before_the_node_comes_bursts_then(actors: Actors) -> None:
    space = await full_nodes(actors)
    async with autoscaler(actors, space, NEW, delay=12):
        await a_pod(actors, space, "patient", max_wait="4s")
        await actors.until(space, "the verdict", lambda pods: any(map(is_unschedulable, pods)))
        await actors.pass_time(2)
        assert on_fargate(await actors.pods(space)) == []
        pods = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
        assert len(on_fargate(pods)) == 1
