"""Writes down what would have burst where the gate only observes: metrics, and a trace to simulate from."""

import asyncio
import csv
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from app.extender.decider import Apart, at_once
from app.extender.decision.memory import NOBODY_OBSERVED, Observed
from app.extender.metrics import ObserveMetrics
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.pod import Pod, is_terminal
from app.model.quantity import MIB, QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from app.model.setting import named
from app.ports.clock import Clock
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of

_log = logs.get(__name__)

HEADER: Final = (
    "name",
    "namespace",
    "cpu_milli",
    "memory_mib",
    "creation_time",
    "deletion_time",
    "vcpu",
    "hourly",
)
_TICK: Final = 15.0
"""Seconds between two looks at what the observed pods would have cost meanwhile."""

_HOUR: Final = 3600.0


class Recorder:
    """Follows each observed pod to its end.

    Would-be pods count until they are bound or gone, as in the budgets. Their lines in the trace wait for
    their ends, wherever they run by then.

    Args:
        pods: all pods; tells of their ends.
        clock: dates the ends.
        metrics: what would run and cost.
        path: the trace (`spillway simulate` reads it), one line for each pod that ended; None for no trace.
            Lines are added to what is there.
        apart: where they are, so that the event loop waits for no disk.
    """

    def __init__(
        self,
        pods: Watched[Pod],
        *,
        clock: Clock,
        metrics: ObserveMetrics,
        path: Path | None = None,
        apart: Apart = at_once,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._file = _File(path) if path is not None else None
        self._apart = apart
        self._lines: list[_Line] = []
        self._filled = asyncio.Event()
        self._observed: Mapping[PodUid, Observed] = NOBODY_OBSERVED
        self._since = clock.steady()
        self._open: dict[PodUid, _Entry] = {}
        self._pods = pods
        pods.on_change(self._pod_changed)

    def take(self, observed: Mapping[PodUid, Observed], unbound: Mapping[PodUid, Pod]) -> None:
        """What the gate observes as of now, and the pods without a node, observed ones among them."""
        self._accrue()
        for uid in observed.keys() - self._observed.keys():
            if uid not in self._open:
                self._begin(unbound[uid], observed[uid].cost)
        self._observed = observed
        self._show()

    async def run(self) -> None:
        """Write what ends, and keep the dollars current, until cancelled; then write who lives on."""
        try:
            while True:
                await first_of(self._clock.sleep(_TICK), self._filled)
                self._accrue()
                await self._flush()
        finally:
            self._close()
            await self._flush()

    def _begin(self, pod: Pod, cost: Cost | None) -> None:
        self._open[pod.uid] = _Entry(pod, cost)
        # The gate decides beside the event loop: the pod may have ended meanwhile.
        self._pod_changed(pod, self._pods.get(pod.key))

    def _close(self) -> None:
        self._accrue()
        for entry in self._open.values():
            self._write(entry, ended=None)
        self._open, self._observed = {}, NOBODY_OBSERVED
        self._show()

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        if before is None or before.uid not in self._open:
            return
        if after is None or after.uid != before.uid or is_terminal(after):
            self._write(self._open.pop(before.uid), ended=self._clock.now())

    def _accrue(self) -> None:
        now = self._clock.steady()
        seconds, self._since = now - self._since, now
        hourly = sum(_hourly(each.cost) for each in self._observed.values())
        self._metrics.dollars.inc(hourly * seconds / _HOUR)

    def _show(self) -> None:
        costs = [each.cost for each in self._observed.values()]
        self._metrics.pods.set(len(costs))
        self._metrics.vcpus.set(sum(cost.vcpu for cost in costs if cost is not None))
        self._metrics.hourly.set(sum(map(_hourly, costs)))

    def _write(self, entry: "_Entry", *, ended: datetime | None) -> None:
        if self._file is not None:
            self._lines.append(entry.row(ended=ended))
            self._filled.set()

    async def _flush(self) -> None:
        file, lines, self._lines = self._file, self._lines, []
        self._filled.clear()
        if file is None or not lines:
            return
        try:
            await self._apart(lambda: file.append(lines))
        except OSError as error:
            # A full disk must not hold up the gate; the count says that the trace has a hole.
            self._metrics.lost.inc(len(lines))
            _log.warning(
                f"lines of {named('extender', 'observe_file')} are lost", lines=len(lines), error=str(error)
            )


_Line = tuple[str, ...]


class _File:
    """The trace. Who is cancelled while one thread writes may have another write at once: they take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()

    def append(self, lines: Iterable[_Line]) -> None:
        """Add the lines, below a header where the file is new. Raises OSError."""
        with self._turn, self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if file.tell() == 0:
                writer.writerow(HEADER)
            writer.writerows(lines)


class _Entry(msgspec.Struct, frozen=True):
    """A pod as it was when it would have burst, and what it would have cost."""

    pod: Pod
    cost: Cost | None

    def row(self, *, ended: datetime | None) -> _Line:
        """Its line: seconds since the epoch; empty what is not known."""
        room, created = _requests(self.pod), self.pod.metadata.creation_timestamp
        end = ended if ended is None or created is None else max(ended, created)
        return (
            self.pod.metadata.name,
            self.pod.metadata.namespace,
            str(room.cpu_milli),
            str(-(-room.memory // MIB)),
            _seconds(created),
            _seconds(end),
            "" if self.cost is None else f"{self.cost.vcpu:g}",
            "" if self.cost is None else f"{self.cost.hourly:.6f}",
        )


def _requests(pod: Pod) -> Resources:
    try:
        return requests_of(pod)
    except QuantityError:
        # Such a pod is refused before it comes here; a line without numbers is still a line.
        return Resources()


def _seconds(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.timestamp():.3f}"


def _hourly(cost: Cost | None) -> float:
    return 0.0 if cost is None else cost.hourly
