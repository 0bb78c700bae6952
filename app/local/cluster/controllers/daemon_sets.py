"""The DaemonSet controller's shell: one pod on every node that its template accepts."""

import asyncio

from app.local.cluster.apiserver.api import Api, Object
from app.local.cluster.controllers import daemons
from app.local.cluster.controllers.objects import DaemonSet, is_owned_by, owner_reference, pod_from
from app.local.cluster.controllers.reading import Decoder, found
from app.local.cluster.controllers.recorder import Recorder
from app.local.cluster.controllers.rollout import template_hash
from app.local.cluster.controllers.watching import changes, controller_key, key_of
from app.local.cluster.controllers.workqueue import WorkQueue, split
from app.model.node import Node
from app.model.pod import Pod
from app.ports.clock import Clock

_LONGEST_BACKOFF = 900.0


class DaemonSets:
    """Creates and deletes the pods of DaemonSets."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._queue = WorkQueue("daemonset", clock=clock)
        self._recorder = Recorder(api, component="daemonset-controller", clock=clock)
        self._sets = Decoder(DaemonSet)
        self._pods = Decoder(Pod)
        self._nodes = Decoder(Node)
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_sets())
            group.create_task(self._watch_pods())
            group.create_task(self._watch_nodes())
            group.create_task(self._queue.work(self.reconcile))

    async def reconcile(self, key: str) -> float | None:
        """One round for one DaemonSet; when to look again."""
        namespace, name = split(key)
        raw = found(self._api, "daemonsets", namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            return None
        daemon_set = self._sets(raw)
        revision = template_hash(daemon_set.spec.template)
        nodes = [self._nodes(each) for each in self._api.list("nodes")]
        step = daemons.plan(
            daemon_set, nodes, self._owned(daemon_set), revision=revision, now=self._clock.now()
        )
        for pod in step.delete:
            await self._api.delete("pods", namespace, pod.metadata.name, uid=pod.uid)
        again = [await self._replace_failed(raw, pod) for pod in step.failed]
        for node in step.create:
            await self._create(raw, daemon_set, node, revision=revision)
        await self._report(raw, daemon_set, nodes, revision=revision)
        return min((wait for wait in again if wait is not None), default=None)

    async def _create(self, raw: Object, daemon_set: DaemonSet, node: str, *, revision: str) -> None:
        metadata = daemon_set.metadata
        body = pod_from(
            daemons.pinned(daemon_set.spec.template, node),
            prefix=metadata.name,
            owner=owner_reference("DaemonSet", metadata),
        )
        labels = {**(body["metadata"].get("labels") or {}), daemons.HASH_LABEL: revision}
        body["metadata"] = {**body["metadata"], "labels": labels}
        pod = await self._api.create("pods", metadata.namespace, body)
        message = f"Created pod: {pod['metadata']['name']}"
        await self._recorder.record(raw, reason="SuccessfulCreate", message=message)

    async def _replace_failed(self, raw: Object, pod: Pod) -> float | None:
        """Delete a failed daemon, the first time at once, then ever later: 1 s to 15 min for each node."""
        node = daemons.target(pod)
        key = (raw["metadata"]["uid"], node)
        count, allowed = self._failures.get(key, (0, 0.0))
        now = self._clock.steady()
        if now < allowed:
            return allowed - now
        self._failures[key] = (count + 1, now + min(_LONGEST_BACKOFF, float(1 << min(count, 10))))
        message = f"Found failed daemon pod {pod.key} on node {node}, will try to kill it"
        await self._recorder.record(raw, reason="FailedDaemonPod", message=message, warning=True)
        await self._api.delete("pods", pod.metadata.namespace, pod.metadata.name, uid=pod.uid)
        return None

    async def _report(self, raw: Object, daemon_set: DaemonSet, nodes: list[Node], *, revision: str) -> None:
        now = self._clock.now()
        latest = daemons.status(daemon_set, nodes, self._owned(daemon_set), revision=revision, now=now)
        known = raw.get("status") or {}
        if any(known.get(name) != value for name, value in latest.items()):
            namespace, name = raw["metadata"]["namespace"], raw["metadata"]["name"]
            await self._api.patch(
                "daemonsets", namespace, name, {"status": latest}, kind="merge", subresource="status"
            )

    def _owned(self, daemon_set: DaemonSet) -> list[Pod]:
        pods = (self._pods(each) for each in self._api.list("pods", daemon_set.metadata.namespace))
        return [pod for pod in pods if is_owned_by(pod.metadata, daemon_set.metadata.uid)]

    async def _watch_sets(self) -> None:
        async for event in changes(self._api, "daemonsets", clock=self._clock):
            self._queue.add(key_of(event.object))
            if event.type == "DELETED":
                self._sets.forget(event.object["metadata"]["uid"])

    async def _watch_pods(self) -> None:
        async for event in changes(self._api, "pods", clock=self._clock):
            key = controller_key(event.object, "DaemonSet")
            if key is not None:
                self._queue.add(key)
            if event.type == "DELETED":
                self._pods.forget(event.object["metadata"]["uid"])

    async def _watch_nodes(self) -> None:
        async for event in changes(self._api, "nodes", clock=self._clock):
            for each in self._api.list("daemonsets"):
                self._queue.add(key_of(each))
            if event.type == "DELETED":
                self._nodes.forget(event.object["metadata"]["uid"])
