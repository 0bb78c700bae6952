"""Watches over HTTP: selections, bookmarks, timeouts and versions that are too old.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.http_responses import View, error_event
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.selectors import Predicate
from app.local.cluster.apiserver.store import Change, Log, Store
from app.ports.clock import Clock

BOOKMARK_SECONDS: Final = 30.0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects of a resource a watch is about."""

    plural: str
    namespace: str = ""
    selected: Predicate | None = None

    def has(self, obj: Object | None) -> bool:
        """Whether the object belongs to the selection."""
        if obj is None or (self.namespace and obj["metadata"].get("namespace") != self.namespace):
            return False
        return self.selected is None or self.selected(obj)


class Watch:
    """One watch request's stream of lines."""

    def __init__(
        self,
        store: Store,
        selection: Selection,
        *,
        clock: Clock,
        view: View,
        seconds: float,
        bookmarks: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._selection = selection
        self._view = view
        self._seconds = seconds
        self._bookmarks = bookmarks
        self._first = True

    async def lines(self, since: int | None) -> AsyncIterator[bytes]:
        """The events after version `since`; None: first an ADDED for every current object.

        Ends after the time asked for. A version that is no longer kept is an ERROR event with code 410.
        """
        log = self._store.log(self._selection.plural)
        try:
            position = log.end if since is None else log.position(since)
            for line in self._current() if since is None else []:
                yield line
            ends = self._clock.steady() + self._seconds
            while not log.closed:
                changes = log.read(position)
                position += len(changes)
                for seen in filter(None, map(self._line, changes)):
                    yield seen
                if not await self._grown(log, position, ends):
                    break
                if self._bookmarks and log.end == position:
                    yield self._view.bookmark(self._store.version)
            if self._bookmarks:
                yield self._view.bookmark(self._store.version)
        except ApiError as error:
            yield error_event(error)

    async def _grown(self, log: Log, position: int, ends: float) -> bool:
        """Wait for more, or for the time of a bookmark; False where the watch is over."""
        left = ends - self._clock.steady()
        if left <= 0:
            return False
        growth = asyncio.create_task(log.grown(position))
        alarm = asyncio.create_task(self._clock.sleep(min(left, BOOKMARK_SECONDS)))
        try:
            await asyncio.wait((growth, alarm), return_when=asyncio.FIRST_COMPLETED)
            return growth.done() or left > BOOKMARK_SECONDS
        finally:
            growth.cancel()
            alarm.cancel()

    def _current(self) -> list[bytes]:
        objects = self._store.list(self._selection.plural, self._selection.namespace)
        return [self._event("ADDED", obj, None) for obj in objects if self._selection.has(obj)]

    def _line(self, change: Change) -> bytes | None:
        """What the watcher sees: objects enter and leave a selection as ADDED and DELETED."""
        before = self._selection.has(change.previous)
        after = change.type != "DELETED" and self._selection.has(change.object)
        if not before and not after:
            return None
        if after:
            return self._event("MODIFIED" if before else "ADDED", change.object, change)
        if change.type == "DELETED" or change.previous is None:
            return self._event("DELETED", change.object, change)
        metadata = change.previous["metadata"] | {"resourceVersion": str(change.version)}
        return self._event("DELETED", change.previous | {"metadata": metadata}, change)

    def _event(self, kind: str, obj: Object, change: Change | None) -> bytes:
        line = self._view.event(kind, obj, change, first=self._first)
        self._first = False
        return line
