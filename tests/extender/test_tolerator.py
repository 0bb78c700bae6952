import asyncio
from datetime import timedelta

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.extender.metrics import GateMetrics
from app.extender.tolerator import Tolerator
from app.model.actuator import tolerates_virtual_nodes
from app.model.names import MAX_WAIT
from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from app.timing.waiting import cancelled
from tests.builders import NOON, opted_in_toleration
from tests.extender.fake_pods import (
    ToleratingGate,
    a_tolerating_gate,
    an_awaiting_pod,
    newer,
    tolerating,
)
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod, uids_on
from tests.fakes import settle

ANOTHER = {"key": "team", "operator": "Exists"}


@pytest.fixture
def gate() -> ToleratingGate:
    return a_tolerating_gate()


def has_toleration(gate: ToleratingGate, key: str = "shop/web-1") -> bool:
    return tolerates_virtual_nodes(gate.pending.stored[key])


async def test_a_granted_pod_gets_its_toleration_within_a_tenth_of_a_second(gate: ToleratingGate) -> None:
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(0.1)
        assert gate.pending.patched == ["shop/web-1"]
        assert has_toleration(gate)


async def test_a_pod_that_waits_for_a_real_node_has_no_toleration_yet(gate: ToleratingGate) -> None:
    async with gate.leading():
        gate.pending.put(an_awaiting_pod(annotations={MAX_WAIT: "30s"}))
        await gate.pass_by(29.9)
        assert gate.pending.patched == []
        await gate.pass_by(0.2)
        assert has_toleration(gate)


async def test_the_toleration_comes_after_the_room_was_written(gate: ToleratingGate) -> None:
    gate.port.held = True
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(4)
        assert len(gate.port.applied) == 1
        assert gate.pending.patched == []
        gate.port.release()
        await gate.pass_by()
        assert has_toleration(gate)


@pytest.mark.parametrize(
    "failure",
    [pytest.param(Unavailable("no answer"), id="no answer"), pytest.param(NotFound("gone"), id="node gone")],
)
async def test_without_the_room_nobody_gets_a_toleration(gate: ToleratingGate, failure: PortFailure) -> None:
    gate.port.failures = [failure] * 1000
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(5)
        assert gate.port.applied
        assert gate.pending.patched == []


async def test_a_pod_that_brought_the_toleration_is_granted_and_not_patched(gate: ToleratingGate) -> None:
    pod = a_pressing_pod(tolerations=[opted_in_toleration()])
    async with gate.leading():
        gate.pending.put(pod)
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == {pod.uid}
        assert gate.pending.patched == []


async def test_a_pod_that_the_webhook_did_not_prepare_is_told_so(gate: ToleratingGate) -> None:
    async with gate.leading():
        gate.pending.put(a_pressing_pod(tolerations=[]))
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == set()
        assert gate.pending.patched == []
        assert [said[:2] for said in gate.events.said] == [("shop/web-1", "OverflowRefused")]


async def test_a_watch_that_lags_makes_no_second_patch(gate: ToleratingGate) -> None:
    gate.pending.lagging = True
    async with gate.leading():
        pod = an_awaiting_pod()
        gate.pending.put(pod)
        await gate.pass_by(1)
        gate.pods.put(msgspec.structs.replace(pod, status=pod.status))
        await gate.pass_by(1)
        assert gate.pending.patched == ["shop/web-1"]


async def test_what_others_add_meanwhile_stays(gate: ToleratingGate) -> None:
    async with gate.leading():
        pod = an_awaiting_pod()
        gate.pods.put(pod)
        gate.pending.stored[pod.key] = tolerating(pod, ANOTHER)
        await gate.pass_by(0.3)
        keys = [each.key for each in gate.pending.stored[pod.key].spec.tolerations]
        assert keys == ["team", "virtual-kubelet.io/provider"]


async def test_an_answer_that_was_lost_adds_nothing_twice(gate: ToleratingGate) -> None:
    gate.pending.lagging = True
    gate.pending.answers_lost = 1
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(1)
        assert gate.pending.patched == ["shop/web-1"]
        assert gate.metric("spillway_gate_tolerations_total", outcome="needless") == 1


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unavailable("no answer"), id="no answer"),
        pytest.param(Throttled("slower"), id="throttled"),
        pytest.param(Refused("forbidden"), id="refused"),
    ],
)
async def test_a_patch_that_failed_is_tried_again_with_patience(
    gate: ToleratingGate, failure: PortFailure
) -> None:
    gate.pending.failures = [failure] * 4
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(0.7)
        assert not has_toleration(gate)
        await gate.pass_by(0.2)
        assert has_toleration(gate)
        assert gate.metric("spillway_gate_tolerations_total", outcome="failed") == 4


async def test_a_refusal_that_stays_costs_one_request_each_five_seconds(gate: ToleratingGate) -> None:
    gate.pending.failures = [Refused("forbidden")] * 1000
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(50)
        assert 980 < len(gate.pending.failures) < 990


async def test_another_pod_of_that_name_gets_nothing(gate: ToleratingGate) -> None:
    async with gate.leading():
        old, new = an_awaiting_pod(uid="old"), an_awaiting_pod(uid="new")
        gate.pods.put(old)
        gate.pending.stored[new.key] = new
        await gate.pass_by(2)
        assert gate.pending.patched == []
        assert gate.metric("spillway_gate_tolerations_total", outcome="gone") == 1


