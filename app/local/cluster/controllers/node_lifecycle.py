"""The node controller's shell: judges kubelets by their Lease, and clears pods off nodes that are no more."""

import asyncio

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.local.cluster.controllers.node_health import GRACE, eviction_time, silenced, tainted, unready
from app.local.cluster.controllers.reading import Decoder, found
from app.local.cluster.controllers.recorder import Recorder
from app.local.cluster.controllers.watching import changes
from app.local.cluster.controllers.workqueue import WorkQueue
from app.model.node import Node
from app.model.pod import Pod
from app.ports.clock import Clock
from app.telemetry import logs

_PERIOD = 5.0
_LEASES = "kube-node-lease"


class NodeLifecycle:
    """Conditions, taints and taint-based evictions."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._queue = WorkQueue("node", clock=clock)
        self._recorder = Recorder(api, component="node-controller", clock=clock)
        self._nodes = Decoder(Node)
        self._pods = Decoder(Pod)
        self._signs: dict[str, tuple[str, float]] = {}
        self._log = logs.get(__name__)

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_nodes())
            group.create_task(self._watch_pods())
            group.create_task(self._queue.work(self.reconcile))

    async def reconcile(self, name: str) -> float | None:
        """One look at one node; every few seconds again while it is there."""
        raw = found(self._api, "nodes", "", name)
        if raw is None:
            self._signs.pop(name, None)
            return None
        node = self._nodes(raw)
        now = self._clock.now()
        conditions = silenced(node, silent_for=self._silent_for(raw), now=now)
        if conditions:
            await self._silence(raw, conditions)
            return 0.0
        await self._taint(raw, node)
        await self._evict(found(self._api, "nodes", "", name) or raw)
        return _PERIOD

    def _silent_for(self, raw: Object) -> float:
        """Seconds since the Lease or what the kubelet says of the node last changed, by our clock alone."""
        name, uid = raw["metadata"]["name"], raw["metadata"]["uid"]
        lease = found(self._api, "leases", _LEASES, name)
        renewed = (lease or {}).get("spec", {}).get("renewTime", "")
        conditions = (raw.get("status") or {}).get("conditions") or ()
        beats = [(each["type"], each["status"], each.get("lastHeartbeatTime")) for each in conditions]
        record = f"{uid} {renewed} {beats}"
        known = self._signs.get(name)
        if known is None or known[0] != record:
            known = self._signs[name] = (record, self._clock.steady())
        return self._clock.steady() - known[1]

    async def _silence(self, raw: Object, conditions: list[Object]) -> None:
        name = raw["metadata"]["name"]
        patch = {"status": {"conditions": conditions}}
        updated = await self._api.patch("nodes", "", name, patch, kind="strategic", subresource="status")
        self._remember(updated)
        message = f"Node {name} status is now: NodeNotReady"
        await self._recorder.record(raw, reason="NodeNotReady", message=message)
        for pod in self._pods_on(name):
            stale = unready(pod, now=self._clock.now())
            if stale:
                await self._mark(pod, stale)

    def _remember(self, raw: Object) -> None:
        """Our own write is no sign of life."""
        name = raw["metadata"]["name"]
        since = self._clock.steady() - GRACE
        self._silent_for(raw)
        self._signs[name] = (self._signs[name][0], since)

    async def _mark(self, pod: Pod, conditions: list[Object]) -> None:
        patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": conditions}}
        namespace, name = pod.metadata.namespace, pod.metadata.name
        try:
            await self._api.patch("pods", namespace, name, patch, kind="strategic", subresource="status")
        except ApiError as error:
            self._log.info("pod not marked unready", pod=pod.key, error=error.message)

    async def _taint(self, raw: Object, node: Node) -> None:
        taints = raw["spec"].get("taints") or []
        wanted = tainted(node, taints, now=self._clock.now())
        if wanted != taints:
            body = {**raw, "spec": {**raw["spec"], "taints": wanted}}
            await self._api.update("nodes", "", node.name, body)

    async def _evict(self, raw: Object) -> None:
        taints = raw["spec"].get("taints") or []
        now = self._clock.now()
        for pod in self._pods_on(raw["metadata"]["name"]):
            due = eviction_time(pod, taints, now=now)
            if due is None or due > now or pod.metadata.deletion_timestamp is not None:
                continue
            message = f"Marking for deletion Pod {pod.key}"
            await self._recorder.record(_about(pod), reason="TaintManagerEviction", message=message)
            await self._api.delete("pods", pod.metadata.namespace, pod.metadata.name, uid=pod.uid)

    def _pods_on(self, node: str) -> list[Pod]:
        return [self._pods(raw) for raw in self._api.list("pods") if raw["spec"].get("nodeName") == node]

    async def _watch_nodes(self) -> None:
        async for event in changes(self._api, "nodes", clock=self._clock):
            self._queue.add(event.object["metadata"]["name"])
            if event.type == "DELETED":
                self._nodes.forget(event.object["metadata"]["uid"])

    async def _watch_pods(self) -> None:
        async for event in changes(self._api, "pods", clock=self._clock):
            if event.type == "DELETED":
                self._pods.forget(event.object["metadata"]["uid"])


def _about(pod: Pod) -> Object:
    metadata = {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "uid": pod.uid}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
