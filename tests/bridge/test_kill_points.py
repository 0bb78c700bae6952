"""The promise of the whole bridge: cut off at any single call, it gives each pod one task and leaves none."""

from typing import Literal

import msgspec
import pytest

from tests.bridge.fakes import World
from tests.builders import VIRTUAL, a_pod

Moment = Literal["before", "after"]
CALLS = range(1, 91)
"""The calls of the story below, up to the first complete listing after its end."""


class Outcome(msgspec.Struct, frozen=True):
    job: str
    service: str
    left: int
    pods: list[str]
    left_behind: list[str]
    most: int
    mishaps: int


GOOD = Outcome(job="Succeeded", service="Running", left=0, pods=[], left_behind=[], most=1, mishaps=1)


async def the_story_of_five_pods(world: World) -> Outcome:
    """A service, a job that completes, one deleted at once, one later, one by force; then all are deleted.

    ECS's listings lag, so that a process that comes back at once does not see what the last one launched.
    """
    service = a_pod("service", node=VIRTUAL)
    job = a_pod("job", node=VIRTUAL, restartPolicy="Never")
    brief = a_pod("brief", node=VIRTUAL)
    forced = a_pod("forced", node=VIRTUAL)
    hasty = a_pod("hasty", node=VIRTUAL)
    world.ecs.lag = 5.0
    world.ecs.ends["job"] = (9.0, 0)
    world.start()
    for pod in (service, job, brief, forced, hasty):
        world.pods.bind(pod)
    await world.advance(1)
    world.pods.delete(hasty)
    await world.advance(6)
    world.pods.delete(brief)
    world.pods.force_delete(forced)
    await world.advance(23)
    phases = (world.pod(job).status.phase, world.pod(service).status.phase)
    world.pods.delete(service)
    world.pods.delete(job)
    await world.advance(75)
    await world.stop()
    return Outcome(
        *phases,
        left=len(world.ecs.live()),
        pods=sorted(world.pods.pods),
        left_behind=world.left_behind,
        most=world.ecs.most_of_one_pod(),
        mishaps=world.door.mishaps,
    )


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
async def test_killed_at_a_call_it_gives_each_pod_one_task_and_leaves_none(call: int, moment: Moment) -> None:
    world = World()
    world.door.at, world.door.moment = call, moment
    assert await the_story_of_five_pods(world) == GOOD


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
async def test_without_an_answer_to_a_call_it_gives_each_pod_one_task_and_leaves_none(
    call: int, moment: Moment
) -> None:
    world = World()
    world.door.at, world.door.moment, world.door.survives = call, moment, True
    assert await the_story_of_five_pods(world) == GOOD


class Restarts(msgspec.Struct, frozen=True):
    phase: str
    attempts: list[int]
    restarts: list[int]
    together: int
    last_exits: list[int]


async def the_story_of_a_crashing_pod(world: World) -> Restarts:
    """Its container fails ten seconds after each launch; three attempts fit into the time."""
    pod = a_pod("flaky", node=VIRTUAL)
    world.ecs.ends["flaky"] = (10.0, 3)
    world.start()
    world.pods.bind(pod)
    await world.advance(85)
    await world.stop()
    now = world.pod(pod)
    return Restarts(
        phase=now.status.phase,
        attempts=sorted(run.attempt for run in world.ecs.runs.values()),
        restarts=[each["restartCount"] for each in now.status.container_statuses],
        together=world.ecs.most_at_once,
        last_exits=[each["lastState"]["terminated"]["exitCode"] for each in now.status.container_statuses],
    )


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 40))
async def test_killed_in_a_crash_loop_it_launches_each_attempt_once_and_counts_every_restart(
    call: int, moment: Moment
) -> None:
    world = World()
    world.door.at, world.door.moment = call, moment
    assert await the_story_of_a_crashing_pod(world) == Restarts(
        phase="Running", attempts=[1, 2, 3], restarts=[2], together=1, last_exits=[3]
    )
