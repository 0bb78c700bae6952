"""One life of one container with probes: its workers, and what they have found."""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

import msgspec

from app.bridge.probing.target import target_of
from app.bridge.probing.verdicts import health_of, is_asked_by_us
from app.bridge.probing.worker import ProbeWorker
from app.bridge.status.observed import Health
from app.model.container import Container, ProbeKind, probes_of
from app.model.task import TaskContainer
from app.ports.clock import Clock
from app.ports.probes import Answer, Probes


class Before(msgspec.Struct, frozen=True):
    """How far a life had come when it was last written down, by us or by the bridge before us."""

    started: bool = False
    ready: bool = False


class Listener(Protocol):
    """Who is told what the workers find."""

    def leads(self) -> bool:
        """Whether this process may ask now; another one asks where it may not."""
        ...

    def heard(self, kind: ProbeKind, answer: Answer) -> None:
        """Told of every answer."""
        ...

    def changed(self) -> None:
        """Told when the container's health may have changed."""
        ...


class ProbedContainer:
    """Another task, or another run inside a task, is another life: it is probed from the beginning."""

    def __init__(
        self, container: Container, *, ip: str, before: Before, probes: Probes, clock: Clock
    ) -> None:
        """Nothing is asked yet.

        Args:
            container: as in the pod's spec.
            ip: the task's address.
            before: what the pod's status says of this very life.
            probes: asks.
            clock: time.
        """
        self._container = container
        self._workers = {
            kind: ProbeWorker(
                kind,
                probe,
                target_of(probe, container, ip=ip),
                ready_before=before.ready,
                probes=probes,
                clock=clock,
            )
            for kind, probe in probes_of(container).items()
            if is_asked_by_us(probe)
        }
        self._clock = clock
        self._running: list[asyncio.Task[None]] = []
        self._started = before.started
        self._patient_until = math.inf
        self._was_unhealthy = False
        self._seen = TaskContainer(name=container.name)
        self._last = self.health(self._seen)

    def start(self, group: asyncio.TaskGroup, *, ran_for: float, spread: float, listener: Listener) -> None:
        """Let the workers ask.

        Args:
            group: where they live.
            ran_for: seconds since the container's start, which count against `initialDelaySeconds`.
            spread: 0 to 1: when within its first second each begins, so that replicas do not ask at once.
            listener: told of every answer.
        """
        probes = probes_of(self._container)
        for kind, worker in self._workers.items():
            delay = max(probes[kind].initial_delay_seconds - ran_for, 0.0) + spread
            run = worker.run(
                first_in=delay,
                may_ask=self._may_ask(worker, listener),
                heard=lambda asked, answer: self._hear(asked, answer, listener),
            )
            self._running.append(group.create_task(run))
        startup = probes.get("startup")
        if startup is not None and not is_asked_by_us(startup):
            left = startup.patience - ran_for
            self._patient_until = self._clock.steady() + left
            self._running.append(group.create_task(self._run_out(left, listener)))

    def stop(self) -> None:
        """Ask no more."""
        for each in self._running:
            each.cancel()

    def health(self, seen: TaskContainer) -> Health:
        """What the probes say, ECS's own health check included; who has started once, has for this life."""
        self._seen = seen
        counts = {kind: each.count for kind, each in self._workers.items()}
        patient = self._clock.steady() < self._patient_until
        health = health_of(self._container, counts, seen, started=self._started, patient=patient)
        self._started = health.started
        return health

    def found_by_ecs(self, seen: TaskContainer) -> tuple[ProbeKind, ...]:
        """The exec probes that ECS has just found to fail; each failure is told once."""
        has_started = self.health(seen).started
        was, self._was_unhealthy = self._was_unhealthy, seen.health == "UNHEALTHY"
        if was or not self._was_unhealthy:
            return ()
        commands = [kind for kind, probe in probes_of(self._container).items() if not is_asked_by_us(probe)]
        return tuple(kind for kind in commands if (kind == "startup") is not has_started)

    async def _run_out(self, seconds: float, listener: Listener) -> None:
        """What ECS says of an exec startup probe counts from now on, and ECS will not say it again."""
        await self._clock.sleep(max(seconds, 0.0))
        listener.changed()

    def _may_ask(self, worker: ProbeWorker, listener: Listener) -> Callable[[], bool]:
        """Readiness and liveness wait for the startup probe."""
        if worker.kind == "startup":
            return listener.leads
        return lambda: listener.leads() and self.health(self._seen).started

    def _hear(self, worker: ProbeWorker, answer: Answer, listener: Listener) -> None:
        listener.heard(worker.kind, answer)
        if self._has_changed():
            listener.changed()

    def _has_changed(self) -> bool:
        now = self.health(self._seen)
        changed, self._last = now != self._last, now
        return changed
