"""A Kubernetes in memory, as far as a bridge speaks to it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod, PodCondition, condition
from app.model.wire import Json
from app.ports.failures import Conflict, NotFound, Refused
from app.ports.kubernetes import Lease
from tests.bridge.door import Door
from tests.bridge.validity import complaints
from tests.fakes import FakeWatched, VirtualClock


def bound(pod: Pod) -> Pod:
    """The pod with the condition that a binding sets, unless it has one of that type."""
    if condition(pod, "PodScheduled") is not None:
        return pod
    since = pod.metadata.creation_timestamp
    set_by_binding = PodCondition(type="PodScheduled", status="True", last_transition_time=since)
    status = msgspec.structs.replace(pod.status, conditions=(*pod.status.conditions, set_by_binding))
    return msgspec.structs.replace(pod, status=status)


class FakePods:
    """The API server's pods, and the watch that follows them with a delay."""

    def __init__(self, door: Door, clock: VirtualClock) -> None:
        self._door = door
        self._clock = clock
        self.pods: dict[str, Pod] = {}
        self.removed: list[Pod] = []
        self.watched: FakeWatched[Pod] = FakeWatched()
        self._watches: dict[str, FakeWatched[Pod]] = {}
        self.patches = 0
        self.complaints: list[str] = []
        self.witness: Callable[[Pod], None] = self.removed.append
        self._version = 10

    async def get(self, namespace: str, name: str) -> Pod:
        return await self._door.call("get pod", lambda: self._get(f"{namespace}/{name}"))

    async def amend(
        self, pod: Pod, *, annotations: Mapping[str, str], tolerations: Sequence[Json] | None = None
    ) -> Pod:
        return await self._door.call("amend", lambda: self._amend(pod, annotations, tolerations))

    async def set_status(self, pod: Pod, status: Mapping[str, Json]) -> Pod:
        return await self._door.call("set status", lambda: self._set_status(pod, status))

    async def remove(self, pod: Pod) -> None:
        await self._door.call("remove", lambda: self._remove(pod))

    def bind(self, pod: Pod) -> None:
        """A scheduler binds a user's pod to the node."""
        self.create(bound(pod))

    def create(self, pod: Pod) -> None:
        """A user creates a pod, which names the node itself."""
        self._put(pod)
        for watched in self._watches.values():
            watched.put(self.pods[pod.key])

    def delete(self, pod: Pod) -> None:
        """`kubectl delete pod`."""
        if pod.key in self.pods:
            self._change(pod.key, lambda body: body["metadata"].update(deletionTimestamp=self._clock.now()))

    def label(self, pod: Pod, value: str) -> None:
        """`kubectl label pod`."""
        self._change(pod.key, lambda body: body["metadata"]["labels"].update(version=value))

    def force_delete(self, pod: Pod) -> None:
        """`kubectl delete pod --force --grace-period=0`."""
        del self.pods[pod.key]
        self._show(pod.key)

    def rewatch(self, who: str) -> FakeWatched[Pod]:
        """What a new process lists."""
        self.watched = self._watches[who] = FakeWatched(self.pods.values())
        return self.watched

    def _get(self, key: str) -> Pod:
        if key not in self.pods:
            raise NotFound(f'pod "{key}" not found')
        return self.pods[key]

    def _mine(self, pod: Pod) -> None:
        if self._get(pod.key).uid != pod.uid:
            raise Conflict("uid differs")

    def _amend(self, pod: Pod, annotations: Mapping[str, str], tolerations: Sequence[Json] | None) -> Pod:
        self._mine(pod)

        def edit(body: dict[str, Any]) -> None:
            body["metadata"]["annotations"].update(annotations)
            if tolerations is not None:
                body["spec"]["tolerations"] = list(tolerations)

        return self._change(pod.key, edit)

    def _set_status(self, pod: Pod, status: Mapping[str, Json]) -> Pod:
        self._mine(pod)
        wrong = complaints(self.pods[pod.key], status)
        if wrong:
            self.complaints += wrong
            raise Refused("; ".join(wrong))

        def edit(body: dict[str, Any]) -> None:
            now = body["status"]
            conditions = {each["type"]: each for each in now["conditions"]}
            for each in status["conditions"]:
                merged = {**conditions.get(each["type"], {}), **each}
                conditions[each["type"]] = {key: value for key, value in merged.items() if value is not None}
            merged = {**now, **status, "conditions": list(conditions.values())}
            body["status"] = {key: value for key, value in merged.items() if value is not None}

        return self._change(pod.key, edit)

    def _remove(self, pod: Pod) -> None:
        now = self.pods.get(pod.key)
        if now is not None and now.uid == pod.uid:
            self.witness(self.pods.pop(pod.key))
            self._show(pod.key)

    def _change(self, key: str, edit: Callable[[dict[str, Any]], None]) -> Pod:
        self.patches += 1
        body = msgspec.to_builtins(self.pods[key])
        edit(body)
        pod = self._put(msgspec.convert(body, Pod))
        self._show(key)
        return pod

    def _put(self, pod: Pod) -> Pod:
        self._version += 1
        metadata = msgspec.structs.replace(pod.metadata, resource_version=str(self._version))
        self.pods[pod.key] = msgspec.structs.replace(pod, metadata=metadata)
        return self.pods[pod.key]

    def _show(self, key: str) -> None:
        """The watches tell of it a little later, and only to the processes that watch now."""
        loop = asyncio.get_running_loop()
        for watched in self._watches.values():
            loop.call_soon(self._show_soon, watched, key)

    def _show_soon(self, watched: FakeWatched[Pod], key: str) -> None:
        asyncio.get_running_loop().call_soon(self._tell, watched, key, self.pods.get(key))

    def _tell(self, watched: FakeWatched[Pod], key: str, pod: Pod | None) -> None:
        if pod is not None:
            watched.put(pod)
        elif watched.get(key) is not None:
            watched.drop(key)


