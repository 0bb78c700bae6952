"""Container Insights: what tasks take, into the performance logs of the clusters that want it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.logs.store import LogStore, LogTarget
from app.local.fargate.running.burden import Burden
from app.local.fargate.running.workload import Key
from app.local.fargate.tasks.gauges import Gauges
from app.local.fargate.tasks.performance_events import events
from app.local.fargate.tasks.record import TaskRecord
from app.ports.clock import Clock

_TOO_SOON: Final = 0.001
"""A part of the pace: a moment before a minute is that minute, as clocks round."""

_STREAM: Final = "FargateTelemetry-1"


@dataclass(kw_only=True)
class PerformanceLog:
    """Measures at the clock's minutes, or at other multiples of the pace's `insights`.

    Attributes:
        tasks: every task by its id.
        wanted: whether a cluster, by its ARN, has Container Insights.
    """

    clock: Clock
    agenda: Agenda
    pace: Pace
    logs: LogStore
    gauges: Gauges
    tasks: Mapping[str, TaskRecord]
    wanted: Callable[[str], bool]
    _before: dict[Key, Burden] = field(default_factory=dict)

    def begin(self) -> None:
        """Measure from the next minute on, for ever."""
        self.agenda.after(self._until_next(), self._measure)

    def _measure(self) -> None:
        at = int(self.clock.now().timestamp() * 1000)
        watched = [
            each
            for each in self.tasks.values()
            if each.status in {"ACTIVATING", "RUNNING", "DEACTIVATING"} and self.wanted(each.cluster_arn)
        ]
        now = self.gauges.measure(watched)
        for task in watched:
            found = events(task, now, self._before, at=at, seconds=self.pace.insights)
            lines = [(at, msgspec.json.encode(each).decode()) for each in found]
            self.agenda.after(self.pace.logged_after, partial(self._write, task.cluster_arn, lines))
        self._before = now
        self.begin()

    def _write(self, cluster: str, lines: list[tuple[int, str]]) -> None:
        group = f"/aws/ecs/containerinsights/{cluster.rsplit('/', 1)[-1]}/performance"
        if not self.logs.has_group(group):
            self.logs.create_group(group)
        target = LogTarget(group, _STREAM)
        self.logs.ensure_stream(target)
        self.logs.put(target, lines)

    def _until_next(self) -> float:
        pace = self.pace.insights
        left = pace - self.clock.now().timestamp() % pace
        return left if left > pace * _TOO_SOON else left + pace
