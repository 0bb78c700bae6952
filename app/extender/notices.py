"""What people are still to be told, one namespace after the other: a storm in one delays no other."""

from typing import Final

import msgspec

from app.model.node import Node
from app.model.pod import Pod
from app.timing import backoff

_FIRST: Final = 5.0
_LONGEST: Final = 300.0
_MOST: Final = 6
"""Tries: an Event that is refused for ever, as in a namespace that is being deleted, is given up."""


class Notice(msgspec.Struct, frozen=True):
    """One Event that is to be written, and how often that was tried in vain."""

    about: Pod | Node
    reason: str
    message: str
    failures: int = 0


class Notices:
    """A queue for each namespace, and turns between them. About one thing only the newest is kept."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, Notice]] = {}
        self._namespaces: dict[str, str] = {}
        self._failed: dict[str, tuple[float, Notice]] = {}

    def put(self, key: str, notice: Notice) -> None:
        """Queue it, in place of what was to be told of the same thing; `key` names that."""
        namespace = notice.about.metadata.namespace
        self._failed.pop(key, None)
        self._namespaces[key] = namespace
        self._queues.setdefault(namespace, {})[key] = notice

    def drop(self, key: str) -> None:
        """There is nothing to be told of this any more."""
        self._failed.pop(key, None)
        namespace = self._namespaces.pop(key, None)
        if namespace is not None:
            self._queues[namespace].pop(key)
            if not self._queues[namespace]:
                del self._queues[namespace]

    def take(self, now: float) -> tuple[str, Notice] | None:
        """The next, with its key; None where nothing is to be told at this moment (steady seconds)."""
        for key, (due, notice) in tuple(self._failed.items()):
            if due <= now:
                self.put(key, notice)
        if not self._queues:
            return None
        queue = next(iter(self._queues.values()))
        key = next(iter(queue))
        notice = queue[key]
        self.drop(key)
        namespace = notice.about.metadata.namespace
        if queue:
            self._queues[namespace] = self._queues.pop(namespace)
        return key, notice

    def failed(self, key: str, notice: Notice, now: float) -> None:
        """It could not be written: it comes again later, unless something newer does or it failed often."""
        failures = notice.failures + 1
        if key in self._namespaces or failures >= _MOST:
            return
        pause = backoff.delay(failures, first=_FIRST, longest=_LONGEST, jitter=1.0)
        self._failed[key] = (now + pause, msgspec.structs.replace(notice, failures=failures))

    def next_due(self) -> float | None:
        """When the first of those that failed comes again; None where none did."""
        return min((due for due, _ in self._failed.values()), default=None)
