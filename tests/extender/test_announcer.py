from typing import Any

import pytest

from app.model import names
from app.model.reason import Reason
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node
from tests.extender.conftest import GateMaker
from tests.extender.fakes import (
    a_namespace,
    a_pressing_pod,
    uids_on,
)


async def test_a_refusal_is_told_once_with_every_reason(make_gate: GateMaker) -> None:
    reasons = (Reason("HostNetwork", "no host network"), Reason("Privileged", "not privileged"))
    gate = make_gate(refusals=lambda _: reasons)
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        for each in range(5):
            gate.pods.put(a_pod("noise", uid=f"noise-{each}"))
            await gate.pass_by(1)
    assert gate.events.said == [("shop/web-1", "OverflowRefused", "no host network; not privileged")]
    assert gate.metric("spillway_gate_decisions_total", kind="refuse", reason="Privileged") == 1


async def test_a_storm_of_refusals_is_told_gently_and_holds_up_no_grant(make_gate: GateMaker) -> None:
    def refusals(pod: Any) -> tuple[Reason, ...]:
        return (Reason("No", "no"),) if pod.metadata.labels else ()

    gate = make_gate(refusals=refusals)
    for each in range(500):
        gate.pods.put(a_pressing_pod(f"bad-{each}", labels={"bad": "yes"}))
    good = a_pressing_pod("good")
    gate.pods.put(good)
    async with gate.leading():
        await gate.pass_by(0.95)
    assert uids_on(gate.virtual()) == {good.uid}
    assert len(gate.events.said) <= 10


def refused(pod: Any) -> tuple[Reason, ...]:
    return (Reason("No", "no"),)


async def test_a_storm_in_one_namespace_delays_no_other(make_gate: GateMaker) -> None:
    gate = make_gate(refusals=refused)
    gate.namespaces.put(a_namespace("quiet"))
    for each in range(1000):
        gate.pods.put(a_pressing_pod(f"storm-{each}"))
    gate.pods.put(a_pressing_pod("alone", namespace="quiet"))
    async with gate.leading():
        await gate.pass_by(0.5)
    assert "quiet/alone" in [key for key, _, _ in gate.events.said]


async def test_an_event_that_could_not_be_written_is_written_later(make_gate: GateMaker) -> None:
    gate = make_gate(refusals=refused)
    gate.pods.put(a_pressing_pod())
    gate.events.broken = True
    async with gate.leading():
        await gate.pass_by(2)
        gate.events.broken = False
        await gate.pass_by(5)
    assert gate.events.said == [("shop/web-1", "OverflowRefused", "no")]
    assert gate.metric("spillway_gate_decisions_total", kind="refuse", reason="No") == 1


async def test_an_event_that_is_never_taken_is_given_up(make_gate: GateMaker) -> None:
    gate = make_gate(refusals=refused)
    gate.pods.put(a_pressing_pod())
    gate.events.broken = True
    async with gate.leading():
        await gate.pass_by(600)
        gate.events.broken = False
        await gate.pass_by(600)
    assert gate.events.said == []


async def test_a_pod_that_is_gone_meanwhile_is_not_told_what_could_not_be_written(
    make_gate: GateMaker,
) -> None:
    gate = make_gate(refusals=refused)
    pod = a_pressing_pod()
    gate.pods.put(pod)
    gate.events.broken = True
    async with gate.leading():
        await gate.pass_by(1)
        gate.pods.drop(pod.key)
        gate.events.broken = False
        await gate.pass_by(60)
    assert gate.events.said == []


async def test_what_tenants_wrote_is_not_quoted_at_length_and_hides_no_other_reason(
    make_gate: GateMaker,
) -> None:
    gate = make_gate(refusals=lambda _: (Reason("Long", "x" * 100_000), Reason("Other", "the other")))
    gate.pods.put(a_pressing_pod())
    async with gate.leading():
        await gate.pass_by(1)
    ((_, _, message),) = gate.events.said
    assert len(message) < 400
    assert message.endswith("the other")


async def test_a_burst_is_told_once_with_its_cause_and_price_though_the_pod_has_landed(
    make_gate: GateMaker,
) -> None:
    gate, pod = make_gate(), a_pressing_pod(cpu="1500m", memory="1Gi")
    gate.pods.put(a_pod("taken", node="ec2-0", cpu="2"))
    gate.pods.put(pod)
    async with gate.leading():
        gate.land(pod, VIRTUAL)
        await gate.pass_by(5)
    ((key, reason, message),) = gate.events.said
    assert (key, reason) == (pod.key, "Bursting")
    price, _, want = message.partition(": ")
    assert price == "bursts to fargate-1a, $0.0987 an hour on-demand"
    assert want == "no room on 1 real node since 2026-01-01T12:00:00Z"


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        pytest.param(
            {"labels": {names.OVERFLOW: "required"}},
            "it asks for Fargate alone (spillway.dev/overflow=required)",
            id="required",
        ),
        pytest.param(
            {"nodeSelector": {"type": "virtual-kubelet"}},
            "it asks for Fargate alone (its nodeSelector has type)",
            id="selects-virtual-nodes",
        ),
        pytest.param(
            {"nodeSelector": {"zone": "b"}}, "no real node takes it since 2026-01-01T12:00:00Z", id="no-node"
        ),
    ],
)
async def test_a_pod_that_no_real_node_takes_is_told_so(
    make_gate: GateMaker, fields: dict[str, Any], want: str
) -> None:
    labels = {"type": "virtual-kubelet", "zone": "b"}
    gate = make_gate(a_virtual_node(labels=labels), a_node())
    gate.pods.put(a_pressing_pod(**fields))
    async with gate.leading():
        await gate.pass_by(1)
    ((_, reason, message),) = gate.events.said
    assert (reason, message.partition(": ")[2]) == ("Bursting", want)


async def test_a_storm_of_bursts_is_told_gently_and_after_what_needs_somebody(make_gate: GateMaker) -> None:
    def refusals(pod: Any) -> tuple[Reason, ...]:
        return (Reason("No", "no"),) if pod.metadata.labels else ()

    gate = make_gate(refusals=refusals)
    for each in range(900):
        gate.pods.put(a_pressing_pod(f"web-{each}"))
    async with gate.leading():
        await gate.pass_by(1)
        gate.pods.put(a_pressing_pod("bad", labels={"bad": "yes"}))
        await gate.pass_by(1)
        assert 10 <= len(gate.events.said) <= 22
        assert ("shop/bad", "OverflowRefused", "no") in gate.events.said
        await gate.pass_by(50)
    assert 400 <= len(gate.events.said) <= 600
