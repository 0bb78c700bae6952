"""Pods without a node behind their port, and a gate whose actuator is the toleration."""

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from app.extender.decision.hindrance import GateConfig
from app.extender.leader import Cluster, Leader
from app.extender.metrics import GateMetrics
from app.extender.tolerator import Tolerator
from app.model.actuator import OUR_TOLERATION
from app.model.pod import Pod, Toleration
from app.ports.failures import Conflict, NotFound, PortFailure
from tests.extender.conftest import Gate
from tests.extender.fakes import a_pressing_pod
from tests.fakes import FakeWatched

PREFERRING: Mapping[str, Any] = {
    "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {
                    "matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}]
                },
            }
        ]
    }
}
"""What the webhook gives a pod that may overflow."""


def an_awaiting_pod(name: str = "web-1", *, version: int = 1, **fields: Any) -> Pod:
    """An Unschedulable pod that the webhook prepared, without the toleration."""
    pod = a_pressing_pod(name, affinity=PREFERRING, **{"tolerations": [], **fields})
    metadata = msgspec.structs.replace(pod.metadata, resource_version=str(version))
    return msgspec.structs.replace(pod, metadata=metadata)


def tolerating(pod: Pod, toleration: Mapping[str, Any] = OUR_TOLERATION) -> Pod:
    """The pod's next version, with one more toleration."""
    added = msgspec.convert(toleration, Toleration)
    spec = msgspec.structs.replace(pod.spec, tolerations=(*pod.spec.tolerations, added))
    return msgspec.structs.replace(newer(pod), spec=spec)


def newer(pod: Pod) -> Pod:
    """The pod's next version, unchanged."""
    version = str(int(pod.metadata.resource_version or "0") + 1)
    metadata = msgspec.structs.replace(pod.metadata, resource_version=version)
    return msgspec.structs.replace(pod, metadata=metadata)


class FakePendingPods:
    """The PendingPods port over what is stored; the watch shows each write at once, unless `lagging`."""

    def __init__(self, watch: FakeWatched[Pod]) -> None:
        self.stored: dict[str, Pod] = {}
        self.watch = watch
        self.lagging = False
        self.failures: list[PortFailure] = []
        self.answers_lost = 0
        self.patched: list[str] = []
        self.held: asyncio.Event | None = None
        self.under_way = 0
        self.most_at_once = 0

    def put(self, *pods: Pod) -> None:
        """Create or change pods, and let the watch show them."""
        for pod in pods:
            self.stored[pod.key] = pod
            self.watch.put(pod)

    def hold(self) -> None:
        """Let no patch through until `held` is set."""
        self.held = asyncio.Event()

    def release(self) -> None:
        """Let those through that were held up, and whoever comes."""
        if self.held is not None:
            self.held.set()

    async def get(self, namespace: str, name: str) -> Pod:
        found = self.stored.get(f"{namespace}/{name}")
        if found is None:
            raise NotFound(name)
        return found

    async def tolerate(self, pod: Pod, toleration: Mapping[str, Any]) -> Pod:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return await self._patch(pod, toleration)
        finally:
            self.under_way -= 1

    async def _patch(self, pod: Pod, toleration: Mapping[str, Any]) -> Pod:
        if self.held is not None:
            await self.held.wait()
        if self.failures:
            raise self.failures.pop(0)
        found = await self.get(pod.metadata.namespace, pod.metadata.name)
        if (found.uid, found.metadata.resource_version) != (pod.uid, pod.metadata.resource_version):
            raise Conflict(pod.key)
        self.patched.append(pod.key)
        self.stored[pod.key] = after = tolerating(found, toleration)
        if not self.lagging:
            self.watch.put(after)
        if self.answers_lost:
            self.answers_lost -= 1
            raise PortFailure("no answer")
        return after


class ToleratingGate(Gate):
    """A leader over fakes that adds tolerations."""

    @functools.cached_property
    def pending(self) -> FakePendingPods:
        """The pods, as they are stored."""
        return FakePendingPods(self.pods)

    def another_leader(self, registry: CollectorRegistry | None = None) -> Leader:
        """A replica that sees the same cluster."""
        metrics = GateMetrics(registry or CollectorRegistry())
        return Leader(
            self.config,
            cluster=Cluster(pods=self.pods, nodes=self.nodes, namespaces=self.namespaces),
            nodes=self.port,
            events=self.events,
            clock=self.clock,
            metrics=metrics,
            refusals=self.refusals,
            leads=lambda: self.leads,
            tolerator=Tolerator(self.pending, clock=self.clock, metrics=metrics, leads=lambda: self.leads),
        )


def a_tolerating_gate(**config: Any) -> ToleratingGate:
    """Such a gate; keyword arguments are its policy's."""
    return ToleratingGate(refusals=lambda _: (), config=GateConfig(actuator="toleration", **config))
