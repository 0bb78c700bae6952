import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from app.extender.chores import Chore
from app.extender.cluster.facts import Facts
from app.extender.leader import Cluster, Leader
from app.extender.metrics import GateMetrics
from tests.builders import VIRTUAL, a_pod
from tests.extender.conftest import Gate, GateMaker
from tests.extender.fakes import a_pressing_pod, uids_on
from tests.fakes import settle


class Lookout:
    """A chore that looks once, and notes when it is ended."""

    def __init__(self) -> None:
        self.saw: list[str] = []
        self.over = False

    async def run(self, facts: Callable[[], Facts]) -> None:
        self.saw += [pod.metadata.name for pods in facts().on_virtual.values() for pod in pods]
        try:
            await asyncio.Event().wait()
        finally:
            self.over = True


class Stumbler:
    """A chore that fails at once, a given number of times, and then works."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.begun = 0

    async def run(self, facts: Callable[[], Facts]) -> None:
        self.begun += 1
        if self.left:
            self.left -= 1
            raise RecursionError("an annotation nested too deep")
        await asyncio.Event().wait()


def with_chores(gate: Gate, *chores: Chore) -> Leader:
    """A replica that does these chores."""
    return Leader(
        gate.config,
        cluster=Cluster(pods=gate.pods, nodes=gate.nodes, namespaces=gate.namespaces),
        nodes=gate.port,
        events=gate.events,
        clock=gate.clock,
        metrics=GateMetrics(gate.registry),
        refusals=gate.refusals,
        chores=chores,
    )


async def test_a_chore_that_fails_stops_nobody_and_begins_anew(make_gate: GateMaker) -> None:
    gate, stumbler, lookout = make_gate(), Stumbler(3), Lookout()
    gate.registry = CollectorRegistry()
    async with gate.leading(with_chores(gate, stumbler, lookout)):
        await gate.pass_by(10)
        pod = a_pressing_pod()
        gate.pods.put(pod)
        await gate.pass_by()
        assert uids_on(gate.virtual()) == {pod.uid}
        assert (stumbler.begun, lookout.over) == (4, False)
    assert gate.metric("spillway_gate_chore_failures_total", chore="Stumbler") == 3


async def test_the_pauses_between_failures_of_a_chore_grow(make_gate: GateMaker) -> None:
    gate, stumbler = make_gate(), Stumbler(1000)
    gate.registry = CollectorRegistry()
    async with gate.leading(with_chores(gate, stumbler)):
        await gate.pass_by(3600)
    assert 10 < stumbler.begun < 25


async def test_chores_see_the_cluster_and_end_with_the_term(make_gate: GateMaker) -> None:
    gate, lookout = make_gate(), Lookout()
    gate.pods.put(a_pod("there", node=VIRTUAL))
    gate.registry = CollectorRegistry()
    leader = with_chores(gate, lookout)
    async with gate.leading(leader):
        await settle()
        assert (lookout.saw, lookout.over) == (["there"], False)
    assert lookout.over
