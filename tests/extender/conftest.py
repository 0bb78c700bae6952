import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.extender.decider import Apart, at_once
from app.extender.decision.hindrance import GateConfig, Refusals
from app.extender.leader import Cluster, Leader, LeaderConfig
from app.extender.metrics import GateMetrics
from app.model.node import Node
from app.model.pod import Pod
from tests.builders import a_node
from tests.extender.fakes import FakeEvents, FakeNodes, a_namespace, a_versioned_virtual_node
from tests.fakes import FakeWatched, VirtualClock, settle


class Gate:
    """A leader over fakes: a cluster that the test changes, and what it wrote there."""

    def __init__(self, *, refusals: Refusals, config: GateConfig, nodes: Iterable[Node] = ()) -> None:
        self.clock = VirtualClock()
        self.pods: FakeWatched[Pod] = FakeWatched()
        nodes = tuple(nodes) or (a_versioned_virtual_node(), a_node())
        self.nodes: FakeWatched[Node] = FakeWatched(nodes)
        self.namespaces = FakeWatched([a_namespace()])
        self.port = FakeNodes(nodes, watch=self.nodes)
        self.events = FakeEvents()
        self.registry = CollectorRegistry()
        self.config = LeaderConfig(gate=config)
        self.refusals = refusals
        self.leads = True
        self.apart: Apart = at_once
        self.leader = self.another_leader(self.registry)

    def another_leader(self, registry: CollectorRegistry | None = None) -> Leader:
        """A replica that sees the same cluster."""
        return Leader(
            self.config,
            cluster=Cluster(pods=self.pods, nodes=self.nodes, namespaces=self.namespaces),
            nodes=self.port,
            events=self.events,
            clock=self.clock,
            metrics=GateMetrics(registry or CollectorRegistry()),
            refusals=self.refusals,
            leads=lambda: self.leads,
            apart=self.apart,
        )

    @contextlib.asynccontextmanager
    async def leading(self, leader: Leader | None = None) -> AsyncIterator[None]:
        """The leader at work, its first look over."""
        task = asyncio.create_task((leader or self.leader).run())
        await settle()
        yield
        task.cancel()
        await asyncio.wait({task})

    async def pass_by(self, seconds: float = 0.1) -> None:
        """Let time pass; the default is the time in which a grant must be out."""
        await self.clock.advance(seconds)

    def virtual(self, name: str = "fargate-1a") -> Node:
        """The virtual node as it is stored."""
        return self.port.stored[name]

    def land(self, pod: Pod, node: str) -> None:
        """Let the scheduler bind the pod."""
        self.pods.put(msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node)))

    def metric(self, name: str, **labels: str) -> float | None:
        """A counted value."""
        return self.registry.get_sample_value(name, labels)


GateMaker = Callable[..., Gate]


@pytest.fixture
def make_gate() -> GateMaker:
    def make(*nodes: Node, refusals: Refusals = lambda _: (), config: GateConfig | None = None) -> Gate:
        return Gate(refusals=refusals, config=config or GateConfig(), nodes=nodes)

    return make
