"""Fakes that every component's tests share: a clock that the test moves, and a watched collection."""

import asyncio
import heapq
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from app.model.node import Node
from app.model.pod import Pod
from app.ports.watched import Listener

T = TypeVar("T")


class VirtualClock:
    """Time that stands still until the test advances it (app.ports.clock.Clock)."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def steady(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        try:
            await woken.wait()
        finally:
            woken.set()

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its own moment and letting it work."""
        await settle()
        goal = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= goal:
            due, _, woken = heapq.heappop(self._sleepers)
            if woken.is_set():  # cancelled meanwhile: nobody sleeps there any more
                continue
            self._elapsed = max(self._elapsed, due)
            woken.set()
            await settle()
        self._elapsed = goal
        await settle()


async def settle(rounds: int = 50) -> None:
    """Let every task that can run now, run."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class FakeWatched(Generic[T]):
    """A watched collection that the test fills (app.ports.watched.Watched)."""

    def __init__(self, objects: Iterable[T] = ()) -> None:
        self._objects: dict[str, T] = {key_of(each): each for each in objects}
        self._listeners: list[Listener[T]] = []

    def get(self, key: str) -> T | None:
        return self._objects.get(key)

    def all(self) -> tuple[T, ...]:
        return tuple(self._objects.values())

    def on_change(self, listener: Listener[T]) -> None:
        self._listeners.append(listener)

    async def synced(self) -> None:
        await asyncio.sleep(0)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def put(self, value: T) -> None:
        """Add or change an object, and tell the listeners."""
        before = self._objects.get(key_of(value))
        self._objects[key_of(value)] = value
        for listener in self._listeners:
            listener(before, value)

    def drop(self, key: str) -> None:
        """Remove an object, and tell the listeners."""
        gone = self._objects.pop(key)
        for listener in self._listeners:
            listener(gone, None)


def key_of(value: object) -> str:
    """`namespace/name` of a pod, `name` of a node."""
    match value:
        case Pod():
            return value.key
        case Node():
            return value.name
        case _:
            metadata = getattr(value, "metadata")  # noqa: B009  (any object with Kubernetes metadata)
            return f"{metadata.namespace}/{metadata.name}".lstrip("/")
