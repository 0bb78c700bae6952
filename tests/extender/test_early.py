"""Early burst, by the leader's writes: room that opens above the high mark, and closes again."""

from datetime import timedelta

from app.extender.decision.hindrance import GateConfig
from app.model import names
from app.model.early import EarlyRoom, read_early
from app.model.node import allocatable
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import NOON, a_pod, opted_in_toleration, owned_by
from tests.extender.conftest import Gate, GateMaker
from tests.extender.fakes import a_pressing_pod, uids_on

CLOSED = Resources(cpu_milli=1)
ON = GateConfig(early_seats=2)


def willing(number: int, *, node: str = "", cpu: str = "600m") -> Pod:
    """A pod of a ReplicaSet that allows early burst."""
    return a_pod(
        f"web-{number}",
        uid=f"web-{number}",
        node=node,
        cpu=cpu,
        metadata=owned_by("ReplicaSet", "web"),
        annotations={names.EARLY: "allowed"},
        tolerations=[opted_in_toleration()],
    )


async def arrive(gate: Gate, *numbers: int, node: str = "ec2-0") -> None:
    """Pods are made, and bound a moment later."""
    for number in numbers:
        gate.pods.put(willing(number))
        await gate.pass_by(0.1)
        gate.pods.put(willing(number, node=node))
        await gate.pass_by(0.1)


def early(gate: Gate) -> EarlyRoom | None:
    return read_early(gate.virtual().metadata.annotations)


async def test_room_opens_once_the_nodes_are_nearly_full(make_gate: GateMaker) -> None:
    gate = make_gate(config=ON)
    async with gate.leading():
        await arrive(gate, 1, 2)
        assert early(gate) is None
        await gate.pass_by(60)
        await arrive(gate, 3)
        await gate.pass_by(1)
        found = early(gate)
        assert found is not None
        assert (found.seats, [*found.owners]) == (2, ["shop/uid-web"])
        assert allocatable(gate.virtual()) == Resources(cpu_milli=1200, memory=2**30, pods=2)


async def test_room_opens_when_the_dwell_time_is_over_though_nothing_happens_then(
    make_gate: GateMaker,
) -> None:
    gate = make_gate(config=ON)
    async with gate.leading():
        await arrive(gate, 1, 2, 3)
        await gate.pass_by(30)
        assert early(gate) is None
        await gate.pass_by(31)
        assert early(gate) is not None


async def test_room_is_renewed_while_it_is_wanted_and_closed_when_the_nodes_empty(
    make_gate: GateMaker,
) -> None:
    gate = make_gate(config=ON)
    async with gate.leading():
        gate.pods.put(a_pod("full", node="ec2-0", cpu="1900m"))
        await arrive(gate, 1, node="ec2-1")
        await gate.pass_by(120)
        found = early(gate)
        assert found is not None
        assert found.expires > gate.clock.now()
        gate.pods.drop("shop/full")
        await gate.pass_by(60)
        assert (early(gate), allocatable(gate.virtual())) == (None, CLOSED)


async def test_who_lands_early_keeps_its_room_and_the_seats_stay_open(make_gate: GateMaker) -> None:
    gate = make_gate(config=ON)
    async with gate.leading():
        gate.pods.put(a_pod("full", node="ec2-0", cpu="1900m"))
        await arrive(gate, 1, node="fargate-1a")
        await gate.pass_by(2)
        assert early(gate) is not None
        assert allocatable(gate.virtual()).pods == 3


async def test_a_pod_that_finds_no_node_gets_its_grant_at_once_and_the_seats_close(
    make_gate: GateMaker,
) -> None:
    gate = make_gate(config=ON)
    async with gate.leading():
        gate.pods.put(a_pod("full", node="ec2-0", cpu="1900m"))
        await arrive(gate, 1, node="fargate-1a")
        await gate.pass_by(2)
        pressing = a_pressing_pod()
        gate.pods.put(pressing)
        await gate.pass_by(0.2)
        assert (early(gate), uids_on(gate.virtual())) == (None, {pressing.uid})
        gate.land(pressing, "fargate-1a")
        await gate.pass_by(2)
        assert early(gate) is not None


async def test_without_the_setting_nothing_is_ever_opened(make_gate: GateMaker) -> None:
    gate = make_gate()
    async with gate.leading():
        gate.pods.put(a_pod("full", node="ec2-0", cpu="1900m"))
        await arrive(gate, 1, node="fargate-1a")
        await gate.pass_by(120)
        assert early(gate) is None


async def test_a_leader_that_takes_over_goes_on_with_what_stands(make_gate: GateMaker) -> None:
    gate = make_gate(config=ON)
    gate.pods.put(a_pod("full", node="ec2-0", cpu="1900m"))
    gate.pods.put(willing(1, node="fargate-1a"))
    async with gate.leading():
        await gate.pass_by(1)
        first = early(gate)
    assert first is not None
    assert first.expires == NOON + timedelta(seconds=60)
    writes = len(gate.port.applied)
    async with gate.leading(gate.another_leader()):
        await gate.pass_by(1)
        assert (early(gate), len(gate.port.applied)) == (first, writes)
