"""Deleting objects: grace periods of pods, finalizers, preconditions and the end of namespaces.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import BY_PLURAL, Resource
from app.local.cluster.apiserver.store import Key, Store
from app.model.times import rfc3339
from app.ports.clock import Clock

Propagation = Literal["", "Foreground", "Background", "Orphan"]
_TERMINAL: Final = frozenset({"Succeeded", "Failed"})


class DeleteOptions(msgspec.Struct, kw_only=True, frozen=True):
    """The part of metav1.DeleteOptions that we heed. "Foreground" is carried out as "Background"."""

    grace_seconds: int | None = None
    uid: str = ""
    resource_version: str = ""
    propagation: Propagation = ""
    dry_run: bool = False


class Deletion:
    """The delete path of one API server."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def delete(self, resource: Resource, key: Key, options: DeleteOptions) -> tuple[Object, bool]:
        """Delete, or begin to; the last (or terminating) object, and whether it is gone now.

        Raises:
            ApiError: 404; 409 where a precondition does not hold.
        """
        before = self._store.get(resource.storage, key)
        if before is None:
            raise errors.not_found(resource.qualified, key[1])
        match_preconditions(resource, before, options)
        if options.dry_run:
            return before, not before["metadata"].get("finalizers")
        if options.propagation == "Orphan":
            self._orphan(before["metadata"]["uid"])
        if resource.plural == "namespaces":
            return self._end_namespace(resource, key, before)
        grace = _grace(resource, before, options)
        after = _terminating(before, grace, now=self._clock.now())
        due = self.is_due(resource, after)
        if after is not before and (resource.plural == "pods" or not due):
            # A pod's watchers see it terminating before they see it gone, however short its grace.
            after = self._store.put(resource.storage, key, after)
        return (self.finish(resource, key, after), True) if due else (after, False)

    def is_due(self, resource: Resource, obj: Object) -> bool:
        """Whether nothing keeps a terminating object any more."""
        metadata = obj["metadata"]
        if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
            return False
        if resource.plural == "namespaces":
            return self._is_empty(metadata["name"])
        return bool(metadata.get("deletionGracePeriodSeconds", 0) == 0)

    def finish(self, resource: Resource, key: Key, last: Object) -> Object:
        """Remove the object, and its namespace where that was only waiting for it."""
        gone = self._store.remove(resource.storage, key, last)
        owner = self._store.get("namespaces", ("", key[0])) if key[0] else None
        if owner is not None and self.is_due(BY_PLURAL["namespaces"], owner):
            self._store.remove("namespaces", ("", key[0]), owner)
        return gone

    def _end_namespace(self, resource: Resource, key: Key, before: Object) -> tuple[Object, bool]:
        after = _terminating(before, 0, now=self._clock.now())
        metadata = {
            name: value for name, value in after["metadata"].items() if name != "deletionGracePeriodSeconds"
        }
        after = after | {"metadata": metadata, "status": before["status"] | {"phase": "Terminating"}}
        after = self._store.put(resource.storage, key, after)
        for plural, each in BY_PLURAL.items():
            for obj in self._store.list(plural, key[1]) if each.namespaced else []:
                self.delete(each, (key[1], obj["metadata"]["name"]), DeleteOptions())
        current = self._store.get(resource.storage, key)
        if current is not None and self.is_due(resource, current):
            self._store.remove(resource.storage, key, current)
            return after, False
        return after, False

    def _is_empty(self, namespace: str) -> bool:
        return not any(
            self._store.list(plural, namespace) for plural, each in BY_PLURAL.items() if each.namespaced
        )

    def _orphan(self, uid: str) -> None:
        for plural in BY_PLURAL:
            for obj in self._store.list(plural):
                owners = obj["metadata"].get("ownerReferences", [])
                kept = [each for each in owners if each.get("uid") != uid]
                if len(kept) < len(owners):
                    metadata = obj["metadata"] | {"ownerReferences": kept}
                    key = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
                    self._store.put(plural, key, obj | {"metadata": metadata})


def _grace(resource: Resource, obj: Object, options: DeleteOptions) -> int | None:
    """Seconds until the object may go; None leaves a termination that runs already as it is."""
    if resource.plural != "pods":
        return 0
    if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in _TERMINAL:
        return 0
    if options.grace_seconds is not None:
        return max(options.grace_seconds, 0)
    if "deletionTimestamp" in obj["metadata"]:
        return None
    seconds: int = obj["spec"].get("terminationGracePeriodSeconds", 30)
    return seconds


def _terminating(obj: Object, grace: int | None, *, now: datetime) -> Object:
    """`obj` with its deletion under way; a grace period may only become shorter."""
    metadata = obj["metadata"]
    running = metadata.get("deletionGracePeriodSeconds", 0) if "deletionTimestamp" in metadata else None
    if running is not None and (grace is None or grace >= running):
        return obj
    grace = grace or 0
    due = now + timedelta(seconds=grace)
    if running is not None:
        due = min(due, _parsed(metadata["deletionTimestamp"]) + timedelta(seconds=grace - running))
    marks = {"deletionTimestamp": rfc3339(due), "deletionGracePeriodSeconds": grace}
    if running is None and "generation" in metadata:
        marks["generation"] = metadata["generation"] + 1
    return obj | {"metadata": metadata | marks}


def match_preconditions(resource: Resource, obj: Object, options: DeleteOptions) -> None:
    """The options' uid and version against the object. Raises ApiError 409."""
    metadata = obj["metadata"]
    if options.uid not in {"", metadata["uid"]}:
        raise errors.conflict(
            resource.kind,
            metadata["name"],
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({metadata['uid']}). The object might have been deleted and then recreated",
        )
    if options.resource_version not in {"", metadata["resourceVersion"]}:
        raise errors.conflict(
            resource.kind,
            metadata["name"],
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({metadata['resourceVersion']}). The object might have been modified",
        )


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)
