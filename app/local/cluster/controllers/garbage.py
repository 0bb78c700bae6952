"""The garbage collector's shell: deletes in the background what belonged to an object that is gone."""

import asyncio
from collections import defaultdict
from typing import assert_never

from app.local.cluster.apiserver.api import Api, Object
from app.local.cluster.apiserver.resources import BY_KIND, RESOURCES
from app.local.cluster.controllers.ownership import Collect, Keep, Release, verdict
from app.local.cluster.controllers.reading import found
from app.local.cluster.controllers.watching import changes, key_of
from app.local.cluster.controllers.workqueue import WorkQueue, split
from app.ports.clock import Clock

_WATCHED = tuple(
    dict.fromkeys(each.plural for each in RESOURCES if not each.review and each.plural != "events")
)


class GarbageCollector:
    """Watches every resource; a key is `resource:namespace/name`."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._queue = WorkQueue("garbage-collector", clock=clock)
        self._dependents: defaultdict[str, set[str]] = defaultdict(set)

    async def run(self) -> None:
        """Collect until cancelled."""
        async with asyncio.TaskGroup() as group:
            for resource in _WATCHED:
                group.create_task(self._watch(resource))
            group.create_task(self._queue.work(self.reconcile))

    async def reconcile(self, key: str) -> float | None:
        """One look at one dependent."""
        resource, _, path = key.partition(":")
        namespace, name = split(path)
        raw = found(self._api, resource, namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            return None
        references = raw["metadata"].get("ownerReferences") or []
        absent = {each["uid"] for each in references if not self._may_exist(each, namespace)}
        decided = verdict(references, absent=absent)
        match decided:
            case Keep():
                pass
            case Release(left):
                patch = {
                    "metadata": {
                        "resourceVersion": raw["metadata"]["resourceVersion"],
                        "ownerReferences": list(left),
                    }
                }
                await self._api.patch(resource, namespace, name, patch, kind="merge")
            case Collect():
                await self._api.delete(
                    resource, namespace, name, uid=raw["metadata"]["uid"], propagation="Background"
                )
            case _:
                assert_never(decided)
        return None

    def _may_exist(self, reference: Object, namespace: str) -> bool:
        """Whether the owner is there; of a kind that this cluster does not serve nobody knows."""
        group, _, _ = reference["apiVersion"].rpartition("/")
        resource = BY_KIND.get((group, reference["kind"]))
        if resource is None:
            return True
        owner = found(self._api, resource.plural, namespace if resource.namespaced else "", reference["name"])
        return owner is not None and owner["metadata"]["uid"] == reference["uid"]

    async def _watch(self, resource: str) -> None:
        async for event in changes(self._api, resource, clock=self._clock):
            key = f"{resource}:{key_of(event.object)}"
            references = event.object["metadata"].get("ownerReferences") or ()
            if event.type == "DELETED":
                self._lose(key, event.object)
                continue
            for reference in references:
                self._dependents[reference["uid"]].add(key)
            if event.type == "ADDED" and references:
                self._queue.add(key)

    def _lose(self, key: str, last: Object) -> None:
        for reference in last["metadata"].get("ownerReferences") or ():
            self._dependents[reference["uid"]].discard(key)
        for dependent in self._dependents.pop(last["metadata"]["uid"], ()):
            self._queue.add(dependent)
