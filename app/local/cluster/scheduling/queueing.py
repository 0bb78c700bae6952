"""The scheduling queue: active, backing off, unschedulable, as kube-scheduler 1.36 keeps them.

Time is an argument (seconds that never jump). A rejected pod comes back when something changes that may
lift its rejection, after a backoff of 1, 2, 4, 8 and then 10 s; while nothing else waits, a rejected pod's
backoff is not sat out. https://kubernetes.io/docs/reference/scheduling/config/ (podInitialBackoffSeconds)
"""

import itertools
from typing import Final

import msgspec

from app.local.cluster.scheduling.hints import Change, PodChange, is_worth_retrying
from app.local.cluster.scheduling.snapshot import priority_of
from app.model.names import PodUid
from app.model.pod import Pod

FLUSH_AFTER: Final = 300.0
"""Seconds after which a rejected pod is tried again although nothing changed."""


class Entry(msgspec.Struct, kw_only=True):
    """One pod's place in the queue.

    Attributes:
        pod: as last seen.
        order: when it was queued, or tried last, to serve equals in turn.
        since: when its last attempt ended.
        attempts: how often it was rejected.
        errors: how often in a row something went wrong instead.
        rejectors: the plugins that rejected it last; empty after an error.
    """

    pod: Pod
    order: int
    since: float = 0.0
    attempts: int = 0
    errors: int = 0
    rejectors: frozenset[str] = frozenset()


class SchedulingQueue:
    """Pods that wait for a node. At most one is out for an attempt: cycles are serial."""

    def __init__(self, *, initial_backoff: float = 1.0, max_backoff: float = 10.0) -> None:
        self._initial = initial_backoff
        self._max = max_backoff
        self._orders = itertools.count()
        self._active: dict[PodUid, Entry] = {}
        self._backing_off: dict[PodUid, Entry] = {}
        self._unschedulable: dict[PodUid, Entry] = {}
        self._in_flight: Entry | None = None
        self._meanwhile: list[Change] = []

    def add(self, pod: Pod) -> None:
        """A new pod wants a node. One that is queued already is only brought up to date."""
        entry = self._find(pod.uid)
        if entry is None:
            self._active[pod.uid] = Entry(pod=pod, order=next(self._orders))
        else:
            entry.pod = pod

    def update(self, before: Pod, after: Pod, *, now: float) -> None:
        """A waiting pod changed; that alone may be worth an attempt."""
        entry = self._find(after.uid)
        if entry is None:
            self.add(after)
            return
        entry.pod = after
        change = PodChange.of(before, after, own=True)
        if entry is self._in_flight:
            self._meanwhile.append(change)
        elif after.uid in self._unschedulable and is_worth_retrying(after, entry.rejectors, change):
            self._requeue(entry, now=now)

    def remove(self, uid: PodUid) -> None:
        """The pod is gone, bound or not to be scheduled any more."""
        for part in (self._active, self._backing_off, self._unschedulable):
            part.pop(uid, None)
        if self._in_flight is not None and self._in_flight.pod.uid == uid:
            self._in_flight = None

    def changed(self, change: Change, *, now: float) -> None:
        """Something in the cluster changed: bring back the pods that it may help."""
        if self._in_flight is not None:
            self._meanwhile.append(change)
        for entry in list(self._unschedulable.values()):
            if is_worth_retrying(entry.pod, entry.rejectors, change):
                self._requeue(entry, now=now)

    def pop(self, *, now: float) -> Entry | None:
        """The next pod to try: highest priority first, then the one that came first; None if none may."""
        self._flush(now=now)
        entry = self._first(self._active) or self._first(
            {uid: each for uid, each in self._backing_off.items() if each.rejectors}
        )
        if entry is None:
            return None
        self.remove(entry.pod.uid)
        self._in_flight = entry
        self._meanwhile.clear()
        return entry

    def done(self, entry: Entry) -> None:
        """The pod found a node."""
        if self._in_flight is entry:
            self._in_flight = None

    def rejected(self, entry: Entry, pod: Pod, rejectors: frozenset[str], *, now: float) -> None:
        """The pod fits nowhere now: it waits for a change, one that came during the attempt included.

        An empty set of rejectors stands for an error: the pod is tried again after its backoff.
        """
        entry.pod, entry.since, entry.rejectors = pod, now, rejectors
        entry.order = next(self._orders)
        entry.attempts += bool(rejectors)
        entry.errors = 0 if rejectors else entry.errors + 1
        self.done(entry)
        if not rejectors or any(is_worth_retrying(pod, rejectors, each) for each in self._meanwhile):
            self._requeue(entry, now=now)
        else:
            self._unschedulable[pod.uid] = entry

    def next_wake(self) -> float | None:
        """When `pop` may have something although nothing changes."""
        times = [
            *(self._backoff_ends(each) for each in self._backing_off.values()),
            *(each.since + FLUSH_AFTER for each in self._unschedulable.values()),
        ]
        return min(times, default=None)

    def _flush(self, *, now: float) -> None:
        for entry in list(self._unschedulable.values()):
            if now >= entry.since + FLUSH_AFTER:
                self._requeue(entry, now=now)
        for uid, entry in list(self._backing_off.items()):
            if now >= self._backoff_ends(entry):
                self._active[uid] = self._backing_off.pop(uid)

    def _requeue(self, entry: Entry, *, now: float) -> None:
        uid = entry.pod.uid
        self._unschedulable.pop(uid, None)
        waiting = now < self._backoff_ends(entry)
        (self._backing_off if waiting else self._active)[uid] = entry

    def _backoff_ends(self, entry: Entry) -> float:
        failures = entry.errors or entry.attempts
        if failures == 0:
            return entry.since
        return entry.since + min(self._max, self._initial * float(1 << min(failures - 1, 16)))

    @staticmethod
    def _first(part: dict[PodUid, Entry]) -> Entry | None:
        return min(part.values(), key=lambda each: (-priority_of(each.pod), each.order), default=None)

    def _find(self, uid: PodUid) -> Entry | None:
        if self._in_flight is not None and self._in_flight.pod.uid == uid:
            return self._in_flight
        parts = (self._active, self._backing_off, self._unschedulable)
        return next((part[uid] for part in parts if uid in part), None)
