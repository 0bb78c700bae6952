"""The bridge may die at any moment; the truth about tasks and pods survives."""

import socket

import pytest

from app.wiring.local.programs import NODE
from tests.system.actors import Actors, on_fargate, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


async def test_kill_9_in_the_middle_of_a_burst_leaves_every_pod_with_exactly_one_task(
    actors: Actors,
) -> None:
    before = actors.truth()
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=60, nodeSelector=ONLY_VIRTUAL)
    await actors.until_launched(before.launches + 15)
    async with actors.without("bridge"):
        await actors.pass_time(0.5)
    await actors.until(space, "60 running pods", lambda pods: len(running(pods)) == 60)
    after = actors.truth()
    assert after.launches - before.launches == 60
    assert after.duplicates == 0


async def test_a_task_that_ended_while_the_bridge_was_down_gives_its_exit_code(
    actors: Actors,
) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "job", "import sys, time; time.sleep(4); sys.exit(7)", nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    async with actors.without("bridge"):
        await actors.pass_time(5)
    [pod] = await actors.until(space, "the pod to end", lambda pods: pods[0].status.phase == "Failed")
    assert pod.status.container_statuses[0]["state"]["terminated"]["exitCode"] == 7


async def test_a_pod_deleted_while_the_bridge_was_down_leaves_no_task(
    actors: Actors,
) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=2, nodeSelector=ONLY_VIRTUAL)
    pods = await actors.until(space, "2 running pods", lambda pods: len(running(pods)) == 2)
    async with actors.without("bridge"):
        await actors.scale(space, 0)
        for pod in pods:
            await actors.delete_by_force(pod)
        await actors.until(space, "no pods", lambda pods: not pods)
    await actors.until_no_task_is_left()


async def test_a_restarted_bridge_adopts_what_runs(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=3, nodeSelector=ONLY_VIRTUAL)
    before = await actors.until(space, "3 running pods", lambda pods: len(running(pods)) == 3)
    launches = actors.truth().launches
    async with actors.without("bridge"):
        await actors.pass_time(0.5)
    await actors.pass_time(4)
    after = await actors.pods(space)
    assert {pod.uid for pod in on_fargate(running(after))} == {pod.uid for pod in before}
    assert actors.truth().launches == launches


async def test_a_bridge_that_is_told_to_stop_leaves_the_node_to_the_next_one(actors: Actors) -> None:
    before = await actors.request("GET", LEASE)
    await actors.stop_program("bridge")
    try:
        after = await actors.request("GET", LEASE)
    finally:
        await actors.stack.start_program("bridge")
    assert before["spec"]["holderIdentity"] == socket.gethostname()
    assert after["spec"].get("holderIdentity", "") == ""
