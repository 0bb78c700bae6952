"""A bridge that translates otherwise than the one before it: what runs is adopted, nothing launched again."""

from typing import Literal

import msgspec
import pytest

from app.bridge.decision.adoption import current, is_ours
from app.bridge.translation.task_spec import family_of
from tests.bridge.fakes import CONFIG, World
from tests.builders import VIRTUAL, a_pod, a_task, identity_of

UPGRADED = msgspec.structs.replace(
    CONFIG,
    task=msgspec.structs.replace(
        CONFIG.task,
        log_mode="blocking",
        log_buffer="1m",
        helper_image="registry.example/spillway:2",
        execution_role_arn="arn:aws:iam::123456789012:role/another",
        task_role_arn="arn:aws:iam::123456789012:role/other",
        architecture="arm64",
        exec="off",
    ),
)
CALLS = range(1, 25)
"""The calls of two launches."""


def families(world: World) -> set[str]:
    """The definitions that were registered."""
    return set(world.ecs.definitions)


async def test_after_an_upgrade_that_changes_every_hash_nothing_is_launched_again() -> None:
    world = World()
    pods = [a_pod(f"web-{n}", node=VIRTUAL) for n in range(3)]
    world.start()
    for pod in pods:
        world.pods.bind(pod)
    await world.advance(20)
    before = families(world)
    await world.stop()
    world.start(UPGRADED)
    await world.advance(300)
    assert {world.pod(pod).status.phase for pod in pods} == {"Running"}
    assert (len(world.ecs.runs), len(world.ecs.live())) == (3, 3)
    assert families(world) == before
    await world.stop()


async def test_what_is_launched_after_the_upgrade_is_as_the_new_bridge_has_it() -> None:
    world = World()
    world.start()
    world.pods.bind(a_pod("web-1", node=VIRTUAL))
    await world.advance(20)
    before = families(world)
    await world.stop()
    world.start(UPGRADED)
    world.pods.bind(a_pod("web-2", node=VIRTUAL))
    await world.advance(20)
    assert len(families(world) - before) == 1
    assert world.ecs.most_of_one_pod() == 1
    await world.stop()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
async def test_an_upgrade_at_any_call_of_a_launch_gives_each_pod_one_task(
    call: int, moment: Literal["before", "after"]
) -> None:
    """A lost RunTask is repeated with the same token and other parameters: ECS names what it launched."""
    world = World()
    world.heir = UPGRADED
    world.ecs.lag = 5.0
    world.door.at, world.door.moment = call, moment
    pods = [a_pod(f"web-{n}", node=VIRTUAL) for n in range(2)]
    world.start()
    for pod in pods:
        world.pods.bind(pod)
    await world.advance(120)
    assert {world.pod(pod).status.phase for pod in pods} == {"Running"}
    assert (world.ecs.most_of_one_pod(), len(world.ecs.live())) == (1, 2)
    await world.stop()


async def test_a_deleted_pods_task_is_stopped_by_the_new_bridge() -> None:
    world = World()
    pod = a_pod("web-1", node=VIRTUAL)
    world.start()
    world.pods.bind(pod)
    await world.advance(20)
    await world.stop()
    world.start(UPGRADED)
    world.pods.delete(pod)
    await world.advance(120)
    assert (world.ecs.live(), world.pods.pods, world.left_behind) == ([], {}, [])
    await world.stop()


def test_a_task_is_adopted_by_its_identity_whatever_its_definition() -> None:
    pod = a_pod(uid="u1")
    old = a_task(pod, definition="spillway-of-another-format:7", identity=identity_of(pod))
    assert is_ours(old, cluster="cluster-1", node=VIRTUAL)
    assert current([old]) == old
    assert family_of({"cpu": "256"}) != family_of({"cpu": "512"})
