from typing import Any

from app.model.reason import Reason
from tests.builders import a_pod
from tests.extender.conftest import GateMaker
from tests.extender.fakes import (
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
