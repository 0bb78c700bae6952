"""Turns at launching: a bounded number at once, in rotation between namespaces."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LaunchQueue:
    """A semaphore whose free slots go round the waiting namespaces, so that one burst starves nobody."""

    def __init__(self, *, slots: int) -> None:
        self._free = slots
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def depth(self) -> int:
        """How many launches wait for their turn."""
        return sum(len(queue) for queue in self._waiting.values())

    @asynccontextmanager
    async def turn(self, namespace: str) -> AsyncIterator[None]:
        """Hold a slot."""
        await self._acquire(namespace)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, namespace: str) -> None:
        if self._free:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(namespace, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        """Hand the slot on: to the first waiting namespace, which then goes to the end of the line."""
        while self._waiting:
            namespace = next(iter(self._waiting))
            queue = self._waiting.pop(namespace)
            place = queue.popleft()
            if queue:
                self._waiting[namespace] = queue
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
