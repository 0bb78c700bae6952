"""A leader that sees nodes come: its pods wait for them, and not for ever."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.model.node import Node
from app.model.pod import Pod
from tests.builders import NOON, a_node
from tests.extender.conftest import Gate, GateMaker
from tests.extender.fakes import a_pressing_pod, a_versioned_virtual_node, uids_on

BOOT = timedelta(seconds=40)
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def a_machine(name: str, *, created: datetime, ready: datetime | None, **fields: Any) -> Node:
    """A node of that age, Ready since then or not at all."""
    taints = [] if ready else [NOT_READY]
    body = msgspec.to_builtins(a_node(name, taints=taints, **fields))
    body["metadata"]["creationTimestamp"] = created.isoformat()
    since = (ready or created).isoformat()
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since}
    body["status"]["conditions"] = [condition]
    return msgspec.convert(body, Node)


HOUR_AGO = NOON - timedelta(hours=1)
OLD = a_machine("old", created=HOUR_AGO, ready=HOUR_AGO + BOOT, cpu="100m")
"""A node without room, from which the leader learns how long nodes take."""


def coming(name: str = "new") -> Node:
    """A node that joined ten seconds before noon and is not Ready."""
    return a_machine(name, created=NOON - timedelta(seconds=10), ready=None, cpu="1")


def a_stage(make_gate: GateMaker, *pods: Pod) -> Gate:
    gate = make_gate(a_versioned_virtual_node(), OLD, coming())
    for pod in pods:
        gate.pods.put(pod)
    return gate


async def test_a_pod_waits_for_the_node_and_lands_there(make_gate: GateMaker) -> None:
    pod = a_pressing_pod()
    gate = a_stage(make_gate, pod)
    async with gate.leading():
        await gate.pass_by(30)
        gate.nodes.put(a_machine("new", created=NOON, ready=gate.clock.now(), cpu="1"))
        await gate.pass_by(5)
        gate.land(pod, "new")
        await gate.pass_by(120)
    assert gate.port.applied == []
    assert [reason for _, reason, _ in gate.events.said] == ["OverflowWaiting"]


async def test_pods_that_the_node_has_no_room_for_burst_at_once(make_gate: GateMaker) -> None:
    pods = [a_pressing_pod(f"web-{each}", uid=f"web-{each}") for each in range(5)]
    gate = a_stage(make_gate, *pods)
    async with gate.leading():
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == {"web-2", "web-3", "web-4"}


async def test_a_node_that_is_overdue_is_waited_for_no_longer(make_gate: GateMaker) -> None:
    pod = a_pressing_pod()
    gate = a_stage(make_gate, pod)
    async with gate.leading():
        await gate.pass_by(44)
        assert gate.port.applied == []
        await gate.pass_by(2)
        assert uids_on(gate.virtual()) == {pod.uid}


async def test_a_node_that_is_given_up_is_waited_for_no_longer(make_gate: GateMaker) -> None:
    pod = a_pressing_pod()
    gate = a_stage(make_gate, pod)
    async with gate.leading():
        await gate.pass_by(5)
        assert gate.port.applied == []
        gate.nodes.drop("new")
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == {pod.uid}


async def test_a_pod_that_the_scheduler_does_not_put_on_the_new_node_bursts_soon(
    make_gate: GateMaker,
) -> None:
    pod = a_pressing_pod()
    gate = a_stage(make_gate, pod)
    async with gate.leading():
        await gate.pass_by(20)
        gate.nodes.put(a_machine("new", created=NOON, ready=gate.clock.now(), cpu="1"))
        await gate.pass_by(9)
        assert gate.port.applied == []
        await gate.pass_by(2)
        assert uids_on(gate.virtual()) == {pod.uid}
