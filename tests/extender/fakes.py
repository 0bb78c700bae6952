"""What the extender's tests share: namespaces, a Nodes port over a dict, and a recorder of Events."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from prometheus_client import CollectorRegistry

from app.extender.answer.preemption import Preemption
from app.extender.answer.server import ExtenderConfig, build_app
from app.model import names
from app.model.grant import Grant, read_grants, written
from app.model.meta import ObjectMeta
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod
from app.model.resources import Resources
from app.ports.failures import NotFound, PortFailure
from tests.builders import NOON, a_pod, a_virtual_node, opted_in_toleration, unschedulable, wire
from tests.fakes import FakeWatched, VirtualClock, settle


def a_namespace(
    name: str = "shop",
    labels: Mapping[str, str] | None = None,
    *,
    annotations: Mapping[str, str] | None = None,
) -> Namespace:
    """A namespace that opted its pods in, unless told otherwise."""
    return Namespace(
        metadata=ObjectMeta(
            name=name,
            labels=dict({names.OVERFLOW: names.ENABLED} if labels is None else labels),
            annotations=dict(annotations or {}),
        )
    )


def namespaces_with(labels: Mapping[str, Mapping[str, str]]) -> dict[str, Namespace]:
    """Namespaces by name, with these labels."""
    return {name: a_namespace(name, each) for name, each in labels.items()}


ENABLED: Mapping[str, Namespace] = {"shop": a_namespace()}


def a_pressing_pod(name: str = "web-1", **fields: Any) -> Pod:
    """An Unschedulable pod that tolerates the virtual node."""
    fields.setdefault("status", unschedulable())
    fields.setdefault("tolerations", [opted_in_toleration()])
    return a_pod(name, **fields)


def a_grant(pod: Pod | str, *, expires: datetime = NOON + timedelta(seconds=60)) -> Grant:
    """A grant of half a core for the pod, or for a pod with that uid."""
    uid = pod.uid if isinstance(pod, Pod) else PodUid(pod)
    key = pod.key if isinstance(pod, Pod) else f"shop/{pod}"
    room = Resources(cpu_milli=500, memory=512 * 2**20, pods=1)
    return Grant(uid=uid, pod=key, room=room, expires=expires)


def granting(*grants: Grant) -> dict[str, str]:
    """The annotations of a node with these grants."""
    return {names.GRANTS: written(grants)}


def grants_on(node: Node | None) -> tuple[Grant, ...]:
    """The grants that the node shows."""
    assert node is not None
    return read_grants(node.metadata.annotations)


def uids_on(node: Node | None) -> set[PodUid]:
    """The pods that hold grants on the node."""
    return {grant.uid for grant in grants_on(node)}


def pin(node: str) -> dict[str, Any]:
    """The affinity that the DaemonSet controller gives a pod for this node."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


class FakeNodes:
    """The Nodes port over a dict; `watch`, if given, shows each write at once, unless `lagging`."""

    def __init__(self, nodes: Iterable[Node] = (), *, watch: FakeWatched[Node] | None = None) -> None:
        self.stored = {node.name: node for node in nodes}
        self.watch = watch
        self.lagging = False
        self.applied: list[Mapping[str, Any]] = []
        self.managers: list[str] = []
        self.reads: list[str] = []
        self.failures: list[PortFailure] = []
        self.held = False
        self._released = asyncio.Event()
        self.rewrite: Callable[[Node], Node] = lambda node: node
        self._version = 100

    async def get(self, name: str) -> Node:
        self.reads.append(name)
        found = self.stored.get(name)
        await self._hold()
        if self.failures:
            raise self.failures.pop(0)
        if found is None:
            raise NotFound(name)
        return found

    async def apply_status(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        self.applied.append(manifest)
        self.managers.append(manager)
        await self._hold()
        if self.failures:
            raise self.failures.pop(0)
        name = manifest["metadata"]["name"]
        if name not in self.stored:
            raise NotFound(name)
        return self._store(self.rewrite(self._merged(self.stored[name], manifest)))

    def release(self) -> None:
        """Answer everybody who was held up."""
        self.held = False
        self._released.set()

    def show(self) -> None:
        """Let the watch catch up."""
        assert self.watch is not None
        for node in self.stored.values():
            self.watch.put(node)

    async def create(self, manifest: Mapping[str, Any]) -> Node:
        raise NotImplementedError

    async def apply(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        raise NotImplementedError

    async def _hold(self) -> None:
        if self.held:
            self._released.clear()
            await self._released.wait()

    def _merged(self, node: Node, manifest: Mapping[str, Any]) -> Node:
        self._version += 1
        replace = msgspec.structs.replace
        metadata = replace(
            node.metadata,
            annotations={
                **{key: text for key, text in node.metadata.annotations.items() if key != names.EARLY_ROOM},
                **manifest["metadata"]["annotations"],
            },
            resource_version=str(self._version),
        )
        status = replace(node.status, allocatable=dict(manifest["status"]["allocatable"]))
        return replace(node, metadata=metadata, status=status)

    def _store(self, node: Node) -> Node:
        self.stored[node.name] = node
        if self.watch is not None and not self.lagging:
            self.watch.put(node)
        return node


class FakeEvents:
    """The Events port as a list of (pod key, reason, message)."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.broken = False

    async def record(
        self, about: Pod | Node | Namespace, *, reason: str, message: str, warning: bool = False
    ) -> bool:
        if self.broken:
            return False
        key = about.key if isinstance(about, Pod) else about.name
        self.said.append((key, reason, message))
        return True


def a_versioned_virtual_node(version: int = 1, **fields: Any) -> Node:
    """A virtual node as the API server numbers it."""
    node = a_virtual_node(**fields)
    metadata = msgspec.structs.replace(node.metadata, resource_version=str(version))
    room = {**node.status.allocatable, "ephemeral-storage": "0"}
    status = msgspec.structs.replace(node.status, allocatable=room)
    return msgspec.structs.replace(node, metadata=metadata, status=status)


POD = a_pod(uid="u1")


class BreakableClock(VirtualClock):
    """Fails on demand, as any defect within the server would."""

    broken = False

    def now(self) -> datetime:
        if self.broken:
            raise ZeroDivisionError
        return super().now()


class Extender:
    """The server over fakes, and a client that speaks as kube-scheduler does."""

    def __init__(
        self,
        nodes: Sequence[Node],
        *,
        stored: Sequence[Node] | None = None,
        preemption: Preemption | None = None,
    ) -> None:
        self.clock = BreakableClock()
        self.watched: FakeWatched[Node] = FakeWatched(nodes)
        self.port = FakeNodes(nodes if stored is None else stored)
        self.registry = CollectorRegistry()
        self.app = build_app(
            ExtenderConfig(max_body=1_000_000, max_lookups=3),
            nodes=self.watched,
            consistent=self.port,
            clock=self.clock,
            registry=self.registry,
            preemption=preemption,
        )

    async def send(self, verb: str, content: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://extender") as client:
            return await client.post(f"/{verb}", content=content)

    async def get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://extender") as client:
            return await client.get(path)

    async def ask(self, verb: str, **args: Any) -> Any:
        body = {"Pod": wire(POD), "Nodes": None, "NodeNames": None, **args}
        response = await self.send(verb, json.dumps(body).encode())
        assert response.status_code == 200, response.text
        return response.json()

    @contextlib.asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        async with self.app.router.lifespan_context(self.app):
            await settle()
            yield


def granted(pod: Pod = POD, **fields: Any) -> Node:
    return a_virtual_node(annotations=granting(a_grant(pod)), **fields)
