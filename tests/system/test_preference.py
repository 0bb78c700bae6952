"""What comes first for an important pod on a full cluster, others' eviction or Fargate, by PriorityClass."""

import contextlib
from collections.abc import Sequence
from typing import Any

import pytest

from app.model.pod import Pod
from app.ports.failures import Conflict, Refused
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.pods import SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def full_cluster(actors: Actors, **spec: Any) -> tuple[str, set[str]]:
    """A namespace that never opted in, whose pods fill both nodes; its name, and their uids."""
    space = await actors.namespace()
    await actors.deployment(space, replicas=8, **spec)
    pods = await actors.until(space, "8 running pods", lambda pods: len(running(pods)) == 8)
    return space, {pod.uid for pod in pods}


async def priority_class(actors: Actors, name: str, *, value: int) -> None:
    """A PriorityClass, which is made where there is none yet."""
    body = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
    }
    with contextlib.suppress(Conflict):  # an earlier test made it
        await actors.request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body)


async def important_pod(actors: Actors, space: str, class_name: str, **spec: Any) -> None:
    """A pod of this class, as soon as admission knows the class."""

    async def accepted() -> bool:
        try:
            await actors.pod(space, "important", SLEEP, priorityClassName=class_name, **spec)
        except Refused:
            return False
        return True

    await priority_class(actors, class_name, value=1000)
    await actors.until_so(f"a pod of class {class_name} to be admitted", accepted)


async def until_running(actors: Actors, space: str) -> Sequence[Pod]:
    return await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)


async def alive(actors: Actors, space: str) -> set[str]:
    """The uids of the pods that run and were not evicted."""
    return {pod.uid for pod in running(await actors.pods(space))}


async def test_a_pod_whose_class_bursts_evicts_nobody_and_bursts(actors: Actors) -> None:
    fillers, before = await full_cluster(actors)
    space = await actors.namespace(overflow="enabled")
    await important_pod(actors, space, "test-burst")
    assert len(on_fargate(await until_running(actors, space))) == 1
    assert await alive(actors, fillers) == before


async def test_a_pod_whose_class_bursts_pushes_placeholders_aside_and_starts_no_task(actors: Actors) -> None:
    await priority_class(actors, "test-placeholder", value=-10)
    await full_cluster(actors, priorityClassName="test-placeholder")
    space = await actors.namespace(overflow="enabled")
    launches = actors.truth().launches
    await important_pod(actors, space, "test-burst")
    assert len(on_nodes(await until_running(actors, space))) == 1
    assert actors.truth().launches == launches


async def test_a_pod_whose_class_preempts_evicts_somebody_and_starts_no_task(actors: Actors) -> None:
    fillers, before = await full_cluster(actors)
    space = await actors.namespace(overflow="enabled")
    launches = actors.truth().launches
    await important_pod(actors, space, "test-preempt")
    assert len(on_nodes(await until_running(actors, space))) == 1
    assert len(await alive(actors, fillers) & before) == 7
    assert actors.truth().launches == launches


async def test_a_pod_whose_class_waits_does_neither_until_a_node_has_room(actors: Actors) -> None:
    fillers, before = await full_cluster(actors)
    space = await actors.namespace(overflow="enabled")
    launches = actors.truth().launches
    await important_pod(actors, space, "test-wait")
    assert "--priority-classes" in await actors.until_told(space, "OverflowWaiting")
    await actors.pass_time(3)
    [pod] = await actors.pods(space)
    assert (pod.spec.node_name, pod.status.nominated_node_name) == ("", "")
    assert await alive(actors, fillers) == before
    await actors.scale(fillers, 7)
    assert len(on_nodes(await until_running(actors, space))) == 1
    assert actors.truth().launches == launches


async def test_a_pod_whose_class_bursts_and_that_fargate_cannot_run_evicts_somebody(actors: Actors) -> None:
    fillers, before = await full_cluster(actors)
    space = await actors.namespace(overflow="enabled")
    await important_pod(actors, space, "test-burst", hostNetwork=True)
    assert len(on_nodes(await until_running(actors, space))) == 1
    assert len(await alive(actors, fillers) & before) == 7
