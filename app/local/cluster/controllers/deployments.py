"""The Deployment controller's shell: ReplicaSets by template, one step of the rollout at a time."""

import asyncio
from collections.abc import Sequence

import msgspec

from app.local.cluster.apiserver.api import Api, Object
from app.local.cluster.controllers import rollout, rollout_status
from app.local.cluster.controllers.objects import Deployment, ReplicaSet, is_owned_by, owner_reference
from app.local.cluster.controllers.reading import Decoder, found, wire
from app.local.cluster.controllers.recorder import Recorder
from app.local.cluster.controllers.watching import changes, controller_key, key_of
from app.local.cluster.controllers.workqueue import WorkQueue, split
from app.model.meta import ObjectMeta
from app.model.pod import TERMINAL_PHASES
from app.ports.clock import Clock


class Deployments:
    """Rolls out Deployments."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._queue = WorkQueue("deployment", clock=clock)
        self._recorder = Recorder(api, component="deployment-controller", clock=clock)
        self._sets = Decoder(ReplicaSet)
        self._deployments = Decoder(Deployment)

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_deployments())
            group.create_task(self._watch_sets())
            group.create_task(self._watch_pods())
            group.create_task(self._queue.work(self.reconcile))

    async def reconcile(self, key: str) -> float | None:
        """One round for one Deployment; when to look again."""
        namespace, name = split(key)
        raw = found(self._api, "deployments", namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            return None
        deployment = self._deployments(raw)
        owned = self._owned(deployment)
        new = rollout.current(deployment, owned)
        if new is None and not deployment.spec.paused:
            await self._create(deployment, owned)
            owned = self._owned(deployment)
            new = rollout.current(deployment, owned)
        old = [each for each in owned if new is None or each.metadata.uid != new.metadata.uid]
        await self._keep_revision(deployment, new, old)
        sizes = rollout.scaled(deployment, new, old, old_pods=self._has_pods(old))
        for each in owned:
            if each.metadata.name in sizes:
                await self._resize(raw, each, sizes[each.metadata.name])
        for each in rollout.outdated(deployment, old):
            await self._api.delete("replicasets", namespace, each.metadata.name, uid=each.metadata.uid)
        return await self._report(deployment)

    def _owned(self, deployment: Deployment) -> list[ReplicaSet]:
        sets = (self._sets(each) for each in self._api.list("replicasets", deployment.metadata.namespace))
        return [each for each in sets if is_owned_by(each.metadata, deployment.metadata.uid)]

    def _has_pods(self, sets: Sequence[ReplicaSet]) -> bool:
        """Whether a pod of these ReplicaSets is not over yet."""
        uids = {each.metadata.uid for each in sets}
        return any(
            owner["uid"] in uids
            for pod in (self._api.list("pods", sets[0].metadata.namespace) if sets else ())
            if pod["status"].get("phase") not in TERMINAL_PHASES
            for owner in pod["metadata"].get("ownerReferences") or ()
        )

    async def _create(self, deployment: Deployment, owned: Sequence[ReplicaSet]) -> None:
        """A ReplicaSet for the template, empty: the next step of the rollout sizes it."""
        spec = deployment.spec
        label = {rollout.HASH_LABEL: rollout.template_hash(spec.template)}
        metadata = spec.template.get("metadata") or {}
        labels = {**(metadata.get("labels") or {}), **label}
        selector = spec.selector or {}
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{deployment.metadata.name}-{label[rollout.HASH_LABEL]}",
                "labels": labels,
                "annotations": {rollout.REVISION: str(rollout.next_revision(owned))},
                "ownerReferences": [owner_reference("Deployment", deployment.metadata)],
            },
            "spec": {
                "replicas": 0,
                "minReadySeconds": spec.min_ready_seconds,
                "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **label}},
                "template": {**spec.template, "metadata": {**metadata, "labels": labels}},
            },
        }
        await self._api.create("replicasets", deployment.metadata.namespace, body)

    async def _keep_revision(
        self, deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet]
    ) -> None:
        """A template that came back (rollout undo) is the newest revision again."""
        if new is None:
            return
        number = max(rollout.revision(new), rollout.next_revision(old))
        await self._annotate("replicasets", new.metadata, number)
        await self._annotate("deployments", deployment.metadata, number)

    async def _annotate(self, resource: str, metadata: ObjectMeta, number: int) -> None:
        if metadata.annotations.get(rollout.REVISION) != str(number):
            patch = {"metadata": {"annotations": {rollout.REVISION: str(number)}}}
            await self._api.patch(resource, metadata.namespace, metadata.name, patch, kind="merge")

    async def _resize(self, raw: Object, replica_set: ReplicaSet, size: int) -> None:
        metadata = replica_set.metadata
        before = replica_set.spec.replicas
        patch = {"spec": {"replicas": size}}
        await self._api.patch("replicasets", metadata.namespace, metadata.name, patch, kind="merge")
        direction = "up" if size > before else "down"
        message = f"Scaled {direction} replica set {metadata.name} from {before} to {size}"
        await self._recorder.record(raw, reason="ScalingReplicaSet", message=message)

    async def _report(self, deployment: Deployment) -> float | None:
        """Write the status where it changed; when the rollout would count as stuck."""
        metadata = deployment.metadata
        owned = self._owned(deployment)
        now = self._clock.now().replace(microsecond=0)
        latest = rollout_status.status(deployment, rollout.current(deployment, owned), owned, now=now)
        if latest != deployment.status:
            patch = {"status": wire(latest)}
            await self._api.patch(
                "deployments", metadata.namespace, metadata.name, patch, kind="merge", subresource="status"
            )
        limit = rollout_status.deadline(msgspec.structs.replace(deployment, status=latest))
        return None if limit is None else max(1.0, (limit - now).total_seconds())

    async def _watch_deployments(self) -> None:
        async for event in changes(self._api, "deployments", clock=self._clock):
            self._queue.add(key_of(event.object))
            if event.type == "DELETED":
                self._deployments.forget(event.object["metadata"]["uid"])

    async def _watch_sets(self) -> None:
        async for event in changes(self._api, "replicasets", clock=self._clock):
            key = controller_key(event.object, "Deployment")
            if key is not None:
                self._queue.add(key)
            if event.type == "DELETED":
                self._sets.forget(event.object["metadata"]["uid"])

    async def _watch_pods(self) -> None:
        """A Recreate rollout goes on when the last old pod is gone."""
        async for event in changes(self._api, "pods", clock=self._clock):
            owner = controller_key(event.object, "ReplicaSet") if event.type == "DELETED" else None
            replica_set = found(self._api, "replicasets", *split(owner)) if owner is not None else None
            key = controller_key(replica_set, "Deployment") if replica_set is not None else None
            if key is not None:
                self._queue.add(key)
