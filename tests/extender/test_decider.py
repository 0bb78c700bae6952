import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from app.extender.decider import Decider
from app.extender.decision.hindrance import GateConfig
from app.model.pod import Pod
from app.model.reason import Reason
from tests.builders import NOON, a_pod, a_virtual_node
from tests.extender.conftest import GateMaker
from tests.extender.fakes import ENABLED, a_pressing_pod, grants_on
from tests.extender.plans import facts_of
from tests.fakes import settle

T = TypeVar("T")
FACTS = facts_of([a_pressing_pod()], nodes=(a_virtual_node(),), grants={}, namespaces=ENABLED)


class Aside:
    """Work is done when the test says so."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, work: Callable[[], T], /) -> T:
        done = work()
        await self.go.wait()
        return done


async def test_it_is_decided_where_the_caller_says() -> None:
    threads: list[threading.Thread] = []

    def refusals(_: Pod) -> tuple[Reason, ...]:
        threads.append(threading.current_thread())
        return ()

    decider = Decider(GateConfig(), refusals=refusals, apart=asyncio.to_thread)
    decided = await decider.decide(FACTS, now=NOON)
    assert len(decided.decisions) == 1
    assert threading.main_thread() not in threads


async def test_pods_that_come_while_it_is_decided_have_their_turn_next(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.apart = aside = Aside()
    async with gate.leading(gate.another_leader()):
        gate.pods.put(a_pressing_pod())
        aside.go.set()
        await gate.pass_by(1)
    assert len(grants_on(gate.virtual())) == 1


async def test_who_lost_the_lease_while_it_was_decided_writes_nothing(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.apart = aside = Aside()
    gate.pods.put(a_pressing_pod())
    async with gate.leading(gate.another_leader()):
        gate.leads = False
        aside.go.set()
        await settle()
    assert gate.port.applied == []


async def test_a_node_that_goes_while_it_is_decided_does_no_harm(make_gate: GateMaker) -> None:
    gate = make_gate()
    gate.apart = aside = Aside()
    gate.pods.put(a_pressing_pod())
    async with gate.leading(gate.another_leader()):
        gate.nodes.drop("fargate-1a")
        del gate.port.stored["fargate-1a"]
        aside.go.set()
        await gate.pass_by(1)
        gate.nodes.put(gate.port.stored.setdefault("fargate-1a", make_gate().virtual()))
        await gate.pass_by(1)
    assert len(grants_on(gate.virtual())) == 1


async def test_nothing_is_decided_anew_for_a_pod_that_the_scheduler_has_not_tried(
    make_gate: GateMaker,
) -> None:
    gate = make_gate()
    async with gate.leading():
        before = gate.metric("spillway_gate_decision_seconds_count")
        gate.pods.put(pod := a_pod())
        await gate.pass_by(1)
        gate.land(pod, "ec2-0")
        await gate.pass_by(1)
        assert gate.metric("spillway_gate_decision_seconds_count") == before