async def test_a_pod_that_is_gone_is_let_go(gate: ToleratingGate) -> None:
    async with gate.leading():
        gate.pods.put(an_awaiting_pod())
        await gate.pass_by(2)
        assert gate.metric("spillway_gate_tolerations_total", outcome="gone") == 1


async def test_a_pod_that_found_a_real_node_meanwhile_is_let_go(gate: ToleratingGate) -> None:
    async with gate.leading():
        pod = an_awaiting_pod()
        gate.pods.put(pod)
        bound = msgspec.structs.replace(newer(pod), spec=msgspec.structs.replace(pod.spec, node_name="ec2-0"))
        gate.pending.stored[pod.key] = bound
        await gate.pass_by(2)
        assert gate.pending.patched == []
        assert gate.metric("spillway_gate_tolerations_total", outcome="needless") == 1


async def test_a_grant_that_is_withdrawn_ends_the_tries(gate: ToleratingGate) -> None:
    gate.pending.failures = [Unavailable("no answer")] * 3
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(0.1)
        gate.namespaces.put(a_namespace(labels={}))
        await gate.pass_by(5)
        assert gate.pending.patched == []
        assert uids_on(gate.virtual()) == set()


async def test_a_pod_that_is_granted_again_after_a_withdrawal_gets_it_then(gate: ToleratingGate) -> None:
    gate.pending.failures = [Unavailable("no answer")] * 2
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(0.05)
        gate.namespaces.put(a_namespace(labels={}))
        await gate.pass_by(2)
        gate.namespaces.put(a_namespace())
        await gate.pass_by(1)
        assert has_toleration(gate)


async def test_a_grant_that_ends_meanwhile_ends_the_tries(gate: ToleratingGate) -> None:
    pod = an_awaiting_pod()
    gate.pending.put(pod)
    gate.pending.failures = [Unavailable("no answer")] * 5
    metrics = GateMetrics(CollectorRegistry())
    tolerator = Tolerator(gate.pending, clock=gate.clock, metrics=metrics)
    working = asyncio.create_task(tolerator.run())
    await settle()
    tolerator.take([(pod, a_grant(pod, expires=NOON + timedelta(seconds=1)))])
    await gate.pass_by(10)
    await cancelled(working)
    assert gate.pending.patched == []
    assert gate.pending.failures == []


async def test_who_lost_the_lease_adds_nothing(gate: ToleratingGate) -> None:
    gate.pending.failures = [Unavailable("no answer")]
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(0.03)
        assert gate.pending.failures == []
        gate.leads = False
        await gate.pass_by(5)
        assert gate.pending.patched == []


async def test_who_is_stopped_leaves_nothing_under_way(gate: ToleratingGate) -> None:
    gate.pending.hold()
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by()
        assert gate.pending.under_way == 1
    assert gate.pending.under_way == 0


async def test_a_new_leader_brings_the_toleration_to_those_whose_grant_it_finds(gate: ToleratingGate) -> None:
    gate.pending.hold()
    pod = an_awaiting_pod()
    async with gate.leading():
        gate.pending.put(pod)
        await gate.pass_by()
    assert uids_on(gate.virtual()) == {pod.uid}
    gate.pending.release()
    async with gate.leading(gate.another_leader()):
        await gate.pass_by()
        assert gate.pending.patched == ["shop/web-1"]
        assert len(gate.port.applied) == 1


async def test_the_same_replica_may_lead_a_second_time(gate: ToleratingGate) -> None:
    async with gate.leading():
        gate.pending.put(an_awaiting_pod("web-1"))
        await gate.pass_by()
    async with gate.leading():
        gate.pending.put(an_awaiting_pod("web-2"))
        await gate.pass_by()
    assert gate.pending.patched == ["shop/web-1", "shop/web-2"]


async def test_a_storm_is_patched_a_few_at_a_time_and_each_pod_once(gate: ToleratingGate) -> None:
    pods = [an_awaiting_pod(f"web-{each}") for each in range(200)]
    gate.pending.hold()
    async with gate.leading():
        gate.pending.put(*pods)
        await gate.pass_by(1)
        gate.pending.release()
        await gate.pass_by(1)
    assert sorted(gate.pending.patched) == sorted(pod.key for pod in pods)
    assert gate.pending.most_at_once == 8


async def test_pods_that_cannot_be_patched_hold_up_no_other(gate: ToleratingGate) -> None:
    async with gate.leading():
        stuck = [an_awaiting_pod(f"stuck-{each}") for each in range(20)]
        gate.pending.failures = [Refused("denied")] * 20
        gate.pending.put(*stuck)
        await gate.pass_by(0.04)
        gate.pending.put(an_awaiting_pod("web-1"))
        await gate.pass_by(0.1)
        assert has_toleration(gate)


async def test_a_pod_whose_grant_ended_keeps_the_toleration_and_is_not_patched_again(
    gate: ToleratingGate,
) -> None:
    async with gate.leading():
        gate.pending.put(an_awaiting_pod())
        await gate.pass_by(600)
        assert gate.pending.patched == ["shop/web-1"]
