"""Without a scheduler that asks the extender: the gate's leader adds the toleration once the room is open."""

from collections.abc import Sequence

import pytest

from app.model.actuator import OUR_TOLERATION, tolerates_virtual_nodes
from app.model.names import MAX_WAIT
from app.model.pod import Pod
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.autoscaler import is_unschedulable
from tests.system.conftest import BY_TOLERATION
from tests.system.pods import ONLY_FARGATE, SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session"), BY_TOLERATION]
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


def tolerating(pods: Sequence[Pod]) -> list[Pod]:
    """Those that bear the virtual node's taint."""
    return [pod for pod in pods if tolerates_virtual_nodes(pod)]


async def test_only_the_pods_that_burst_get_the_toleration(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10)
    pods = await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 2)
    assert {pod.uid for pod in tolerating(pods)} == {pod.uid for pod in on_fargate(pods)}


async def test_a_pod_that_waits_is_plainly_unschedulable_and_tolerates_nothing(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    large = {"resources": {"requests": {"cpu": "3", "memory": "64Mi"}}}
    await actors.pod(space, "patient", SLEEP, container=large, annotations={MAX_WAIT: "4s"})
    [pod] = await actors.until(space, "the verdict", lambda pods: any(map(is_unschedulable, pods)))
    assert tolerating([pod]) == []
    [pod] = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    assert on_fargate([pod]) == tolerating([pod]) == [pod]


async def test_fifty_pods_burst_together(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    before = actors.truth()
    await actors.deployment(space, replicas=50, nodeSelector=ONLY_VIRTUAL)
    pods = await actors.until(space, "50 running pods", lambda pods: len(running(pods)) == 50)
    after = actors.truth()
    assert len(on_fargate(pods)) == 50
    assert (after.launches - before.launches, after.duplicates) == (50, 0)
    assert {sum(each.key == OUR_TOLERATION["key"] for each in pod.spec.tolerations) for pod in pods} == {1}


async def test_a_pod_that_requires_fargate_gets_there(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await actors.pod(space, "only", SLEEP, labels=ONLY_FARGATE)
    [pod] = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    assert on_fargate([pod]) == [pod]


async def test_an_extender_that_dies_in_the_middle_of_a_burst_loses_no_pod(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=30, nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "a first toleration", lambda pods: len(tolerating(pods)) > 0)
    async with actors.without("extender"):
        await actors.pass_time(1)
    await actors.until(space, "30 running pods", lambda pods: len(running(pods)) == 30)
    assert actors.truth().duplicates == 0


async def test_a_pod_that_took_anothers_room_holds_it_up_for_a_moment_only(actors: Actors) -> None:
    space, strangers = await actors.namespace(overflow="enabled"), await actors.namespace()
    # What was granted for others before must not be what the thief takes.
    await actors.until_closed()
    await actors.pod(
        strangers, "thief", SLEEP, container=SMALL, nodeSelector=ONLY_VIRTUAL, tolerations=[OUR_TOLERATION]
    )
    await actors.until(strangers, "the thief's verdict", lambda pods: any(map(is_unschedulable, pods)))
    launches = actors.truth().launches
    await actors.pod(space, "victim", SLEEP, container=SMALL, nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "the victim to run", lambda pods: len(running(pods)) == 1)
    assert actors.truth().launches == launches + 1
