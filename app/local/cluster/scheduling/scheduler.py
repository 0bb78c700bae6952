"""The scheduler's shell: watches nodes and pods, runs one cycle after the other, binds and reports."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.local.cluster.controllers.reading import Decoder
from app.local.cluster.controllers.recorder import Recorder
from app.local.cluster.controllers.watching import changes
from app.local.cluster.scheduling import explain, preemption
from app.local.cluster.scheduling.cache import ClusterCache
from app.local.cluster.scheduling.config import SchedulerConfig
from app.local.cluster.scheduling.cycle import Broken, Cycle, Placed, Unplaced
from app.local.cluster.scheduling.extender import Extender
from app.local.cluster.scheduling.hints import Change
from app.local.cluster.scheduling.queueing import Entry, SchedulingQueue
from app.local.cluster.scheduling.reporting import Report, condition_patch, unscheduled
from app.local.cluster.scheduling.snapshot import priority_of
from app.model.node import Node, allocatable
from app.model.pod import Pod, is_terminal
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.times import rfc3339
from app.ports.clock import Clock
from app.telemetry import logs

UNREADABLE = (msgspec.ValidationError, QuantityError)
"""An object that the API server let through and that means nothing to us: it is left out, and told of."""


class Scheduler:
    """Schedules the pods that name it. One object is one kube-scheduler process."""

    def __init__(self, api: Api, *, config: SchedulerConfig, clock: Clock) -> None:
        """Nothing is read or connected yet."""
        self._api = api
        self._config = config
        self._clock = clock
        self._extender = Extender(config.extender) if config.extender else None
        self._cycle = Cycle(self._extender)
        self._recorder = Recorder(api, component=config.names[0], clock=clock)
        self._cache = ClusterCache()
        self._queue = SchedulingQueue(initial_backoff=config.initial_backoff, max_backoff=config.max_backoff)
        self._pods = Decoder(Pod)
        self._nodes = Decoder(Node)
        self._seen: dict[str, Pod] = {}
        self._work = asyncio.Event()
        self._bindings: set[asyncio.Task[None]] = set()
        self._log = logs.get(__name__)

    async def run(self) -> None:
        """Schedule until cancelled."""
        for raw in self._api.list("nodes"):
            self._see_node(raw)
        for raw in self._api.list("pods"):
            self._see_pod(raw)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_nodes())
                group.create_task(self._watch_pods())
                group.create_task(self._schedule())
        finally:
            for binding in self._bindings:
                binding.cancel()
            if self._extender is not None:
                await self._extender.close()

    async def _watch_nodes(self) -> None:
        async for event in changes(self._api, "nodes", clock=self._clock):
            if event.type == "DELETED":
                self._tell(self._cache.drop_node(event.object["metadata"]["name"]))
                self._nodes.forget(event.object["metadata"]["uid"])
            else:
                self._see_node(event.object)

    async def _watch_pods(self) -> None:
        async for event in changes(self._api, "pods", clock=self._clock):
            if event.type == "DELETED":
                self._lose_pod(event.object)
            else:
                self._see_pod(event.object)

    def _see_node(self, raw: Object) -> None:
        try:
            node = self._nodes(raw)
            allocatable(node)
        except UNREADABLE as error:
            self._log.warning("node not understood", node=raw["metadata"]["name"], error=str(error))
            return
        self._tell(self._cache.put_node(node, raw))

    def _see_pod(self, raw: Object) -> None:
        try:
            pod = self._pods(raw)
            requests_of(pod)
        except UNREADABLE as error:
            self._log.warning("pod not understood", pod=raw["metadata"]["name"], error=str(error))
            return
        before = self._seen.get(pod.uid)
        self._seen[pod.uid] = pod
        self._tell(self._cache.put_pod(pod))
        if not self._is_ours(pod):
            self._queue.remove(pod.uid)
        elif before is not None and self._is_ours(before):
            self._queue.update(before, pod, now=self._clock.steady())
            self._work.set()
        else:
            self._queue.add(pod)
            self._work.set()

    def _lose_pod(self, raw: Object) -> None:
        pod = self._seen.pop(raw["metadata"]["uid"], None)
        self._pods.forget(raw["metadata"]["uid"])
        if pod is not None:
            self._queue.remove(pod.uid)
            self._tell(self._cache.drop_pod(pod))

    def _is_ours(self, pod: Pod) -> bool:
        return (
            not pod.spec.node_name
            and pod.spec.scheduler_name in self._config.names
            and not pod.spec.scheduling_gates
            and pod.metadata.deletion_timestamp is None
            and not is_terminal(pod)
            and not self._cache.is_assumed(pod.uid)
        )

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._queue.changed(change, now=self._clock.steady())
            self._work.set()

    async def _schedule(self) -> None:
        while True:
            entry = self._queue.pop(now=self._clock.steady())
            if entry is None:
                await self._wait()
                continue
            try:
                await self._attempt(entry)
            except ApiError as error:
                self._log.warning("cycle broke", pod=entry.pod.key, error=error.message)
                self._queue.rejected(entry, entry.pod, frozenset(), now=self._clock.steady())

    async def _wait(self) -> None:
        """Until something changes or a backoff ends."""
        self._work.clear()
        wake = self._queue.next_wake()
        if wake is None:
            await self._work.wait()
            return
        waits = {
            asyncio.create_task(self._work.wait()),
            asyncio.create_task(self._clock.sleep(wake - self._clock.steady())),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _attempt(self, entry: Entry) -> None:
        pod = entry.pod
        raw = self._current(pod)
        if raw is None:
            self._queue.done(entry)
            return
        snapshot = self._cache.snapshot()
        nodes = {name: self._cache.raw_node(name) for name in snapshot.nodes}
        outcome = await self._cycle.attempt(pod, _without_type(raw), snapshot, nodes)
        match outcome:
            case Placed(node):
                self._assume(entry, raw, node)
            case Unplaced():
                await self._report(entry, raw, unscheduled(outcome))
                await self._evict(raw, outcome)
            case Broken(message):
                await self._report(entry, raw, Report(reason="SchedulerError", message=message))
        await asyncio.sleep(0)

    def _current(self, pod: Pod) -> Object | None:
        """The pod as the API server has it; None where it is gone, replaced or bound meanwhile."""
        try:
            raw = self._api.get("pods", pod.metadata.namespace, pod.metadata.name)
        except ApiError:
            return None
        bound = bool(raw["spec"].get("nodeName"))
        return None if bound or raw["metadata"]["uid"] != pod.uid else raw

    def _assume(self, entry: Entry, raw: Object, node: str) -> None:
        """Count the pod on the node and bind it beside the next cycle, unless it went meanwhile."""
        pod = entry.pod
        if self._current(pod) is None:
            self._queue.done(entry)
            return
        spec = msgspec.structs.replace(pod.spec, node_name=node)
        self._cache.assume(pod, msgspec.structs.replace(pod, spec=spec))
        self._queue.done(entry)
        task = asyncio.create_task(self._bind(entry, raw, node))
        self._bindings.add(task)
        task.add_done_callback(self._bindings.discard)

    async def _bind(self, entry: Entry, raw: Object, node: str) -> None:
        pod = entry.pod
        namespace, name = pod.metadata.namespace, pod.metadata.name
        try:
            await self._api.bind(namespace, name, node, uid=pod.uid)
        except ApiError as error:
            self._tell(self._cache.forget(pod.uid))
            if self._current(pod) is not None:
                await self._report(entry, raw, Report(reason="SchedulerError", message=error.message))
                self._work.set()
            return
        message = f"Successfully assigned {namespace}/{name} to {node}"
        await self._recorder.record(_typed(raw), reason="Scheduled", message=message)

    async def _report(self, entry: Entry, raw: Object, report: Report) -> None:
        """Put the pod back into the queue, and say why it is there."""
        now = self._clock.steady()
        latest = self._current(entry.pod)
        if latest is None:
            self._queue.done(entry)
            return
        self._queue.rejected(entry, self._pods(latest), report.rejectors, now=now)
        await self._recorder.record(
            _typed(raw), reason="FailedScheduling", message=explain.shortened(report.message), warning=True
        )
        patch = condition_patch(self._pods(latest), report, now=self._clock.now())
        if patch is not None:
            await self._patch_status(latest, patch)

    async def _evict(self, raw: Object, outcome: Unplaced) -> None:
        """Carry out a preemption: lower nominations on the node are lifted, victims deleted gracefully."""
        if not outcome.victims:
            return
        preemptor = self._pods(raw)
        for other in self._cache.snapshot().nominated.get(outcome.nominated or "", ()):
            if priority_of(other) < priority_of(preemptor):
                await self._lift_nomination(other)
        for victim in outcome.victims:
            await self._preempt(victim, by=preemptor, node=outcome.nominated or "")

    async def _lift_nomination(self, pod: Pod) -> None:
        raw = self._current(pod)
        if raw is not None:
            await self._patch_status(raw, {"nominatedNodeName": ""})

    async def _preempt(self, victim: Pod, *, by: Pod, node: str) -> None:
        namespace, name = victim.metadata.namespace, victim.metadata.name
        reason = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": preemption.PREEMPTED,
            "message": f"{by.spec.scheduler_name}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
        try:
            raw = self._api.get("pods", namespace, name)
            await self._patch_status(raw, {"conditions": [reason]})
            await self._api.delete("pods", namespace, name, uid=victim.uid)
        except ApiError as error:
            self._log.info("victim not deleted", pod=victim.key, error=error.message)
            return
        message = f"Preempted by pod {by.uid} on node {node}"
        await self._recorder.record(_typed(raw), reason="Preempted", message=message)

    async def _patch_status(self, raw: Object, status: Mapping[str, Any]) -> None:
        metadata = raw["metadata"]
        patch = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            await self._api.patch(
                "pods", metadata["namespace"], metadata["name"], patch, kind="strategic", subresource="status"
            )
        except ApiError as error:
            self._log.info("pod status not written", pod=metadata["name"], error=error.message)


def _without_type(raw: Object) -> Object:
    """As Go encodes a pod from a watch: without apiVersion and kind."""
    return {key: value for key, value in raw.items() if key not in {"apiVersion", "kind"}}


def _typed(raw: Object) -> Object:
    return {**raw, "apiVersion": "v1", "kind": "Pod"}
