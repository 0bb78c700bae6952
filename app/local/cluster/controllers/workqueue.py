"""Keys to reconcile: each at most once in the queue and once in work, later on request, again on failure."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from app.local.cluster.apiserver.api import ApiError
from app.ports.clock import Clock
from app.telemetry import logs

_FIRST_RETRY = 0.05
_LAST_RETRY = 5.0

log = logs.get(__name__)

Reconcile = Callable[[str], Awaitable[float | None]]
"""Brings one key's object to its desired state; the answer is when to look again, in seconds."""


class WorkQueue:
    """The queue of one controller."""

    def __init__(self, name: str, *, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._waiting: dict[str, None] = {}
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._more = asyncio.Event()

    def add(self, key: str) -> None:
        """Reconcile the key soon; once more after the round that is under way, if one is."""
        if key in self._busy:
            self._again.add(key)
        else:
            self._waiting[key] = None
            self._more.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Reconcile the key in so many seconds; of several wishes for a key the soonest counts."""
        due = self._clock.steady() + seconds
        if key in self._timers:
            known, timer = self._timers[key]
            if known <= due:
                return
            timer.cancel()
        self._timers[key] = due, asyncio.create_task(self._later(key, seconds))

    async def work(self, reconcile: Reconcile) -> None:
        """Take one key after the other until cancelled; any number of workers may run beside each other."""
        try:
            while True:
                await self._round(await self._next(), reconcile)
        finally:
            for _, timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def _round(self, key: str, reconcile: Reconcile) -> None:
        try:
            again = await self._attempt(key, reconcile)
        finally:
            self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        if again is not None:
            self.add_after(key, again)
        await asyncio.sleep(0)

    async def _attempt(self, key: str, reconcile: Reconcile) -> float | None:
        try:
            again = await reconcile(key)
        except (ApiError, msgspec.ValidationError) as error:
            log.info("reconciling again", controller=self._name, key=key, error=str(error))
        except Exception:
            # A mistake of ours about one object must not stop the others; it is told, and tried again.
            log.exception("reconciling broke and will be repeated", controller=self._name, key=key)
        else:
            self._failures.pop(key, None)
            return again
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(_LAST_RETRY, _FIRST_RETRY * float(1 << min(failures, 10)))

    async def _next(self) -> str:
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._busy.add(key)
        return key

    async def _later(self, key: str, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timers.pop(key, None)
        self.add(key)


def split(key: str) -> tuple[str, str]:
    """`namespace/name` in its parts; the namespace is empty for `name`."""
    namespace, _, name = key.rpartition("/")
    return namespace, name
