"""Two bridges for one node: one leads, and whoever takes over goes on where the other stopped."""

from typing import Any

import msgspec
import pytest

from app.model.pod import Pod
from tests.bridge.fakes import CONFIG, FIRST, LEASE, World
from tests.builders import VIRTUAL, a_pod

SECOND = "bridge-1"
STALE = 120
"""Seconds after which a Lease that nobody renews has been taken over, for sure."""
WRITES = {"amend", "set status", "remove", "event", "run", "stop", "register", "renew lease"}


def a_bound_pod(name: str = "web-1", **fields: Any) -> Pod:
    return a_pod(name, node=VIRTUAL, **fields)


async def two_bridges(**fields: Any) -> World:
    """The first leads, the second waits."""
    world = World(**fields)
    world.start()
    await world.advance(3)
    world.start(who=SECOND)
    await world.advance(3)
    return world


def said_by(world: World, who: str, *, since: int = 0) -> list[str]:
    return [name for speaker, name in world.door.said[since:] if speaker == who]


async def the_end(world: World) -> None:
    await world.stop(FIRST)
    await world.stop(SECOND)


async def test_the_one_that_waits_writes_nothing() -> None:
    world = await two_bridges()
    world.pods.bind(a_bound_pod())
    await world.advance(300)
    assert WRITES.isdisjoint(said_by(world, SECOND))
    await the_end(world)


async def test_when_the_leader_dies_the_other_goes_on_without_a_second_task() -> None:
    world = await two_bridges()
    running, fresh = a_bound_pod("running"), a_bound_pod("fresh")
    world.pods.bind(running)
    await world.advance(10)
    await world.stop(FIRST)
    world.pods.bind(fresh)
    await world.advance(STALE)
    assert {pod.key: pod.status.phase for pod in world.pods.pods.values()} == {
        "shop/running": "Running",
        "shop/fresh": "Running",
    }
    assert world.ecs.most_of_one_pod() == 1
    await world.stop(SECOND)


@pytest.mark.parametrize("seconds", range(12))
async def test_a_leader_that_is_paused_at_any_moment_leaves_neither_two_tasks_nor_none(seconds: int) -> None:
    world = await two_bridges()
    pods = [a_bound_pod(f"web-{index}") for index in range(3)]
    for pod in pods:
        world.pods.bind(pod)
    await world.advance(seconds)
    world.door.pause(FIRST)
    world.pods.delete(pods[0])
    await world.advance(STALE)
    world.door.wake(FIRST)
    await world.advance(STALE)
    assert sorted(world.pods.pods) == ["shop/web-1", "shop/web-2"]
    assert sorted(run.identity.name for run in world.ecs.live()) == ["web-1", "web-2"]
    assert (world.ecs.most_of_one_pod(), world.left_behind) == (1, [])
    await the_end(world)


async def test_a_leader_that_wakes_up_after_its_lease_was_taken_writes_nothing_any_more() -> None:
    world = await two_bridges()
    world.pods.bind(a_bound_pod("before"))
    await world.advance(10)
    world.door.pause(FIRST)
    world.pods.bind(a_bound_pod("meanwhile"))
    await world.advance(STALE)
    since = len(world.door.said)
    world.door.wake(FIRST)
    world.pods.bind(a_bound_pod("after"))
    await world.advance(STALE)
    assert WRITES.isdisjoint(said_by(world, FIRST, since=since))
    assert len(world.ecs.live()) == 3
    await the_end(world)


async def test_a_leader_that_wakes_up_first_looks_at_its_lease() -> None:
    """Nobody has taken it: it may go on, once it has made sure."""
    world = World()
    world.start()
    await world.advance(5)
    world.door.pause(FIRST)
    world.pods.bind(a_bound_pod())
    await world.advance(STALE)
    since = len(world.door.said)
    world.door.wake(FIRST)
    await world.advance(STALE)
    said = said_by(world, FIRST, since=since)
    first_write = next(index for index, name in enumerate(said) if name in WRITES)
    assert "read lease" in said[:first_write]
    assert len(world.ecs.live()) == 1
    await world.stop()


async def test_a_leader_that_is_paused_between_two_commands_carries_out_no_more_of_them() -> None:
    world = await two_bridges()
    world.door.pause_after = "amend"
    world.pods.bind(a_bound_pod(terminationGracePeriodSeconds=300))
    await world.advance(STALE)
    since = len(world.door.said)
    world.door.wake(FIRST)
    await world.advance(STALE)
    assert WRITES.isdisjoint(said_by(world, FIRST, since=since))
    assert (len(world.ecs.live()), world.ecs.most_of_one_pod()) == (1, 1)
    await the_end(world)


async def test_the_one_that_waits_leaves_the_events_to_the_leader() -> None:
    world = await two_bridges(listens=True)
    world.pods.bind(a_bound_pod())
    await world.advance(60)
    assert "receive" in said_by(world, FIRST)
    assert "receive" not in said_by(world, SECOND)
    await the_end(world)


async def test_the_one_that_takes_over_an_orphan_of_its_time_of_waiting_stops_it_after_two_listings() -> None:
    world = await two_bridges()
    pod = a_bound_pod()
    world.pods.bind(pod)
    await world.advance(10)
    world.door.pause(FIRST)
    world.pods.force_delete(pod)
    await world.advance(2 * STALE)
    assert world.ecs.live() == []
    assert msgspec.structs.asdict(world.leases.leases[LEASE])["holder"] == SECOND
    await the_end(world)


async def test_the_one_that_waits_asks_ecs_only_now_and_then() -> None:
    world = await two_bridges()
    world.pods.bind(a_bound_pod())
    await world.advance(10)
    since = len(world.door.said)
    await world.advance(120)
    calls = [name for name in said_by(world, SECOND, since=since) if name == "describe"]
    assert len(calls) <= 120 // CONFIG.poll.standby + 1
    await the_end(world)
