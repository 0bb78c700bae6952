import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from app.bridge.node.keeper import NodeKeeper
from app.bridge.node.lease import NodeLease
from app.bridge.node.manifest import is_intact, labels
from app.model.node import Node, allocatable, is_ready, is_virtual
from app.model.pod import Pod
from app.ports.failures import Unavailable
from app.ports.kubernetes import Lease
from tests.bridge.door import Door
from tests.bridge.fake_kubernetes import FakeLeases, FakeNodes
from tests.bridge.fakes import LEASE, NODE
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node
from tests.fakes import VirtualClock

GATE = "sys/spillway-gate"


class Kept:
    """A node that a keeper keeps."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.door = Door()
        self.nodes = FakeNodes(self.door)
        self.leases = FakeLeases(self.door)
        self.bound = list[Pod]()
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.lease = NodeLease(self.leases, clock=self.clock, config=NODE)
        keeper = NodeKeeper(
            self.nodes,
            self.leases,
            clock=self.clock,
            config=NODE,
            lease=self.lease,
            bound=lambda: tuple(self.bound),
        )
        self._running.append(asyncio.get_running_loop().create_task(keeper.run()))

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def mind_gate(self, record: str) -> None:
        self.leases.leases[GATE] = Lease(holder="gate", duration=15, record=record)

    def open(self, **room: str) -> None:
        """The gate gives room."""
        node = self.nodes.nodes[VIRTUAL]
        status = msgspec.structs.replace(node.status, allocatable={"cpu": "8", "pods": "20", **room})
        self.nodes.nodes[VIRTUAL] = msgspec.structs.replace(node, status=status)

    def cores(self) -> float:
        return allocatable(self.nodes.nodes[VIRTUAL]).cpu_milli / 1000

    def pods_of_room(self) -> int:
        return allocatable(self.nodes.nodes[VIRTUAL]).pods


def warnings_of(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["event"] for line in lines if line["log_level"] == "warning"]


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    made = Kept()
    yield made
    await made.stop()


async def test_a_new_node_is_registered_closed_and_leased(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(1)
    assert (kept.pods_of_room(), kept.leases.leases[LEASE].holder) == (0, "bridge-0")


async def test_a_node_that_is_there_already_is_kept_and_closed(kept: Kept) -> None:
    kept.nodes.nodes[VIRTUAL] = a_virtual_node(pods="50", annotations={"mine": "kept"})
    kept.bound = [a_pod()]
    kept.mind_gate("1")
    kept.start()
    await kept.clock.advance(1)
    assert (kept.pods_of_room(), "create node" in kept.door.calls) == (0, False)
    assert kept.nodes.nodes[VIRTUAL].metadata.annotations["mine"] == "kept"


async def test_a_node_without_our_taint_gets_it_back(kept: Kept) -> None:
    kept.nodes.nodes[VIRTUAL] = a_node(VIRTUAL)
    kept.start()
    await kept.clock.advance(1)
    assert is_virtual(kept.nodes.nodes[VIRTUAL])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(a_node(VIRTUAL, labels=labels(NODE)), id="taint"),
        pytest.param(a_virtual_node(labels={"type": "real"}), id="labels"),
    ],
)
async def test_what_was_taken_off_a_node_is_back_at_the_next_round(kept: Kept, change: Node) -> None:
    kept.start()
    await kept.clock.advance(1)
    kept.nodes.nodes[VIRTUAL] = change
    await kept.clock.advance(10)
    assert is_intact(NODE, kept.nodes.nodes[VIRTUAL])


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(a_node(VIRTUAL), id="its-metadata"),
        pytest.param(a_virtual_node(labels=labels(NODE), ready=False), id="its-status"),
    ],
)
async def test_a_node_that_is_made_anew_meanwhile_is_not_written_for_the_one_that_was_read(
    kept: Kept, read: Node
) -> None:
    kept.start()
    await kept.clock.advance(1)
    kept.nodes.nodes[VIRTUAL] = read
    kept.door.pause_after = "get node"
    await kept.clock.advance(10)
    another = msgspec.structs.replace(read, metadata=msgspec.structs.replace(read.metadata, uid="another"))
    kept.nodes.nodes[VIRTUAL] = another
    kept.door.wake("")
    await kept.clock.advance(0)
    assert kept.nodes.nodes[VIRTUAL] == another
    await kept.clock.advance(10)
    assert is_intact(NODE, kept.nodes.nodes[VIRTUAL])
    assert is_ready(kept.nodes.nodes[VIRTUAL])


async def test_a_node_that_is_removed_meanwhile_is_not_half_made_by_its_restoration(kept: Kept) -> None:
    kept.nodes.nodes[VIRTUAL] = a_node(VIRTUAL)
    kept.door.pause_after = "get node"
    kept.start()
    await kept.clock.advance(1)
    del kept.nodes.nodes[VIRTUAL]
    kept.door.wake("")
    await kept.clock.advance(0)
    assert kept.nodes.nodes == {}
    await kept.clock.advance(10)
    assert is_intact(NODE, kept.nodes.nodes[VIRTUAL])
    assert kept.pods_of_room() == 0


async def test_an_untouched_node_is_not_written_again(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(50)
    assert "apply node" not in kept.door.calls


async def test_the_lease_is_renewed_every_ten_seconds(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(60)
    assert kept.leases.renewals == 7


async def test_a_node_that_turned_not_ready_is_reported_ready_at_the_next_round(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(1)
    kept.nodes.nodes[VIRTUAL] = a_virtual_node(ready=False)
    await kept.clock.advance(10)
    assert kept.nodes.nodes[VIRTUAL].status.conditions[0].status == "True"


async def test_a_deleted_node_is_registered_anew(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(1)
    del kept.nodes.nodes[VIRTUAL]
    await kept.clock.advance(10)
    assert VIRTUAL in kept.nodes.nodes


async def test_failures_of_kubernetes_are_outlived(kept: Kept) -> None:
    kept.door.failures["get node"] = [Unavailable("x")] * 3
    kept.start()
    await kept.clock.advance(60)
    assert VIRTUAL in kept.nodes.nodes


async def test_a_node_whose_gate_is_minded_stays_open(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(1)
    for record in range(6):
        kept.mind_gate(str(record))
        kept.open()
        await kept.clock.advance(10)
    assert kept.pods_of_room() == 20


async def test_a_node_is_closed_when_the_gates_lease_is_not_renewed_for_its_duration(kept: Kept) -> None:
    kept.mind_gate("1")
    kept.start()
    await kept.clock.advance(1)
    kept.open()
    await kept.clock.advance(10)
    assert kept.pods_of_room() == 20
    await kept.clock.advance(15)
    assert kept.pods_of_room() == 0


async def test_a_node_that_was_made_anew_while_nobody_minds_the_gate_is_closed_too(kept: Kept) -> None:
    kept.mind_gate("1")
    kept.start()
    await kept.clock.advance(30)
    kept.door.pause_after = "read lease"
    await kept.clock.advance(5)
    kept.nodes.nodes[VIRTUAL] = a_virtual_node(pods="50", labels=labels(NODE))
    kept.door.wake("")
    await kept.clock.advance(0)
    assert kept.pods_of_room() == 0


async def test_a_closed_nodes_room_shrinks_with_its_pods(kept: Kept) -> None:
    kept.bound = [a_pod("a"), a_pod("b")]
    kept.start()
    await kept.clock.advance(10)
    assert kept.cores() == 1
    kept.bound.pop()
    await kept.clock.advance(10)
    assert kept.cores() == 0.5


async def test_what_a_gate_writes_after_it_was_given_up_is_closed_again(kept: Kept) -> None:
    kept.mind_gate("1")
    kept.start()
    await kept.clock.advance(21)
    kept.open()
    await kept.clock.advance(5)
    assert kept.pods_of_room() == 0


async def test_a_gate_that_comes_back_and_goes_again_is_closed_again(kept: Kept) -> None:
    kept.start()
    await kept.clock.advance(10)
    kept.mind_gate("1")
    await kept.clock.advance(6)
    kept.open()
    await kept.clock.advance(30)
    assert kept.pods_of_room() == 0


async def test_an_unreadable_gate_lease_grows_old(kept: Kept) -> None:
    kept.mind_gate("1")
    kept.start()
    await kept.clock.advance(1)
    kept.open()
    kept.door.failures["read lease"] = [Unavailable("x")] * 5
    await kept.clock.advance(40)
    assert kept.pods_of_room() == 0


async def test_only_a_gate_that_was_minded_is_warned_of_and_once(kept: Kept) -> None:
    with capture_logs() as lines:
        kept.start()
        await kept.clock.advance(30)
        assert warnings_of(lines) == []
        kept.mind_gate("1")
        await kept.clock.advance(60)
    assert warnings_of(lines) == ["the gate is no longer minded: closing the node"]