class FakeNodes:
    """Our Node, as applied."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.nodes: dict[str, Node] = {}
        self.applied: list[tuple[str, dict[str, Any]]] = []

    async def get(self, name: str) -> Node:
        return await self._door.call("get node", lambda: self._get(name))

    async def create(self, manifest: Mapping[str, Json]) -> Node:
        return await self._door.call("create node", lambda: self._create(manifest))

    async def apply(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        return await self._door.call("apply node", lambda: self._applied_or_made(manifest, manager))

    async def apply_status(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        return await self._door.call("apply node status", lambda: self._apply(manifest, manager))

    def _get(self, name: str) -> Node:
        if name not in self.nodes:
            raise NotFound(name)
        return self.nodes[name]

    def _create(self, manifest: Mapping[str, Json]) -> Node:
        name = manifest["metadata"]["name"]
        if name in self.nodes:
            raise Conflict("exists")
        self.nodes[name] = msgspec.convert(dict(manifest), Node)
        return self.nodes[name]

    def _applied_or_made(self, manifest: Mapping[str, Json], manager: str) -> Node:
        """An API server makes what is not there, unless the manifest names a uid."""
        name, uid = manifest["metadata"]["name"], manifest["metadata"].get("uid")
        if name not in self.nodes and not uid:
            self.nodes[name] = msgspec.convert({"metadata": {"name": name, "uid": "made-by-apply"}}, Node)
        if name not in self.nodes:
            raise Conflict("the uid in the precondition is of nothing that is there")
        return self._apply(manifest, manager)

    def _apply(self, manifest: Mapping[str, Json], manager: str) -> Node:
        name = manifest["metadata"]["name"]
        if manifest["metadata"].get("uid", self._get(name).metadata.uid) != self._get(name).metadata.uid:
            raise Conflict("the uid in the precondition is another's")
        body = msgspec.to_builtins(self._get(name))
        for part in ("metadata", "spec", "status"):
            for key, value in manifest.get(part, {}).items():
                old = body[part].get(key)
                body[part][key] = {**old, **value} if isinstance(old, dict) else value
        self.applied.append((manager, dict(manifest)))
        self.nodes[name] = msgspec.convert(body, Node)
        return self.nodes[name]


class FakeLeases:
    """Leases by `namespace/name`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.leases: dict[str, Lease] = {}
        self.renewals = 0

    async def read(self, namespace: str, name: str) -> Lease:
        return await self._door.call("read lease", lambda: self._read(f"{namespace}/{name}"))

    async def renew(
        self, namespace: str, name: str, *, holder: str, seconds: int, owner: Node | None = None
    ) -> None:
        await self._door.call("renew lease", lambda: self._renew(f"{namespace}/{name}", holder, seconds))

    def _read(self, key: str) -> Lease:
        if key not in self.leases:
            raise NotFound(key)
        return self.leases[key]

    def _renew(self, key: str, holder: str, seconds: int) -> None:
        self.renewals += 1
        self.leases[key] = Lease(holder=holder, duration=seconds, record=str(self.renewals))


class FakeEvents:
    """What people were told."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.told: list[tuple[str, str, str]] = []

    async def record(
        self, about: Pod | Node | Namespace, *, reason: str, message: str, warning: bool = False
    ) -> None:
        entry = (about.metadata.name, reason, message)
        await self._door.call("event", lambda: self.told.append(entry))

    def reasons(self, name: str) -> list[str]:
        return [reason for about, reason, _ in self.told if about == name]
