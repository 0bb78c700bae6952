"""The ReplicaSet controller's shell: as many pods as `spec.replicas`, and the status."""

import asyncio

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.local.cluster.controllers.objects import (
    ReplicaSet,
    is_owned_by,
    owner_reference,
    pod_from,
)
from app.local.cluster.controllers.reading import Decoder, found, wire
from app.local.cluster.controllers.recorder import Recorder
from app.local.cluster.controllers.replicas import active, next_available, plan, status
from app.local.cluster.controllers.watching import changes, controller_key, key_of
from app.local.cluster.controllers.workqueue import WorkQueue, split
from app.model.pod import Pod
from app.ports.clock import Clock

_WORKERS = 4
_GATHER = 0.02
"""Seconds in which changes of pods are gathered: each round looks at all of them."""


class ReplicaSets:
    """Creates and deletes the pods of ReplicaSets."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._queue = WorkQueue("replicaset", clock=clock)
        self._recorder = Recorder(api, component="replicaset-controller", clock=clock)
        self._pods = Decoder(Pod)
        self._sets = Decoder(ReplicaSet)

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_sets())
            group.create_task(self._watch_pods())
            for _ in range(_WORKERS):
                group.create_task(self._queue.work(self.reconcile))

    async def reconcile(self, key: str) -> float | None:
        """One round for one ReplicaSet; when to look again."""
        namespace, name = split(key)
        raw = found(self._api, "replicasets", namespace, name)
        if raw is None:
            return None
        replica_set = self._sets(raw)
        owned = self._owned(replica_set)
        failure: ApiError | None = None
        if replica_set.metadata.deletion_timestamp is None and replica_set.spec.replicas != len(owned):
            failure = await self._scale(raw, replica_set, owned)
            owned = self._owned(replica_set)
        await self._report(raw, replica_set, owned)
        if failure is not None:
            raise failure
        seconds = replica_set.spec.min_ready_seconds
        return next_available(owned, min_ready_seconds=seconds, now=self._clock.now())

    def _owned(self, replica_set: ReplicaSet) -> tuple[Pod, ...]:
        """Its active pods, by a consistent read."""
        return active(self._pods_of({str(replica_set.metadata.uid)}, replica_set.metadata.namespace))

    def _pods_of(self, owners: set[str], namespace: str) -> list[Pod]:
        return [
            self._pods(raw)
            for raw in self._api.list("pods", namespace)
            if any(
                owner.get("controller") and owner["uid"] in owners
                for owner in raw["metadata"].get("ownerReferences") or ()
            )
        ]

    async def _scale(self, raw: Object, replica_set: ReplicaSet, owned: tuple[Pod, ...]) -> ApiError | None:
        step = plan(
            owned,
            wanted=replica_set.spec.replicas,
            related=active(self._pods_of(self._siblings(replica_set), replica_set.metadata.namespace)),
            now=self._clock.now(),
        )
        outcomes = await asyncio.gather(*(self._delete(raw, pod) for pod in step.delete))
        return await self._create(raw, replica_set, step.create) or next(filter(None, outcomes), None)

    async def _create(self, raw: Object, replica_set: ReplicaSet, count: int) -> ApiError | None:
        """In batches that double while all goes well, so that a refusal is met once and not 500 times."""
        body = pod_from(
            replica_set.spec.template,
            prefix=replica_set.metadata.name,
            owner=owner_reference("ReplicaSet", replica_set.metadata),
        )
        batch = 1
        while count > 0:
            size = min(batch, count)
            outcomes = await asyncio.gather(*(self._create_one(raw, body) for _ in range(size)))
            failure = next(filter(None, outcomes), None)
            if failure is not None:
                return failure
            count -= size
            batch *= 2
        return None

    async def _create_one(self, raw: Object, body: Object) -> ApiError | None:
        try:
            pod = await self._api.create("pods", raw["metadata"]["namespace"], body)
        except ApiError as error:
            message = f"Error creating: {error.message}"
            await self._recorder.record(raw, reason="FailedCreate", message=message, warning=True)
            return error
        message = f"Created pod: {pod['metadata']['name']}"
        await self._recorder.record(raw, reason="SuccessfulCreate", message=message)
        return None

    async def _delete(self, raw: Object, pod: Pod) -> ApiError | None:
        try:
            await self._api.delete("pods", pod.metadata.namespace, pod.metadata.name, uid=pod.uid)
        except ApiError as error:
            return error
        message = f"Deleted pod: {pod.metadata.name}"
        await self._recorder.record(raw, reason="SuccessfulDelete", message=message)
        return None

    async def _report(self, raw: Object, replica_set: ReplicaSet, owned: tuple[Pod, ...]) -> None:
        namespace, name = raw["metadata"]["namespace"], raw["metadata"]["name"]
        latest = status(replica_set, owned, now=self._clock.now())
        if latest != replica_set.status:
            patch = {"status": wire(latest)}
            await self._api.patch("replicasets", namespace, name, patch, kind="merge", subresource="status")

    def _siblings(self, replica_set: ReplicaSet) -> set[str]:
        """The uids of every ReplicaSet that the same Deployment made, its own included."""
        owners = {owner.uid for owner in replica_set.metadata.owner_references if owner.controller}
        sets = [self._sets(each) for each in self._api.list("replicasets", replica_set.metadata.namespace)]
        return {str(replica_set.metadata.uid)} | {
            str(each.metadata.uid)
            for each in sets
            if any(is_owned_by(each.metadata, owner) for owner in owners)
        }

    async def _watch_sets(self) -> None:
        async for event in changes(self._api, "replicasets", clock=self._clock):
            self._queue.add(key_of(event.object))
            if event.type == "DELETED":
                self._sets.forget(event.object["metadata"]["uid"])

    async def _watch_pods(self) -> None:
        async for event in changes(self._api, "pods", clock=self._clock):
            key = controller_key(event.object, "ReplicaSet")
            if key is not None:
                self._queue.add_after(key, _GATHER)
            if event.type == "DELETED":
                self._pods.forget(event.object["metadata"]["uid"])
