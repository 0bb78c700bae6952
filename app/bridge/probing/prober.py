"""Keeps every container that runs and has probes under observation, and tells what was found."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from app.bridge.decision.facts import PodKey
from app.bridge.probing.probed import Before, ProbedContainer
from app.bridge.status.container_status import task_id_of
from app.bridge.status.in_place import is_behind
from app.bridge.status.observed import Health
from app.model.container import Container, ProbeKind, probes_of
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

    def __init__(
        self,
        probes: Probes,
        *,
        events: Events,
        clock: Clock,
        jitter: Callable[[], float],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """Ask nothing yet.

        Args:
            probes: asks.
            events: tell people of failures.
            clock: time.
            jitter: 0 to 1, another each time.
            leads: whether this process leads now; nothing is asked or told while it does not.
        """
        self._leads = leads
        self._probes = probes
        self._events = events
        self._clock = clock
        self._jitter = jitter
        self._pods: dict[PodKey, dict[_Life, ProbedContainer]] = {}
        self._listeners: list[Callable[[PodKey], None]] = []
        self._telling: set[asyncio.Task[bool | None]] = set()
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
                kept[life] = self._begun(key, pod, task, life, container=wanted[life], group=self._group)
            self._tell_of_commands(pod, task, kept)
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
        self,
        key: PodKey,
        pod: Pod,
        task: Task,
        life: _Life,
        *,
        container: Container,
        group: asyncio.TaskGroup,
    ) -> ProbedContainer:
        probed = ProbedContainer(
            container,
            ip=task.ip,
            before=_before(pod, container, task, run=life.run),
            probes=self._probes,
            clock=self._clock,
        )
        probed.start(
            group,
            ran_for=_seconds_since(task.started_at, self._clock.now()) if life.run == 1 else 0.0,
            spread=self._jitter(),
            listener=_Hearing(self, key, pod),
        )
        return probed

    def leads(self) -> bool:
        """Whether this process may ask and tell now."""
        return self._leads()

    def wake(self, key: PodKey) -> None:
        """Tell the listeners that the pod's health may have changed."""
        for listener in self._listeners:
            listener(key)

    def _tell_of_commands(self, pod: Pod, task: Task, kept: Mapping[_Life, ProbedContainer]) -> None:
        """ECS runs the exec probes, and keeps what they print to itself."""
        if not self._leads():
            return
        seen = {each.name: each for each in task.containers}
        for life, probed in kept.items():
            for kind in probed.found_by_ecs(seen[life.container]):
                self.tell(pod, kind, f"ECS's health check finds container {life.container} UNHEALTHY")

    def tell(self, pod: Pod, kind: ProbeKind, why: str) -> None:
        """An Event of a failed probe, without keeping anybody waiting for it."""
        if self._group is None or not self._leads():
            return
        message = f"{kind.capitalize()} probe failed: {why}"
        event = self._events.record(pod, reason="Unhealthy", message=message, warning=True)
        telling = self._group.create_task(event)
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)


class _Hearing:
    """What one life's workers say, with the pod that it is said of."""

    def __init__(self, prober: Prober, key: PodKey, pod: Pod) -> None:
        self._prober = prober
        self._key = key
        self._pod = pod

    def leads(self) -> bool:
        return self._prober.leads()

    def heard(self, kind: ProbeKind, answer: Answer) -> None:
        if not answer.ok:
            self._prober.tell(self._pod, kind, answer.output)

    def changed(self) -> None:
        self._prober.wake(self._key)


def _wanted(pod: Pod, task: Task, runs: Mapping[str, int]) -> dict[_Life, Container]:
    if not task.ip or task.desired_status != "RUNNING":
        return {}
    running = {each.name for each in task.containers if each.last_status == "RUNNING"}
    return {
        _Life(task.arn, each.name, runs.get(each.name, 1)): each
        for each in (*pod.spec.init_containers, *pod.spec.containers)
        if each.name in running and probes_of(each)
    }


def _before(pod: Pod, container: Container, task: Task, *, run: int) -> Before:
    """What the pod's status says of this very run: another bridge may have written it."""
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    for each in statuses:
        is_same = each.get("name") == container.name and task_id_of(each) == task.task_id
        if is_same and not _is_of_earlier_run(str(each.get("containerID")), run):
            ready = bool(each.get("ready"))
            return Before(started=ready or bool(each.get("started")), ready=ready)
    return Before()


def _is_of_earlier_run(identifier: str, run: int) -> bool:
    return is_behind(identifier, f"{identifier.partition('@')[0]}@{run}")


def _seconds_since(started: datetime | None, now: datetime) -> float:
    return (now - started).total_seconds() if started is not None else 0.0
