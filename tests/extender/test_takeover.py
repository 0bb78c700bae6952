from app.model.node import allocatable
from app.model.resources import Resources
from tests.extender.conftest import GateMaker
from tests.extender.fakes import (
    a_grant,
    a_pressing_pod,
    a_versioned_virtual_node,
    granting,
    grants_on,
    uids_on,
)

CLOSED = Resources(cpu_milli=1)


async def test_a_new_leader_goes_on_with_the_grants_on_the_node(make_gate: GateMaker) -> None:
    gate = make_gate()
    first, second = a_pressing_pod("web-1"), a_pressing_pod("web-2")
    gate.pods.put(first)
    async with gate.leading():
        await gate.pass_by()
    before = grants_on(gate.virtual())
    await gate.pass_by(10)
    async with gate.leading(gate.another_leader()):
        await gate.pass_by()
        assert len(gate.port.applied) == 1
        gate.pods.put(second)
        await gate.pass_by()
    assert uids_on(gate.virtual()) == {first.uid, second.uid}
    assert before[0] in grants_on(gate.virtual())


async def test_a_new_leader_closes_what_an_earlier_one_left_open(make_gate: GateMaker) -> None:
    left = a_versioned_virtual_node(
        cpu="4", memory="8Gi", pods="9", annotations=granting(a_grant("gone"), a_grant("too"))
    )
    gate = make_gate(left)
    async with gate.leading():
        await gate.pass_by()
    assert (grants_on(gate.virtual()), allocatable(gate.virtual())) == ((), CLOSED)


async def test_a_leader_that_fell_after_its_write_was_begun_does_no_harm(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.pods.put(pod)
    gate.port.held = True
    async with gate.leading():
        await gate.pass_by()
        assert len(gate.port.applied) == 1
    gate.port.release()
    async with gate.leading(gate.another_leader()):
        await gate.pass_by()
    assert uids_on(gate.virtual()) == {pod.uid}


async def test_the_same_replica_may_lead_a_second_time(make_gate: GateMaker) -> None:
    gate = make_gate()
    async with gate.leading():
        assert gate.metric("spillway_gate_leader") == 1
    assert gate.metric("spillway_gate_leader") == 0
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by()
    assert len(uids_on(gate.virtual())) == 1


async def test_a_leader_that_wakes_up_without_its_lease_writes_nothing_more(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.pods.put(a_pressing_pod("web-1"))
    async with gate.leading():
        await gate.pass_by()
        gate.leads = False
        gate.pods.put(a_pressing_pod("web-2"))
        await gate.pass_by(120)
    assert len(gate.port.applied) == 1
