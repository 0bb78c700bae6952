"""Asks now and then what the node's tasks use, and keeps it (`app.ports.usage.Usage`)."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.bridge.decision import adoption
from app.bridge.decision.record import recorded_arn
from app.bridge.task_store import TaskStore
from app.bridge.usage.counting import LEAST_SECONDS, Reading, ahead, counted, gained
from app.model.names import TaskArn
from app.model.pod import Pod, is_terminal
from app.model.task import Task, TaskContainer
from app.model.usage import ContainerUsage, NodeUsage, PodUsage, Sample
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.ports.usage import Insights, Usage
from app.ports.watched import Watched
from app.telemetry import logs

log = logs.get(__name__)

LATE: Final = timedelta(minutes=5)
"""Measurements of a minute arrive within so long; they are asked for again until then."""


_Key = tuple[TaskArn, str]
"""A task, and the name of one of its containers."""


class UsageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whose usage, and how often it is asked for (seconds)."""

    node: str
    period: float = 20.0


class UsageBoard(Usage):
    """One node's usage.

    Args:
        insights: where it is measured.
        store: the node's tasks.
        pods: the node's pods.
        clock: time.
        config: whose.
        held: returns as soon as the node is ours: two bridges need not ask.
    """

    def __init__(
        self,
        insights: Insights,
        store: TaskStore,
        *,
        pods: Watched[Pod],
        clock: Clock,
        config: UsageConfig,
        held: Callable[[], Awaitable[object]],
    ) -> None:
        self._insights = insights
        self._store = store
        self._pods = pods
        self._clock = clock
        self._config = config
        self._held = held
        self._began = clock.now()
        self._spent = 0.0
        self._told = LEAST_SECONDS
        self._readings: dict[_Key, Reading] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._clock.sleep(self._config.period)
            await self._held()
            try:
                await self._ask()
            except PortFailure as failure:
                log.warning("usage is not known", node=self._config.node, error=str(failure))

    async def _ask(self) -> None:
        running = {task.arn: task for task in self._store.all() if task.last_status == "RUNNING"}
        self._readings = {key: each for key, each in self._readings.items() if key[0] in running}
        if running:
            samples = await self._insights.samples(tuple(running), since=self._clock.now() - LATE)
            self.take(samples)

    def take(self, samples: Iterable[Sample]) -> None:
        """Count measurements up, oldest first; those of containers that nobody knows are left out."""
        for sample in sorted(samples, key=lambda each: each.at):
            task = self._store.get(sample.task)
            seen = _container_of(task, sample.container) if task is not None else None
            if task is None or seen is None:
                continue
            key = (sample.task, sample.container)
            before = self._readings.get(key)
            started = task.started_at or task.created_at or sample.at
            after = self._readings[key] = counted(before, sample, run=seen.runtime_id, started=started)
            self._spent += gained(before, after, since=self._began)
        newest = self._newest()
        self._told = max(
            self._told, self._spent + sum(ahead(each, newest) for each in self._readings.values())
        )

    def node(self) -> NodeUsage:
        """All pods together."""
        readings = self._readings.values()
        return NodeUsage(
            name=self._config.node,
            started=self._began,
            at=self._newest(),
            cpu_seconds=self._told,
            cores=sum(each.cores or 0.0 for each in readings),
            working_set=sum(each.working_set for each in readings),
        )

    def _newest(self) -> datetime:
        return max((each.at for each in self._readings.values()), default=self._clock.now())

    def pods(self) -> tuple[PodUsage, ...]:
        """The pods of which every container that runs has been measured."""
        found = (self._usage_of(pod) for pod in self._pods.all() if not is_terminal(pod))
        return tuple(each for each in found if each is not None)

    def _usage_of(self, pod: Pod) -> PodUsage | None:
        task = adoption.current(self._store.of(pod.uid), recorded=recorded_arn(pod))
        if task is None or task.last_status != "RUNNING":
            return None
        started = _starts(pod)
        names = [name for name in started if _runs(task, name)]
        measured = [self._measured(task, name) for name in names]
        containers = tuple(each for each in measured if each is not None)
        if not names or len(containers) < len(names):
            return None
        return PodUsage(
            namespace=pod.metadata.namespace,
            name=pod.metadata.name,
            uid=pod.uid,
            started=task.started_at or min(started.values()),
            containers=containers,
        )

    def _measured(self, task: Task, name: str) -> ContainerUsage | None:
        seen, reading = _container_of(task, name), self._readings.get((task.arn, name))
        if seen is None or reading is None or reading.run != seen.runtime_id:
            return None
        return ContainerUsage(
            name=name,
            started=reading.started,
            at=reading.at,
            cpu_seconds=reading.cpu_seconds,
            cores=reading.cores,
            working_set=reading.working_set,
        )


def _container_of(task: Task, name: str) -> TaskContainer | None:
    return next((each for each in task.containers if each.name == name), None)


def _runs(task: Task, name: str) -> bool:
    seen = _container_of(task, name)
    return seen is not None and seen.last_status == "RUNNING"


def _starts(pod: Pod) -> dict[str, datetime]:
    """When each container that runs, as the pod's status has it, was started."""
    statuses: tuple[Json, ...] = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    running = ((each, (each.get("state") or {}).get("running") or {}) for each in statuses)
    return {
        str(each["name"]): datetime.fromisoformat(str(state["startedAt"]))
        for each, state in running
        if state.get("startedAt")
    }
