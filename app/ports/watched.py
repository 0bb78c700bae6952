"""A collection of Kubernetes objects, kept current by a watch."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Listener = Callable[[T | None, T | None], None]
"""Called with (before, after) in the event loop: (None, x) added, (x, y) changed, (x, None) gone."""


class Watched(Protocol, Generic[T_co]):
    """A cache with listeners. Keys are `namespace/name`, or `name` for objects without a namespace."""

    def get(self, key: str) -> T_co | None:
        """The object as last seen, or None."""
        ...

    def all(self) -> tuple[T_co, ...]:
        """Every object as last seen."""
        ...

    def on_change(self, listener: "Listener[T_co]") -> None:
        """Call `listener` for every later change; it must not block or raise."""
        ...

    async def synced(self) -> None:
        """Return once the first complete listing is in the cache."""
        ...

    async def run(self) -> None:
        """Keep the cache current until cancelled; survives every failure of the far side."""
        ...
