"""The main job: pods fill the nodes, overflow onto Fargate, print logs, and leave no task behind."""

import pytest

from app.wiring.clock import SystemClock
from app.wiring.local.demo import Demo
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, on_fargate, on_nodes, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def test_the_demonstration_ends_with_pods_on_both_sides_and_no_task(
    stack: LocalStack, actors: Actors
) -> None:
    scenes: list[str] = []
    summary = await Demo(stack, clock=SystemClock(), show=lambda scene: scenes.append(scene.step)).play()
    actors.adopt("demo")
    assert (summary.pods_on_nodes, summary.pods_on_fargate, summary.pods_kept) == (8, 4, 8)
    assert summary.log_lines > 0
    assert (summary.duplicate_tasks, summary.tasks_left) == (0, 0)
    assert scenes


async def test_only_what_the_nodes_cannot_hold_bursts(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10)
    pods = await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 2)


async def test_scaling_down_takes_the_pods_on_fargate_first(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10)
    await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    await actors.scale(space, 8)
    pods = await actors.until(space, "8 pods", lambda pods: len(pods) == 8)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 0)
    await actors.until_no_task_is_left()


async def test_a_pod_that_requires_fargate_runs_there_though_nodes_are_free(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await actors.pod(
        space, "only", "import time; time.sleep(60)", labels={"spillway.dev/overflow": "required"}
    )
    pods = await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    assert len(on_fargate(pods)) == 1


async def test_pods_that_say_disabled_wait_for_a_node(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(
        space,
        "patient",
        "print()",
        labels={"spillway.dev/overflow": "disabled"},
        container={"resources": {"requests": {"cpu": "3"}}},
    )
    await actors.pass_time(2)
    [pod] = await actors.pods(space)
    assert pod.spec.node_name == ""


async def test_fifty_pods_that_share_a_spec_need_one_task_definition(actors: Actors) -> None:
    before = actors.truth()
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=50, cpu="900m", nodeSelector={"type": "virtual-kubelet"})
    await actors.until(space, "50 running pods", lambda pods: len(running(pods)) == 50)
    after = actors.truth()
    assert after.launches - before.launches == 50
    assert after.register_calls - before.register_calls == 1
    assert after.duplicates == 0
