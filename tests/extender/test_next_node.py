"""A pod whose grants lapse, watched over the leader's turns."""

from datetime import timedelta

from app.extender.decision.hindrance import NOT_TAKEN, GateConfig
from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, unschedulable
from tests.extender.conftest import Gate, GateMaker
from tests.extender.fakes import a_pressing_pod, a_versioned_virtual_node, uids_on

V1, V2 = a_versioned_virtual_node(name="v1"), a_versioned_virtual_node(name="v2")
ROUND = 62
"""Seconds after which a grant has lapsed, however it was rounded, and the next one is out."""


def holds(gate: Gate, pod: Pod) -> list[str]:
    """The virtual nodes on which the pod holds a grant."""
    return [name for name in sorted(gate.port.stored) if pod.uid in uids_on(gate.virtual(name))]


async def test_a_grant_that_lapses_is_followed_by_one_on_the_next_node_until_all_were_tried(
    make_gate: GateMaker,
) -> None:
    gate, pod = make_gate(V1, V2, config=GateConfig(patience=2)), a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(1)
        assert holds(gate, pod) == ["v1"]
        await gate.pass_by(ROUND)
        assert holds(gate, pod) == ["v2"]
        await gate.pass_by(ROUND)
        assert holds(gate, pod) == []
        assert [reason for _, reason, _ in gate.events.said] == ["Bursting", "Bursting", "OverflowRefused"]
        assert gate.events.said[-1] == (pod.key, "OverflowRefused", str(NOT_TAKEN))


async def test_a_refused_pod_is_tried_anew_after_pauses_that_double(make_gate: GateMaker) -> None:
    gate, pod = make_gate(V1, V2, config=GateConfig(patience=2)), a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(2 * ROUND)
        assert holds(gate, pod) == []
        await gate.pass_by(ROUND)
        assert holds(gate, pod) == ["v1"]
        await gate.pass_by(ROUND)
        assert holds(gate, pod) == []
        await gate.pass_by(100)
        assert holds(gate, pod) == []
        await gate.pass_by(25)
        assert holds(gate, pod) == ["v2"]


async def test_a_node_that_is_new_is_tried_at_once(make_gate: GateMaker) -> None:
    gate, pod = make_gate(V1, config=GateConfig(patience=1)), a_pressing_pod()
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(ROUND)
        assert holds(gate, pod) == []
        gate.port.stored["v2"] = V2
        gate.nodes.put(V2)
        await gate.pass_by(1)
        assert holds(gate, pod) == ["v2"]


def gated(pod: Pod) -> Pod:
    """The pod before its gates went; the scheduler says Unschedulable of it since its creation."""
    return a_pressing_pod(uid=pod.uid, annotations=pod.metadata.annotations, schedulingGates=[{"name": "q"}])


async def test_a_gated_pod_waits_its_whole_max_wait_once_the_gates_are_gone(make_gate: GateMaker) -> None:
    gate = make_gate()
    status = unschedulable(NOON - timedelta(hours=1))
    pod = a_pressing_pod(annotations={names.MAX_WAIT: "30s"}, status=status)
    gate.pods.put(gated(pod))
    async with gate.leading():
        await gate.pass_by(100)
        gate.pods.put(pod)
        await gate.pass_by(29)
        assert uids_on(gate.virtual()) == set()
        await gate.pass_by(2)
        assert uids_on(gate.virtual()) == {pod.uid}
