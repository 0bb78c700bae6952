"""A cache of one kind of object, kept current by list and watch (`app.ports.watched.Watched`).

List everything, watch from the list's resource version, and after a broken watch go on from the last version
seen. Only where the server no longer has the changes since then (410) is everything listed again; the
difference, ends included, goes to the listeners.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Generic, assert_never

from app.kube.answers import Expired
from app.kube.changes import Change, changes, key_of, listing_changes
from app.kube.listing import complete, current_version, whole
from app.kube.metrics import WatchMetrics
from app.kube.transport import Transport
from app.kube.watch_events import Broken, Drop, LineReader, Mark, Put, Relist, Skip, W
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Unavailable
from app.ports.watched import Listener
from app.telemetry import logs
from app.timing import backoff
from app.timing.waiting import cancelled

_log = logs.get(__name__)

WATCH_SECONDS: Final = 60
"""The server ends a watch after one to two times this, spread so that not all come back at once."""

QUIET_SECONDS: Final = 150.0
"""A watch that says nothing for so long is dead: a living server would have ended it by now.

Bookmarks are no proof of life. While nothing of a kind changes, an API server may send none for hours.
"""

SHORT_SECONDS: Final = 1.0
"""A watch that ends sooner did not really start; going on without a pause would spin."""


LONGEST_PAUSE: Final = 10.0
"""Seconds between two tries while the server is down; there are few of us."""


class Reflector(Generic[W]):
    """One kind of object, or a selection of it. `run` keeps it current until cancelled."""

    def __init__(  # noqa: PLR0913  (a selection and its surroundings, each by name)
        self,
        connection: Transport,
        *,
        path: str,
        decode: type[W],
        clock: Clock,
        jitter: Callable[[], float],
        metrics: WatchMetrics,
        field_selector: str = "",
        keep: Callable[[W], W] = whole,
    ) -> None:
        """Nothing is asked before `run`.

        Args:
            connection: the API server.
            path: the collection, as `app.kube.paths.PODS`.
            decode: the type of its objects.
            clock: time.
            jitter: 0..1, evenly spread.
            metrics: counts what goes wrong.
            field_selector: as `spec.nodeName=fargate-1a`.
            keep: what is kept of an object: the whole of it, or a smaller one with the same metadata as far
                as name, namespace, uid and resource version go. Listeners hear of nothing more.
        """
        self._connection = connection
        self._path = path
        self._query = {"fieldSelector": field_selector} if field_selector else {}
        self._clock = clock
        self._jitter = jitter
        self._kind = decode
        self._keep = keep
        self._lines = LineReader(decode)
        self._objects: dict[str, W] = {}
        self._all: tuple[W, ...] | None = None
        self._listeners: list[Listener[W]] = []
        self._synced = asyncio.Event()
        self._version = ""
        self._failures = 0
        self._worked = False
        self._heard = 0.0
        self._metrics = metrics

    def get(self, key: str) -> W | None:
        """The object as last seen, or None."""
        return self._objects.get(key)

    def all(self) -> tuple[W, ...]:
        """Every object as last seen."""
        if self._all is None:
            self._all = tuple(self._objects.values())
        return self._all

    def on_change(self, listener: Listener[W]) -> None:
        """Call `listener` for every later change; one that raises is logged and kept."""
        self._listeners.append(listener)

    async def synced(self) -> None:
        """Return once the first complete listing is in the cache."""
        await self._synced.wait()

    async def run(self) -> None:
        """Keep the cache current until cancelled; survives every failure of the far side."""
        while True:
            self._worked = False
            try:
                await self._follow()
            except PortFailure as error:
                pause = self._pause_after(error)
                _log.warning("watch broke", path=self._path, error=str(error), again_in=round(pause, 1))
                await self._clock.sleep(pause)
            else:
                self._failures = 0

    def _pause_after(self, error: PortFailure) -> float:
        """Forget the version where the server did, and count the failure."""
        if isinstance(error, Expired):
            self._version = ""
        self._failures = 1 if self._worked else self._failures + 1
        self._metrics.failures.labels(self._path).inc()
        return backoff.delay(self._failures, first=1.0, longest=LONGEST_PAUSE, jitter=self._jitter())

    async def _follow(self) -> None:
        """Watch until the server ends the watch in good order; list first where there is no way around it."""
        if self._version:
            await self._check_history()
        if self._version:
            try:
                return await self._watch()
            except Expired as error:
                _log.info("listing anew", path=self._path, reason=str(error))
        await self._list()
        return await self._watch()

    async def _check_history(self) -> None:
        """List anew where the server is behind us: restored from a backup, or started empty.

        Such a server accepts a watch from the future and then stays silent.
        """
        now = await current_version(self._connection, self._path, query=self._query)
        if now.isdecimal() and self._version.isdecimal() and int(now) < int(self._version):
            _log.warning("the API server went back in time", path=self._path, now=now, was=self._version)
            self._version = ""

    async def _list(self) -> None:
        found = await complete(
            self._connection, self._path, query=self._query, kind=self._kind, keep=self._keep
        )
        for key in sorted(found.unreadable):
            self._skipped(f"{key} cannot be read")
        kept = {key: old for key in found.unreadable if (old := self._objects.get(key)) is not None}
        before, self._objects = self._objects, kept | {key_of(each): each for each in found.values}
        self._version = found.version
        self._all = None
        for change in listing_changes(before, self._objects):
            self._tell(change)
        self._synced.set()

    async def _watch(self) -> None:
        began = self._heard = self._clock.steady()
        lines = asyncio.ensure_future(self._take_lines())
        quiet = asyncio.ensure_future(self._until_quiet())
        try:
            await asyncio.wait({lines, quiet}, return_when=asyncio.FIRST_COMPLETED)
            if not lines.done():
                raise Unavailable(f"GET {self._path}: nothing heard for {QUIET_SECONDS:.0f} s")
            lines.result()
            if self._clock.steady() - began < SHORT_SECONDS:
                raise Unavailable(f"GET {self._path}: the watch ended at once")
        finally:
            self._worked = self._worked or self._clock.steady() - began >= SHORT_SECONDS
            await cancelled(lines, quiet)

    async def _until_quiet(self) -> None:
        while (left := self._heard + QUIET_SECONDS - self._clock.steady()) > 0:
            await self._clock.sleep(left)

    async def _take_lines(self) -> None:
        query: dict[str, str | int | bool] = {
            **self._query,
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": self._version,
            "timeoutSeconds": int(WATCH_SECONDS * (1 + self._jitter())),
        }
        async with aclosing(self._connection.stream(self._path, query=query)) as lines:
            async for line in lines:
                self._heard = self._clock.steady()
                self._take(line)

    def _take(self, line: bytes) -> None:
        step = self._lines.step(line)
        match step:
            case Put(value):
                self._replace(key_of(value), self._keep(value))
                self._advance(value.metadata.resource_version)
            case Drop(metadata=metadata):
                self._replace(key_of(step), None)
                self._advance(metadata.resource_version)
            case Mark(version):
                self._advance(version)
            case Skip(version, reason):
                self._skipped(reason)
                self._advance(version)
            case Relist(reason):
                raise Expired(f"GET {self._path}: {reason}")
            case Broken(reason):
                raise Unavailable(f"GET {self._path}: {reason}")
            case _:
                assert_never(step)

    def _advance(self, version: str) -> None:
        self._worked = True
        self._version = version or self._version

    def _replace(self, key: str, after: W | None) -> None:
        before = self._objects.get(key)
        if after is None:
            self._objects.pop(key, None)
        else:
            self._objects[key] = after
        self._all = None
        for change in changes(before, after):
            self._tell(change)

    def _tell(self, change: Change[W]) -> None:
        for listener in self._listeners:
            try:
                listener(*change)
            except Exception:  # noqa: BLE001  (one listener's bug must not stop the watch for the others)
                _log.exception("a listener failed", path=self._path)

    def _skipped(self, reason: str) -> None:
        self._metrics.unreadable.labels(self._path).inc()
        _log.error("object skipped", path=self._path, reason=reason)
