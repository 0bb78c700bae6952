"""A leader's homecoming over fakes: a cluster that the test changes, and the calls that were made."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from app.extender.cluster.facts import Facts
from app.extender.homecoming import Homecoming, HomecomingConfig
from app.extender.homing.trials import Trial, read_trials, written_trials
from app.extender.metrics import HomingMetrics
from app.model.meta import OwnerReference
from app.model.names import RETURNS
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.ports.failures import NotFound, PortFailure
from tests.builders import VIRTUAL, a_node, a_virtual_node
from tests.extender.fakes import FakeEvents
from tests.extender.homing.returns import WHOLE
from tests.extender.plans import facts_of
from tests.fakes import FakeWatched, VirtualClock, settle


class FakeEvictions:
    """The Evictions port: what is evicted leaves the cluster, unless a failure is queued."""

    def __init__(self, pods: FakeWatched[Pod]) -> None:
        self.replicas_of: dict[str, Replicas | PortFailure] = {}
        self.failures: list[PortFailure] = []
        self.evicted: list[str] = []
        self.asked: list[str] = []
        self.before: list[str] = []
        self.hangs = False
        self._pods = pods

    async def evict(self, pod: Pod) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self.before.append(pod.metadata.name)
        if self.failures:
            raise self.failures.pop(0)
        self.evicted.append(pod.metadata.name)
        self._pods.drop(pod.key)

    async def replicas(self, namespace: str, controller: OwnerReference) -> Replicas:
        self.asked.append(controller.name)
        found = self.replicas_of.get(controller.name, WHOLE)
        if isinstance(found, PortFailure):
            raise found
        return found


class Notebook:
    """The Nodes port, as far as annotations of one virtual node go."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.managers: set[str] = set()
        self.failures: list[PortFailure] = []
        self.writes = 0

    async def apply_status(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        self.managers.add(manager)
        if self.failures:
            raise self.failures.pop(0)
        if manifest["metadata"]["name"] != self.node.name:
            raise NotFound(manifest["metadata"]["name"])
        self.writes += 1
        annotations = {**self.node.metadata.annotations, **manifest["metadata"]["annotations"]}
        metadata = msgspec.structs.replace(self.node.metadata, annotations=annotations)
        self.node = msgspec.structs.replace(self.node, metadata=metadata)
        return self.node

    async def get(self, name: str) -> Node:
        raise NotImplementedError

    async def create(self, manifest: Mapping[str, Any]) -> Node:
        raise NotImplementedError

    async def apply(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        raise NotImplementedError


class Home:
    """The way home over fakes."""

    def __init__(self, *pods: Pod, cpu: str = "8", memory: str = "64Gi") -> None:
        self.clock = VirtualClock()
        self.pods: FakeWatched[Pod] = FakeWatched(pods)
        self.evictions = FakeEvictions(self.pods)
        self.notebook = Notebook(a_virtual_node(VIRTUAL))
        self.events = FakeEvents()
        self.registry = CollectorRegistry()
        self.real = a_node(cpu=cpu, memory=memory)
        self.leads = True
        self.homecoming = Homecoming(
            HomecomingConfig(),
            evictions=self.evictions,
            nodes=self.notebook,
            events=self.events,
            clock=self.clock,
            metrics=HomingMetrics(self.registry),
            leads=lambda: self.leads,
        )

    def facts(self) -> Facts:
        return facts_of(self.pods.all(), nodes=(self.notebook.node, self.real))

    def trials(self) -> tuple[Trial, ...]:
        """What is written down."""
        return read_trials(self.notebook.node.metadata.annotations)

    def note(self, *trials: Trial) -> None:
        """Write these down, as somebody before us."""
        text = written_trials(trials, node=VIRTUAL)
        self.notebook.node = a_virtual_node(VIRTUAL, annotations={RETURNS: text})

    def written(self) -> str:
        return self.notebook.node.metadata.annotations.get(RETURNS, "")

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    @contextlib.asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.homecoming.run(self.facts))
        await settle()
        yield
        task.cancel()
        await asyncio.wait({task})

    async def pass_by(self, *, minutes: float) -> None:
        await self.clock.advance(minutes * 60)
