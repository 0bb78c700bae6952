"""A watched collection, looked up by namespace."""

from collections import defaultdict
from typing import Generic, Protocol, TypeVar

from app.model.meta import ObjectMeta
from app.ports.clock import Clock
from app.ports.failures import Unavailable
from app.ports.watched import Watched
from app.timing.waiting import within


class Namespaced(Protocol):
    """Any object with metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its namespace is what counts here."""
        ...


N = TypeVar("N", bound=Namespaced)


class ByNamespace(Generic[N]):
    """Sorts the collection anew only when it changed: pods of one namespace start by the hundred."""

    def __init__(self, watched: Watched[N], *, plural: str, clock: Clock, patience: float) -> None:
        """Ask nothing yet; `plural` is for people, `patience` the seconds to wait for the first listing."""
        self._watched = watched
        self._plural = plural
        self._clock = clock
        self._patience = patience
        self._synced = False
        self._seen: tuple[N, ...] | None = None
        self._sorted: dict[str, tuple[N, ...]] = {}

    async def of(self, namespace: str) -> tuple[N, ...]:
        """The namespace's objects, in order of their names.

        Raises:
            Unavailable: they are not listed yet; without all of them nothing may be decided.
        """
        if not self._synced:
            await self._sync()
        current = self._watched.all()
        if current is not self._seen:
            self._sorted = _sorted(current)
            self._seen = current
        return self._sorted.get(namespace, ())

    async def _sync(self) -> None:
        try:
            await within(self._clock, self._patience, self._watched.synced())
        except Unavailable as failure:
            raise Unavailable(
                f"the {self._plural} are not listed yet; "
                f"see whether the bridge's RBAC role has list and watch on {self._plural}"
            ) from failure
        self._synced = True


def _sorted(objects: tuple[N, ...]) -> dict[str, tuple[N, ...]]:
    groups: defaultdict[str, list[N]] = defaultdict(list)
    for each in objects:
        groups[each.metadata.namespace].append(each)
    return {name: tuple(sorted(group, key=lambda each: each.metadata.name)) for name, group in groups.items()}
