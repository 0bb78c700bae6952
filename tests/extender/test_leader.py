import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from app.extender.decision.hindrance import GateConfig
from app.model import names
from app.model.node import allocatable
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, owned_by
from tests.extender.conftest import GateMaker
from tests.extender.fakes import (
    a_namespace,
    a_pressing_pod,
    a_versioned_virtual_node,
    grants_on,
    pin,
    uids_on,
)
from tests.fakes import settle

ONE = Resources(cpu_milli=500, memory=512 * 2**20, pods=1)

CLOSED = Resources(cpu_milli=1)


async def test_a_grant_is_out_within_a_tenth_of_a_second(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    async with gate.leading():
        gate.pods.put(pod)
        await gate.pass_by(0.1)
        assert uids_on(gate.virtual()) == {pod.uid}
        assert allocatable(gate.virtual()) == ONE


async def test_a_pod_bursts_the_moment_its_wait_is_over(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod(annotations={names.MAX_WAIT: "30s"})
    gate.pods.put(pod)
    async with gate.leading():
        await gate.pass_by(29.9)
        assert gate.port.applied == []
        await gate.pass_by(0.2)
        assert uids_on(gate.virtual()) == {pod.uid}


async def test_bound_pods_leave_the_list_without_a_write_for_each(make_gate: GateMaker) -> None:
    gate = make_gate()
    pods = [a_pressing_pod(f"web-{each}") for each in range(50)]
    async with gate.leading():
        for pod in pods:
            gate.pods.put(pod)
        await gate.pass_by(1)
        for pod in pods:
            gate.land(pod, VIRTUAL)
            await gate.pass_by(0.05)
        await gate.pass_by(2)
    assert grants_on(gate.virtual()) == ()
    assert allocatable(gate.virtual()).cpu_milli == 50 * 500
    assert len(gate.port.applied) <= 15


async def test_the_gate_closes_when_the_pods_are_gone(make_gate: GateMaker) -> None:
    gate = make_gate()
    pod = a_pressing_pod()
    async with gate.leading():
        gate.pods.put(pod)
        await gate.pass_by(1)
        gate.land(pod, VIRTUAL)
        await gate.pass_by(2)
        gate.pods.drop(pod.key)
        await gate.pass_by(2)
    assert (grants_on(gate.virtual()), allocatable(gate.virtual())) == ((), CLOSED)


async def test_a_pod_that_waits_on_gets_a_fresh_grant_once_per_life_of_one(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(59)
        assert len(gate.port.applied) == 1
        await gate.pass_by(3.1)
        assert len(gate.port.applied) == 2
        assert grants_on(gate.virtual())[0].expires == NOON + timedelta(seconds=122)


async def test_a_pod_that_the_scheduler_never_takes_is_tried_less_and_less(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(3600)
    assert 6 < len(gate.port.applied) < 20
    assert ("shop/web-1", "OverflowRefused") in {said[:2] for said in gate.events.said}


async def test_a_daemon_set_pod_opens_room_for_itself_and_lets_it_go(make_gate: GateMaker) -> None:
    gate = make_gate()
    daemon = a_pod(
        "ds", metadata=owned_by("DaemonSet"), affinity=pin(VIRTUAL), tolerations=[{"operator": "Exists"}]
    )
    gate.pods.put(daemon)
    async with gate.leading():
        await gate.pass_by()
        assert (grants_on(gate.virtual()), allocatable(gate.virtual())) == ((), ONE)
        gate.pods.drop(daemon.key)
        await gate.pass_by(2)
    assert allocatable(gate.virtual()) == CLOSED


async def test_a_pod_of_a_namespace_without_the_label_gets_nothing_though_it_tolerates_the_taint(
    make_gate: GateMaker,
) -> None:
    gate = make_gate()
    gate.pods.put(a_pressing_pod(namespace="bank", labels={names.OVERFLOW: "enabled"}))
    gate.namespaces.put(a_namespace("bank", labels={}))
    async with gate.leading():
        await gate.pass_by(60)
        assert gate.port.applied == []
        gate.namespaces.put(a_namespace("bank"))
        await gate.pass_by()
        assert len(uids_on(gate.virtual())) == 1
        gate.namespaces.put(a_namespace("bank", labels={}))
        await gate.pass_by(2)
    assert grants_on(gate.virtual()) == ()


async def test_a_name_used_again_does_not_inherit_the_grant(make_gate: GateMaker) -> None:
    gate = make_gate()
    old, new = a_pressing_pod(uid="old"), a_pressing_pod(uid="new", annotations={names.MAX_WAIT: "1h"})
    gate.pods.put(old)
    async with gate.leading():
        await gate.pass_by(1)
        gate.pods.put(new)
        await gate.pass_by(2)
    assert (grants_on(gate.virtual()), allocatable(gate.virtual())) == ((), CLOSED)


async def test_a_change_of_status_of_a_running_pod_wakes_nobody(make_gate: GateMaker) -> None:
    gate = make_gate()
    running = a_pod("web", uid="u", node=VIRTUAL, phase="Running")
    gate.pods.put(running)
    async with gate.leading():
        await gate.pass_by(5)
        looks = gate.metric("spillway_gate_decision_seconds_count")
        gate.pods.put(a_pod("web", uid="u", node=VIRTUAL, phase="Running", status={"podIP": "10.0.0.1"}))
        gate.nodes.put(a_node(cpu="4"))
        await gate.pass_by(5)
        assert gate.metric("spillway_gate_decision_seconds_count") == looks
        gate.pods.put(a_pod("web", uid="u", node=VIRTUAL, phase="Succeeded"))
        await gate.pass_by(2)
    assert allocatable(gate.virtual()) == CLOSED


async def test_the_cap_lets_the_queue_through_as_places_are_taken(make_gate: GateMaker) -> None:
    gate = make_gate(config=GateConfig(max_grants=1))
    first, second = a_pressing_pod("web-1"), a_pressing_pod("web-2")
    gate.pods.put(first)
    gate.pods.put(second)
    async with gate.leading():
        await gate.pass_by(0.5)
        assert uids_on(gate.virtual()) == {first.uid}
        gate.land(first, VIRTUAL)
        await gate.pass_by(0.5)
        assert uids_on(gate.virtual()) == {second.uid}
        await settle()
    assert allocatable(gate.virtual()).pods == 2


async def test_a_decision_that_fails_closes_the_gate_until_one_succeeds(make_gate: GateMaker) -> None:
    wrong = True

    def refusals(pod: Pod) -> tuple[Reason, ...]:
        if wrong and pod.metadata.name == "poison":
            raise ValueError("nobody thought of this")
        return ()

    gate = make_gate(refusals=refusals)
    healthy = a_pressing_pod()
    async with gate.leading():
        gate.pods.put(healthy)
        await gate.pass_by()
        assert uids_on(gate.virtual()) == {healthy.uid}
        gate.pods.put(a_pressing_pod("poison"))
        await gate.pass_by(2)
        assert (grants_on(gate.virtual()), allocatable(gate.virtual())) == ((), CLOSED)
        wrong = False
        await gate.pass_by(10)
        assert len(grants_on(gate.virtual())) == 2
    assert (gate.metric("spillway_gate_failed_turns_total") or 0) >= 1


async def test_a_virtual_node_that_goes_while_it_is_decided_harms_nobody(make_gate: GateMaker) -> None:
    gate = make_gate(a_versioned_virtual_node(), a_virtual_node("fargate-1b"))
    decided = asyncio.Event()

    async def slowly(work: Callable[[], Any]) -> Any:
        result = work()
        await decided.wait()
        return result

    gate.apart = slowly
    async with gate.leading(gate.another_leader(CollectorRegistry())):
        gate.nodes.drop("fargate-1b")
        decided.set()
        pod = a_pressing_pod()
        gate.pods.put(pod)
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == {pod.uid}


async def test_the_leaders_own_write_is_no_reason_for_another_turn(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.port.lagging = True
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(1)
        gate.port.show()
        await gate.pass_by(1)
        assert len(gate.port.applied) == 1
        assert gate.metric("spillway_gate_decision_seconds_count") == 1


async def test_what_somebody_else_writes_after_it_is_looked_at(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.port.lagging = True
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(1)
        gate.nodes.put(a_versioned_virtual_node(1000))
        await gate.pass_by(0.1)
        assert gate.metric("spillway_gate_decision_seconds_count") == 2
        assert len(gate.port.applied) == 2


async def test_the_end_of_a_node_that_the_leader_wrote_is_looked_at(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(1)
        looks = gate.metric("spillway_gate_decision_seconds_count") or 0
        gate.nodes.drop(VIRTUAL)
        await gate.pass_by(1)
        assert (gate.metric("spillway_gate_decision_seconds_count") or 0) > looks
