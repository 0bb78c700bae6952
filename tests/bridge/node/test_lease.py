from collections.abc import AsyncIterator

import msgspec
import pytest

from app.bridge.node.lease import NodeLease
from app.ports.failures import Unavailable
from app.ports.kubernetes import Lease
from tests.bridge.door import Door
from tests.bridge.fake_kubernetes import FakeLeases
from tests.bridge.fakes import CONFIG, LEASE, NODE, World
from tests.builders import VIRTUAL, a_pod, a_virtual_node, identity_of
from tests.fakes import VirtualClock

ANOTHER = Lease(holder="bridge-1", duration=40, record="1")
RIVAL = msgspec.structs.replace(CONFIG, node=msgspec.structs.replace(NODE, identity="bridge-1"))


class Leased:
    """One candidate for the node's Lease."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.door = Door()
        self.leases = FakeLeases(self.door)
        self.lease = NodeLease(self.leases, clock=self.clock, config=NODE)

    async def take(self) -> None:
        assert await self.lease.may_renew()
        await self.lease.renew(a_virtual_node())


@pytest.fixture
def leased() -> Leased:
    return Leased()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({}, id="none"),
        pytest.param({LEASE: Lease(holder="bridge-0", duration=40, record="1")}, id="our-own-of-before"),
        pytest.param({LEASE: Lease(holder="", duration=1, record="1")}, id="released"),
    ],
)
async def test_a_lease_that_nobody_else_holds_is_taken_at_once(
    leased: Leased, found: dict[str, Lease]
) -> None:
    leased.leases.leases |= found
    await leased.take()
    assert (leased.lease.is_held(), leased.leases.leases[LEASE].holder) == (True, "bridge-0")


async def test_anothers_lease_is_taken_only_when_its_record_is_unchanged_for_its_duration(
    leased: Leased,
) -> None:
    leased.leases.leases[LEASE] = ANOTHER
    assert not await leased.lease.may_renew()
    await leased.clock.advance(39)
    leased.leases.leases[LEASE] = msgspec.structs.replace(ANOTHER, record="2")
    assert not await leased.lease.may_renew()
    await leased.clock.advance(40)
    assert not await leased.lease.may_renew()
    await leased.clock.advance(1)
    assert await leased.lease.may_renew()


async def test_a_lease_that_another_took_is_lost(leased: Leased) -> None:
    await leased.take()
    leased.leases.leases[LEASE] = ANOTHER
    assert not await leased.lease.is_surely_held()
    assert not await leased.lease.may_renew()
    assert not leased.lease.is_held()


async def test_a_lease_that_could_not_be_renewed_for_its_duration_is_lost(leased: Leased) -> None:
    await leased.take()
    await leased.clock.advance(39)
    assert leased.lease.is_held()
    await leased.clock.advance(1)
    assert not leased.lease.is_held()


async def test_a_released_lease_is_free_and_no_longer_held(leased: Leased) -> None:
    await leased.take()
    await leased.lease.release()
    assert (leased.lease.is_held(), leased.leases.leases[LEASE].holder) == (False, "")


async def test_what_is_not_held_is_not_released(leased: Leased) -> None:
    leased.leases.leases[LEASE] = ANOTHER
    await leased.lease.may_renew()
    await leased.lease.release()
    assert leased.leases.leases[LEASE] == ANOTHER


async def test_a_release_without_an_answer_does_not_stop_the_program(leased: Leased) -> None:
    await leased.take()
    leased.door.failures["renew lease"] = [Unavailable("x")]
    await leased.lease.release()
    assert not leased.lease.is_held()


async def test_a_second_bridge_waits_without_a_write_and_without_a_launch(world: World) -> None:
    world.leases.leases[LEASE] = ANOTHER
    world.ecs.launch_behind_our_back("arn:x/orphan", identity_of(a_pod()))
    bridge = world.start()
    world.pods.bind(a_pod(node=VIRTUAL))
    await world.advance(38)
    reads = {"read lease", "arns RUNNING", "arns STOPPED", "describe"}
    assert (set(world.door.calls) - reads, bridge.is_ready()) == (set(), True)


async def test_a_second_bridge_goes_on_when_the_first_releases_the_node(world: World) -> None:
    world.leases.leases[LEASE] = ANOTHER
    pod = a_pod(node=VIRTUAL)
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    world.leases.leases[LEASE] = Lease(holder="", duration=1, record="2")
    await world.advance(10)
    assert (world.pod(pod).status.phase, len(world.ecs.of(pod))) == ("Running", 1)


async def test_a_second_bridge_takes_over_from_one_that_died(world: World) -> None:
    pod = a_pod(node=VIRTUAL)
    world.start()
    await world.advance(5)
    await world.stop()
    world.start(RIVAL)
    world.pods.bind(pod)
    await world.advance(38)
    assert len(world.ecs.of(pod)) == 0
    await world.advance(15)
    assert (world.pod(pod).status.phase, len(world.ecs.of(pod))) == ("Running", 1)


async def test_a_bridge_that_lost_its_lease_launches_nothing_more(world: World) -> None:
    world.start()
    await world.advance(5)
    world.leases.leases[LEASE] = ANOTHER
    await world.advance(30)
    world.pods.bind(a_pod(node=VIRTUAL))
    await world.advance(9)
    assert world.ecs.runs == {}
