"""Keeps every container that runs and has probes under observation, and tells what was found."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from app.bridge.decision.facts import PodKey
from app.bridge.probing.probed import Heard, ProbedContainer
from app.bridge.probing.worker import ProbeWorker
from app.bridge.status.container_status import task_id_of
from app.bridge.status.observed import Health
from app.model.container import Container, probes_of
from app.model.pod import Pod
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.kubernetes import Events
from app.ports.probes import Answer, Probes


class _Life(msgspec.Struct, frozen=True):
    """Which life of which container."""

    task: str
    container: str
    run: int


class Prober:
    """Probes the containers of the pods that it is told of; `run` it for as long as the bridge runs."""

    def __init__(self, probes: Probes, *, events: Events, clock: Clock, jitter: Callable[[], float]) -> None:
        self._probes = probes
        self._events = events
        self._clock = clock
        self._jitter = jitter
        self._pods: dict[PodKey, dict[_Life, ProbedContainer]] = {}
        self._listeners: list[Callable[[PodKey], None]] = []
        self._telling: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def on_change(self, listener: Callable[[PodKey], None]) -> None:
        """Call `listener` with every pod whose health has changed."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Let the workers live until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def attend(self, key: PodKey, pod: Pod | None, task: Task | None, *, runs: Mapping[str, int]) -> None:
        """Probe exactly those containers of the pod that run now.

        Args:
            key: whose pod.
            pod: None where it is gone.
            task: its newest attempt's, if any.
            runs: the number of each container's run inside the task, where it is not the first.
        """
        kept = self._pods.setdefault(key, {})
        wanted = _wanted(pod, task, runs) if pod is not None and task is not None else {}
        for life in kept.keys() - wanted.keys():
            kept.pop(life).stop()
        if pod is not None and task is not None and self._group is not None:
            for life in wanted.keys() - kept.keys():
                kept[life] = self._begun(key, pod, task, wanted[life], group=self._group)
        if not kept:
            del self._pods[key]

    def health(self, key: PodKey, task: Task | None) -> dict[str, Health]:
        """What is known of the pod's containers that have probes."""
        seen = {each.name: each for each in task.containers} if task is not None else {}
        return {
            life.container: probed.health(seen[life.container])
            for life, probed in self._pods.get(key, {}).items()
            if life.container in seen
        }

    def _begun(
        self, key: PodKey, pod: Pod, task: Task, container: Container, *, group: asyncio.TaskGroup
    ) -> ProbedContainer:
        probed = ProbedContainer(
            container,
            ip=task.ip,
            ready_before=_was_ready(pod, container, task),
            probes=self._probes,
            clock=self._clock,
        )
        probed.start(
            group,
            ran_for=_seconds_since(task.started_at, self._clock.now()),
            spread=self._jitter(),
            heard=self._hearing(key, pod),
        )
        return probed

    def _hearing(self, key: PodKey, pod: Pod) -> Heard:
        def heard(worker: ProbeWorker, answer: Answer, changed: bool) -> None:
            if not answer.ok:
                self._tell_people(pod, f"{worker.kind.capitalize()} probe failed: {answer.output}")
            if changed:
                for listener in self._listeners:
                    listener(key)

        return heard

    def _tell_people(self, pod: Pod, message: str) -> None:
        """An Event, without keeping the probe waiting for it."""
        if self._group is None:
            return
        event = self._events.record(pod, reason="Unhealthy", message=message, warning=True)
        telling = self._group.create_task(event)
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)


def _wanted(pod: Pod, task: Task, runs: Mapping[str, int]) -> dict[_Life, Container]:
    if not task.ip or task.desired_status != "RUNNING":
        return {}
    running = {each.name for each in task.containers if each.last_status == "RUNNING"}
    return {
        _Life(task.arn, each.name, runs.get(each.name, 1)): each
        for each in (*pod.spec.init_containers, *pod.spec.containers)
        if each.name in running and probes_of(each)
    }


def _was_ready(pod: Pod, container: Container, task: Task) -> bool:
    """Whether the pod's status says so of this very task: another bridge may have written it."""
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return any(
        each.get("name") == container.name and bool(each.get("ready")) and task_id_of(each) == task.task_id
        for each in statuses
    )


def _seconds_since(started: datetime | None, now: datetime) -> float:
    return (now - started).total_seconds() if started is not None else 0.0
