"""Runs the health checks of containers, and keeps each container's health.

An unhealthy container goes on running: only tasks of a service are stopped for it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.local.fargate.agenda import Agenda
from app.local.fargate.definitions.container_spec import HealthCheck
from app.local.fargate.running.workload import Runner, Workload
from app.local.fargate.tasks.health import UNKNOWN, Condition, after_check
from app.local.fargate.tasks.record import ContainerRecord
from app.ports.clock import Clock


@dataclass(kw_only=True)
class HealthMonitor:
    """Checks containers on the agenda, each at its interval, from their starts to their ends."""

    clock: Clock
    agenda: Agenda

    def watch(
        self,
        container: ContainerRecord,
        workload: Workload,
        runner: Runner,
        *,
        changed: Callable[[], None],
    ) -> None:
        """Check a container that was just started, if its definition says how; tell each change of health."""
        check = container.spec.health_check
        if check is None:
            return
        container.health = UNKNOWN
        _Watch(
            clock=self.clock,
            agenda=self.agenda,
            container=container,
            check=check,
            workload=workload,
            runner=runner,
            changed=changed,
            run=container.run,
        ).rest()


@dataclass(kw_only=True)
class _Watch:
    """The checks of one run of a container; its next run gets a watch of its own."""

    clock: Clock
    agenda: Agenda
    container: ContainerRecord
    check: HealthCheck
    workload: Workload
    runner: Runner
    changed: Callable[[], None]
    run: int
    condition: Condition = field(default_factory=Condition)
    _number: int = 0
    _give_up: Callable[[], None] | None = field(default=None, repr=False)

    def rest(self) -> None:
        """Check again after the interval; the first check comes one interval after the start."""
        self.agenda.after(self.check.interval, self._begin)

    def _is_over(self) -> bool:
        return self.container.status != "RUNNING" or self.container.run != self.run

    def _begin(self) -> None:
        if self._is_over():
            return
        self._number += 1
        number = self._number
        self._give_up = self.runner.check(
            self.workload, self.check.argv, lambda code: self._end(number, passed=code == 0)
        )
        self.agenda.after(self.check.timeout, lambda: self._end(number, passed=False))

    def _end(self, number: int, *, passed: bool) -> None:
        """Take the first of answer and timeout into account, and ignore the other."""
        if number != self._number or self._give_up is None:
            return
        give_up, self._give_up = self._give_up, None
        give_up()
        if self._is_over():
            return
        ran = self.clock.steady() - (self.container.started or 0.0)
        self.condition = after_check(self.condition, self.check, passed=passed, ran=ran)
        if self.condition.status != self.container.health:
            self.container.health = self.condition.status
            self.changed()
        self.rest()
