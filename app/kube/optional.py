"""A watch of what a cluster may not have, or may not let us see: it waits until it can, and says why not.

Looks first, so that a cluster without it costs one small request now and then, and no broken watches.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic

import msgspec

from app.kube.answers import decoded
from app.kube.listing import current_version
from app.kube.reflector import Reflector
from app.kube.transport import Query, Transport
from app.kube.watch_events import W
from app.model.wire import Wire
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Refused
from app.ports.watched import Listener
from app.telemetry import logs
from app.timing.waiting import cancelled

_log = logs.get(__name__)

AGAIN_SECONDS: Final = 120.0
"""Between two looks: somebody may install it, take it away, or give us the right."""


class _Resource(Wire, frozen=True):
    name: str = ""


class _Resources(Wire, frozen=True):
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#discovery-api."""

    resources: tuple[_Resource, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for.

    Attributes:
        path: the collection.
        group: the path of its API group and version, where the server may not have it; every account may
            ask for that.
        query: as the watch selects.
        mend: what to do where we may not read it, for the log.
    """

    path: str
    group: str = ""
    query: Query = {}
    mend: str


class OptionalWatch(Generic[W]):
    """A `Watched` that is empty for as long as there is nothing to watch.

    Args:
        connection: the API server.
        wanted: what to look for.
        make: a fresh watch of it; the last one is over by then.
        clock: spaces the looks.
    """

    def __init__(
        self, connection: Transport, wanted: Wanted, *, make: Callable[[], Reflector[W]], clock: Clock
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._make = make
        self._clock = clock
        self._current: Reflector[W] | None = None
        self._listeners: list[Listener[W]] = []
        self._looked = asyncio.Event()
        self._said = ""

    def get(self, key: str) -> W | None:
        """The object as last seen, or None."""
        return self._current.get(key) if self._current is not None else None

    def all(self) -> tuple[W, ...]:
        """Every object as last seen."""
        return self._current.all() if self._current is not None else ()

    def on_change(self, listener: Listener[W]) -> None:
        """Call `listener` for every later change."""
        self._listeners.append(listener)
        if self._current is not None:
            self._current.on_change(listener)

    async def synced(self) -> None:
        """Return once the first look is over, and the first listing where there is something to list."""
        await self._looked.wait()
        if self._current is not None:
            await self._current.synced()

    async def run(self) -> None:
        """Look, and watch for as long as there is something, until cancelled."""
        while True:
            if await self._is_there():
                await self._watch()
            else:
                self._looked.set()
                await self._clock.sleep(AGAIN_SECONDS)

    async def _watch(self) -> None:
        """Watch until a look finds nothing any more; then everything is gone."""
        watch = self._current = self._make()
        for listener in self._listeners:
            watch.on_change(listener)
        self._looked.set()
        running = asyncio.ensure_future(watch.run())
        gone = asyncio.ensure_future(self._until_gone())
        try:
            await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
            for done in (running, gone):
                if done.done():
                    done.result()
        finally:
            await cancelled(running, gone)
        self._current = None
        for each in watch.all():
            for listener in self._listeners:
                listener(each, None)

    async def _until_gone(self) -> None:
        while True:
            await self._clock.sleep(AGAIN_SECONDS)
            if not await self._is_there(else_=True):
                return

    async def _is_there(self, *, else_: bool = False) -> bool:
        """Whether we can read it; `else_` where the server gives no clear answer."""
        path = self._wanted.path
        try:
            if self._wanted.group and not await self._is_served():
                self._say(f"{path}: this cluster has none; looked for again now and then")
                return False
            await current_version(self._connection, path, query=self._wanted.query)
        except NotFound:
            self._say(f"{path}: this cluster has none; looked for again now and then")
            return False
        except Refused as error:
            self._say(f"{error}; {self._wanted.mend}", warning=True)
            return False
        except PortFailure:
            return else_
        self._said = ""
        return True

    async def _is_served(self) -> bool:
        asked = f"GET {self._wanted.group}"
        found = decoded(await self._connection.request("GET", self._wanted.group), _Resources, asked=asked)
        return any(self._wanted.path.endswith(f"/{each.name}") for each in found.resources)

    def _say(self, message: str, *, warning: bool = False) -> None:
        """Once, until it is another thing."""
        if message != self._said:
            (_log.warning if warning else _log.info)("not watched", reason=message)
        self._said = message
