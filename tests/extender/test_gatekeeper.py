from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.extender.decision.decisions import Opening
from app.extender.gatekeeper import Pace
from app.extender.gates import Gates
from app.extender.metrics import GateMetrics
from app.model import names
from app.model.grant import written
from app.model.node import allocatable
from app.model.resources import Resources
from app.ports.failures import Conflict, PortFailure, Unavailable
from tests.builders import VIRTUAL, a_pod, unschedulable
from tests.extender.conftest import GateMaker
from tests.extender.fakes import (
    FakeNodes,
    a_grant,
    a_pressing_pod,
    a_versioned_virtual_node,
    granting,
    grants_on,
    uids_on,
)
from tests.fakes import VirtualClock

ONE = Resources(cpu_milli=500, memory=512 * 2**20, pods=1)

CLOSED = Resources(cpu_milli=1)


async def test_one_complete_apply_carries_grants_and_room(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by()
    grant = a_grant(pod)
    assert gate.port.managers == [names.GATE_MANAGER]
    assert gate.port.applied == [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": VIRTUAL, "annotations": {names.GRANTS: written([grant])}},
            "status": {
                "allocatable": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "0", "pods": "1"}
            },
        }
    ]


async def test_nothing_is_written_where_nothing_changed(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.pods.put(a_pod("elsewhere", node="ec2-0", phase="Running"))
    async with gate.leading():
        gate.pods.put(a_pod("not-opted-in", namespace="bank", status=unschedulable()))
        gate.nodes.put(a_versioned_virtual_node(2))
        await gate.pass_by(3600)
    assert gate.port.applied == []


async def test_a_storm_of_a_thousand_pods_is_at_most_three_applies(make_gate: GateMaker) -> None:
    gate = make_gate()
    async with gate.leading():
        for each in range(1000):
            gate.pods.put(a_pressing_pod(f"web-{each}"))
        await gate.pass_by(1)
        assert len(uids_on(gate.virtual())) == 1000
        assert len(gate.port.applied) <= 3
    assert len(written(grants_on(gate.virtual()))) < 256 * 1024


async def test_a_stream_of_pods_is_written_twenty_times_a_second_at_most(make_gate: GateMaker) -> None:
    gate = make_gate()
    async with gate.leading():
        for each in range(100):
            gate.pods.put(a_pressing_pod(f"web-{each}"))
            await gate.pass_by(0.01)
        await gate.pass_by(0.2)
        assert len(uids_on(gate.virtual())) == 100
    assert len(gate.port.applied) <= 24


async def test_a_tampered_annotation_counts_as_no_grants_and_is_written_anew(make_gate: GateMaker) -> None:
    gate = make_gate(a_versioned_virtual_node(pods="50", annotations={names.GRANTS: "{]"}))
    pod = a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by()
    assert uids_on(gate.virtual()) == {pod.uid}
    assert allocatable(gate.virtual()) == ONE
    assert gate.metric("spillway_gate_tampered_grants_total") == 1


async def test_room_that_somebody_else_opened_is_closed_again(make_gate: GateMaker) -> None:
    gate = make_gate()
    async with gate.leading():
        await gate.pass_by(5)
        gate.port.stored[VIRTUAL] = a_versioned_virtual_node(50, cpu="64", pods="100")
        gate.port.show()
        await gate.pass_by(2)
        gate.port.stored[VIRTUAL] = a_versioned_virtual_node(150, cpu="64", pods="100")
        gate.port.show()
        await gate.pass_by(2)
    assert allocatable(gate.virtual()) == CLOSED
    assert len(gate.port.applied) == 2


async def test_what_somebody_else_wrote_is_put_right_at_once_though_it_only_opens(
    make_gate: GateMaker,
) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(0.1)
        forged = a_versioned_virtual_node(500, cpu="64", pods="100", annotations=granting(a_grant("thief")))
        gate.port.stored[VIRTUAL] = forged
        gate.port.show()
        await gate.pass_by(0.1)
    assert uids_on(gate.virtual()) == {pod.uid}
    assert allocatable(gate.virtual()) == ONE


async def test_a_replaced_node_is_granted_anew(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(1)
        gate.nodes.drop(VIRTUAL)
        await gate.pass_by(1)
        gate.port.stored[VIRTUAL] = a_versioned_virtual_node(500)
        gate.port.show()
        await gate.pass_by(1)
    assert uids_on(gate.virtual()) == {pod.uid}
    assert allocatable(gate.virtual()) == ONE


async def test_a_node_that_vanished_under_the_write_is_let_go(make_gate: GateMaker) -> None:
    gate = make_gate()
    del gate.port.stored[VIRTUAL]
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(10)
    assert len(gate.port.applied) == 1
    assert gate.metric("spillway_gate_applies_total", outcome="gone") == 1


@pytest.mark.parametrize("failure", [Conflict("409"), Unavailable("no answer")])
async def test_a_failed_write_is_tried_again_and_again_more_slowly(
    make_gate: GateMaker, failure: PortFailure
) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.port.failures = [failure] * 6
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(1)
        assert 2 <= len(gate.port.applied) <= 4
        await gate.pass_by(30)
    assert len(gate.port.applied) == 7
    assert uids_on(gate.virtual()) == {pod.uid}
    assert gate.metric("spillway_gate_decisions_total", kind="burst", reason="") == 1


async def test_a_thousand_and_a_half_failures_do_not_end_the_leaders_term(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.port.failures = [Unavailable("no answer")] * 1500
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(1500 * 10)
        assert gate.metric("spillway_gate_applies_total", outcome="failed") == 1500
        assert gate.metric("spillway_gate_applies_total", outcome="written") == 1


async def test_changes_do_not_break_the_pause_after_a_failure(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.port.failures = [Unavailable("no answer")] * 100
    async with gate.leading():
        for each in range(200):
            gate.pods.put(a_pressing_pod(f"web-{each}"))
            await gate.pass_by(0.05)
    assert len(gate.port.applied) < 10


async def test_a_place_that_changes_hands_is_closed_first_so_that_the_scheduler_looks_again(
    make_gate: GateMaker,
) -> None:
    gate = make_gate()
    first, second = a_pressing_pod("web-1"), a_pressing_pod("web-2")
    gate.pods.put(first)
    async with gate.leading():
        await gate.pass_by(2)
        gate.land(first, "ec2-0")
        gate.pods.put(second)
        await gate.pass_by(0.1)
    slots = [manifest["status"]["allocatable"]["pods"] for manifest in gate.port.applied]
    assert slots == ["1", "0", "1"]
    assert uids_on(gate.virtual()) == {second.uid}


async def test_a_node_left_open_is_closed_before_it_is_opened_for_somebody(make_gate: GateMaker) -> None:
    gate = make_gate(a_versioned_virtual_node(cpu="64", memory="64Gi", pods="100"))
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(0.1)
    slots = [manifest["status"]["allocatable"]["pods"] for manifest in gate.port.applied]
    assert slots == ["0", "1"]


async def test_a_write_without_an_answer_is_given_up_and_repeated(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    gate.port.held = True
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(4)
        gate.port.release()
        await gate.pass_by(2)
    assert uids_on(gate.virtual()) == {pod.uid}


async def test_a_node_that_fails_holds_up_no_other(make_gate: GateMaker) -> None:
    gate = make_gate(a_versioned_virtual_node(name="v1"), a_versioned_virtual_node(name="v2"))
    del gate.port.stored["v1"]
    pods = [a_pressing_pod(f"web-{each}") for each in range(2)]
    for pod in pods:
        gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(1)
    assert len(uids_on(gate.virtual("v2"))) == 1


async def test_its_own_write_outranks_a_watch_that_lags_behind(make_gate: GateMaker) -> None:
    gate = make_gate()
    first, second = a_pressing_pod("web-1"), a_pressing_pod("web-2")
    gate.port.lagging = True
    async with gate.leading():
        gate.pods.put(first)
        await gate.pass_by(1)
        gate.pods.put(a_pod("noise"))
        gate.nodes.put(a_versioned_virtual_node(2))
        await gate.pass_by(1)
        assert len(gate.port.applied) == 1
        before = grants_on(gate.virtual())
        gate.pods.put(second)
        await gate.pass_by(1)
        gate.port.show()
        await gate.pass_by(5)
    assert before[0] in grants_on(gate.virtual())
    assert uids_on(gate.virtual()) == {first.uid, second.uid}
    assert len(gate.port.applied) == 2


async def test_a_store_that_keeps_the_room_in_its_own_way_is_not_written_for_ever(
    make_gate: GateMaker,
) -> None:
    gate = make_gate()

    def with_more(node: Any) -> Any:
        room = {**node.status.allocatable, "example.com/foreign": "1"}
        return msgspec.structs.replace(node, status=msgspec.structs.replace(node.status, allocatable=room))

    gate.port.rewrite = with_more
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        for each in range(20):
            gate.pods.put(a_pod("noise", uid=f"noise-{each}"))
            await gate.pass_by(1)
    assert len(gate.port.applied) == 1


def gates_over(port: FakeNodes) -> Gates:
    """The gates of one term, that write there."""
    return Gates(port, clock=VirtualClock(), metrics=GateMetrics(CollectorRegistry()), pace=Pace())


async def test_its_own_write_is_known_by_its_version_until_somebody_else_writes() -> None:
    before = a_versioned_virtual_node()
    port = FakeNodes([before])
    gates = gates_over(port)
    assert not gates.is_own_write(before)
    await gates.bring([Opening(node=VIRTUAL, grants=(), room=ONE)], {VIRTUAL: before})
    assert gates.is_own_write(port.stored[VIRTUAL])
    assert not gates.is_own_write(before)
    assert not gates.is_own_write(a_versioned_virtual_node(1000))


async def test_a_write_whose_outcome_is_unknown_is_nobodys_own() -> None:
    before = a_versioned_virtual_node()
    port = FakeNodes([before])
    port.failures = [Unavailable("no answer")]
    gates = gates_over(port)
    await gates.bring([Opening(node=VIRTUAL, grants=(), room=ONE)], {VIRTUAL: before})
    assert not gates.is_own_write(before)
