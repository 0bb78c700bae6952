"""From what was known and what a listing says to the changes that listeners hear."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from app.kube.watch_events import W, Watchable

T = TypeVar("T")

Change = tuple[T | None, T | None]
"""(before, after), as `app.ports.watched.Listener` gets it."""


def key_of(value: Watchable) -> str:
    """`namespace/name`, or `name` for objects without a namespace."""
    meta = value.metadata
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name


def changes(before: W | None, after: W | None) -> tuple[Change[W], ...]:
    """What happened to one key.

    A name that was used again is a deletion and an addition: whoever holds things for the old uid must hear
    of its end. The same version twice is no change.
    """
    if before is None or after is None:
        return () if before is after else ((before, after),)
    if before.metadata.uid != after.metadata.uid:
        return ((before, None), (None, after))
    return () if _same(before, after) else ((before, after),)


def listing_changes(before: Mapping[str, W], after: Mapping[str, W]) -> tuple[Change[W], ...]:
    """What happened between the cache and a complete listing; the ends come first."""
    return tuple(_flat(changes(before.get(key), after.get(key)) for key in _ends_first(before, after)))


def _ends_first(before: Mapping[str, object], after: Mapping[str, object]) -> Iterable[str]:
    yield from (key for key in before if key not in after)
    yield from after


def _flat(groups: Iterable[tuple[Change[W], ...]]) -> Iterable[Change[W]]:
    return (change for group in groups for change in group)


def _same(before: Watchable, after: Watchable) -> bool:
    version = after.metadata.resource_version
    return before.metadata.resource_version == version if version else before == after
