"""The objects of the embedded cluster, one version counter for all of them, and a bounded history to watch.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal

from app.local.cluster.apiserver.errors import expired
from app.local.cluster.apiserver.objects import Object

Key = tuple[str, str]
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]
HISTORY: Final = 4096


class Change:
    """One write: the object after it, the one before it, and each encoding of it that a watcher asked for."""

    __slots__ = ("encoded", "object", "previous", "type", "version")

    def __init__(self, kind: ChangeType, obj: Object, previous: Object | None, version: int) -> None:
        self.type: ChangeType = kind
        self.object = obj
        self.previous = previous
        self.version = version
        self.encoded: dict[str, bytes] = {}


class Log:
    """The last changes of one resource, oldest first; watchers hold a position and wait for more."""

    def __init__(self, keep: int) -> None:
        self._changes: deque[Change] = deque(maxlen=keep)
        self._dropped = 0
        self.oldest = 0
        self.closed = False
        self._more = asyncio.Event()

    def close(self) -> None:
        """Let every watcher go: the cluster stops."""
        self.closed = True
        self._more.set()

    def append(self, change: Change) -> None:
        """Remember a change and wake every watcher."""
        if len(self._changes) == self._changes.maxlen:
            self._dropped += 1
            self.oldest = self._changes[0].version
        self._changes.append(change)
        self._more.set()
        self._more = asyncio.Event()

    def position(self, since: int) -> int:
        """Where the changes after version `since` begin. Raises ApiError 410 where some are gone."""
        if since < self.oldest:
            raise expired(since, self.oldest)
        newer = 0
        for change in reversed(self._changes):
            if change.version <= since:
                break
            newer += 1
        return self.end - newer

    @property
    def end(self) -> int:
        """The position after the last change."""
        return self._dropped + len(self._changes)

    def read(self, position: int) -> Sequence[Change]:
        """The changes from `position` on. Raises ApiError 410 where the watcher was too slow."""
        if position < self._dropped:
            raise expired(position, self.oldest)
        return list(islice(self._changes, position - self._dropped, None))

    async def grown(self, position: int) -> None:
        """Wait until there is something at `position`, or the log is closed."""
        while self.end <= position and not self.closed:
            await self._more.wait()


class Store:
    """Objects by resource. Stored objects are never changed in place: every write replaces the dict."""

    def __init__(self, *, keep: int = HISTORY) -> None:
        self.version = 1
        self._objects: defaultdict[str, dict[Key, Object]] = defaultdict(dict)
        self._logs: defaultdict[str, Log] = defaultdict(lambda: Log(keep))

    def get(self, resource: str, key: Key) -> Object | None:
        """The object, or None."""
        return self._objects[resource].get(key)

    def list(self, resource: str, namespace: str = "") -> list[Object]:
        """All objects, of one namespace where given, in order of (namespace, name)."""
        found = self._objects[resource]
        keys = sorted(found) if not namespace else sorted(key for key in found if key[0] == namespace)
        return [found[key] for key in keys]

    def log(self, resource: str) -> Log:
        """The history of a resource."""
        return self._logs[resource]

    def put(self, resource: str, key: Key, obj: Object) -> Object:
        """Store `obj` (its metadata is stamped with the new version) and tell the watchers."""
        previous = self._objects[resource].get(key)
        stamped = self._stamp(obj)
        self._objects[resource][key] = stamped
        kind: ChangeType = "ADDED" if previous is None else "MODIFIED"
        self._logs[resource].append(Change(kind, stamped, previous, self.version))
        return stamped

    def remove(self, resource: str, key: Key, last: Object) -> Object:
        """Remove the object; watchers see `last`, stamped with the version of the deletion."""
        previous = self._objects[resource].pop(key)
        stamped = self._stamp(last)
        self._logs[resource].append(Change("DELETED", stamped, previous, self.version))
        return stamped

    def close(self) -> None:
        """End every watch."""
        for log in self._logs.values():
            log.close()

    def _stamp(self, obj: Object) -> Object:
        self.version += 1
        return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self.version)}}
