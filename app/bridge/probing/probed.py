"""One life of one container with probes: its workers, and what they have found."""

import asyncio
from collections.abc import Callable

from app.bridge.probing.target import target_of
from app.bridge.probing.verdicts import health_of, is_asked_by_us
from app.bridge.probing.worker import ProbeWorker
from app.bridge.status.observed import Health
from app.model.container import Container, probes_of
from app.model.task import TaskContainer
from app.ports.clock import Clock
from app.ports.probes import Answer, Probes

Heard = Callable[[ProbeWorker, Answer, bool], None]
"""Called with every answer, and whether the container's health has changed by it."""


class ProbedContainer:
    """Another task, or another run inside a task, is another life: it is probed from the beginning."""

    def __init__(
        self, container: Container, *, ip: str, ready_before: bool, probes: Probes, clock: Clock
    ) -> None:
        """Nothing is asked yet.

        Args:
            container: as in the pod's spec.
            ip: the task's address.
            ready_before: whether the pod's status says that this very life is ready.
            probes: asks.
            clock: time.
        """
        self._container = container
        self._workers = {
            kind: ProbeWorker(
                kind,
                probe,
                target_of(probe, container, ip=ip),
                ready_before=ready_before,
                probes=probes,
                clock=clock,
            )
            for kind, probe in probes_of(container).items()
            if is_asked_by_us(probe)
        }
        self._running: list[asyncio.Task[None]] = []
        self._seen = TaskContainer(name=container.name)
        self._last = self.health(self._seen)

    def start(self, group: asyncio.TaskGroup, *, ran_for: float, spread: float, heard: Heard) -> None:
        """Let the workers ask.

        Args:
            group: where they live.
            ran_for: seconds since the container's start, which count against `initialDelaySeconds`.
            spread: 0 to 1: when within its first second each begins, so that replicas do not ask at once.
            heard: told of every answer.
        """
        probes = probes_of(self._container)
        for kind, worker in self._workers.items():
            delay = max(probes[kind].initial_delay_seconds - ran_for, 0.0) + spread
            run = worker.run(
                first_in=delay,
                may_ask=self._may_ask(worker),
                heard=lambda asked, answer: heard(asked, answer, self._has_changed()),
            )
            self._running.append(group.create_task(run))

    def stop(self) -> None:
        """Ask no more."""
        for each in self._running:
            each.cancel()

    def health(self, seen: TaskContainer) -> Health:
        """What the probes say, ECS's own health check included."""
        self._seen = seen
        return health_of(self._container, {kind: each.count for kind, each in self._workers.items()}, seen)

    def _may_ask(self, worker: ProbeWorker) -> Callable[[], bool]:
        """Readiness and liveness wait for the startup probe."""
        if worker.kind == "startup":
            return lambda: True
        return lambda: self.health(self._seen).started

    def _has_changed(self) -> bool:
        now = self.health(self._seen)
        changed, self._last = now != self._last, now
        return changed
