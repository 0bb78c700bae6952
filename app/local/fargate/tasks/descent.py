"""The way down in a task's life, and what every step of it needs: stages, versions, dates.

RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING → STOPPED → forgotten
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.journal import Journal
from app.local.fargate.running.workload import Runner
from app.local.fargate.tasks import ordering
from app.local.fargate.tasks.changes import change_of, container_state_of
from app.local.fargate.tasks.network import Network
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord
from app.ports.clock import Clock

Step = Callable[[TaskRecord], None]


@dataclass(kw_only=True)
class Descent:
    """Stops tasks, whoever wants it, and keeps the books of every task.

    Attributes:
        runners: what runs containers for real (True) and what simulates them (False).
        changed: told of each new version of a task.
        over: told of each task of which nothing runs any more, or will not for long.
        tasks: every task by its id, until its time is over.
    """

    clock: Clock
    agenda: Agenda
    pace: Pace
    journal: Journal
    network: Network
    runners: Mapping[bool, Runner]
    changed: Step
    over: Step
    tasks: dict[str, TaskRecord] = field(default_factory=dict)

    def is_launched_from(self, definition: str) -> bool:
        """Whether a task that is not over yet was launched from the definition with this ARN."""
        return any(
            each.definition.arn == definition and each.status != "STOPPED" for each in self.tasks.values()
        )

    def stop(self, task: TaskRecord, *, code: str, reason: str) -> None:
        """Want the task stopped; the first reason stays."""
        if task.desired == "STOPPED":
            return
        self._want_stopped(task, code=code, reason=reason)
        self._later(task, 0.0, self._leave)

    def give_notice(self, task: TaskRecord, *, code: str, reason: str, seconds: float) -> None:
        """Send SIGTERM to a running task's containers at once; it stays RUNNING until they are over.

        Those that are not over after `seconds`, or after their own stop timeout, are killed. A task that is
        not RUNNING is stopped without notice.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
        """
        if task.status != "RUNNING" or task.desired == "STOPPED":
            self.stop(task, code=code, reason=reason)
            return
        task.noticed = True
        self._want_stopped(task, code=code, reason=reason)
        self._later(task, seconds, self._cut_short)
        self._stop_containers(task)

    def lose(self, task: TaskRecord) -> None:
        """Let ECS forget a task from one moment to the next, with all that ran in it.

        One that is STOPPED is only forgotten before its time.
        """
        del self.tasks[task.id]
        if task.status == "STOPPED":
            return
        for name, container in task.containers.items():
            container.status = "STOPPED"
            self.runners[task.real].kill((task.id, name))
        if task.interface is not None:
            self.network.release(task.interface)
        self.over(task)
        task.status = "DELETED"
        task.version += 1
        self.journal.transition(change_of(task))

    def _want_stopped(self, task: TaskRecord, *, code: str, reason: str) -> None:
        task.desired = "STOPPED"
        task.stop_code = code
        task.stopped_reason = reason
        self._date(task, "stoppingAt")
        self._note(task)

    def _leave(self, task: TaskRecord) -> None:
        for container in task.containers.values():
            if container.status == "PENDING":
                container.status = "STOPPED"
                self._tell(task, container)
        if task.status in {"ACTIVATING", "RUNNING"}:
            self._enter(task, "DEACTIVATING")
            self._later(task, self.pace.deactivating, self._halt)
        elif any(each.status == "RUNNING" for each in task.containers.values()):
            self._halt(task)
        else:
            self._deprovision(task)

    def _cut_short(self, task: TaskRecord) -> None:
        for name in task.containers:
            self.runners[task.real].kill((task.id, name))

    def _halt(self, task: TaskRecord) -> None:
        self._enter(task, "STOPPING")
        self._stop_containers(task)

    def _stop_containers(self, task: TaskRecord) -> None:
        over = all(each.status == "STOPPED" for each in task.containers.values())
        if task.status == "RUNNING" and task.noticed and over:
            self._leave(task)
            return
        if task.status != "STOPPING" and not task.noticed:
            return
        if over:
            self._date(task, "executionStoppedAt")
            self._deprovision(task)
            return
        runner = self.runners[task.real]
        for name in ordering.next_to_stop(task.specs, task.states):
            container = task.containers[name]
            if not container.stopping:
                container.stopping = True
                runner.terminate((task.id, name))
                self.agenda.after(container.spec.stop_timeout, partial(runner.kill, (task.id, name)))

    def _deprovision(self, task: TaskRecord) -> None:
        self._enter(task, "DEPROVISIONING")
        self._later(task, self.pace.deprovisioning, self._finish)

    def _finish(self, task: TaskRecord) -> None:
        if task.interface is not None:
            self.network.release(task.interface)
            task.interface_status = "DELETED"
        self.over(task)
        self._date(task, "stoppedAt")
        self._enter(task, "STOPPED")
        self._later(task, self.pace.kept, self._forget)

    def _forget(self, task: TaskRecord) -> None:
        self.tasks.pop(task.id, None)

    def _enter(self, task: TaskRecord, status: str) -> None:
        task.status = status
        self._note(task)

    def _later(self, task: TaskRecord, seconds: float, step: Step) -> None:
        """Take a step, unless something else has happened to the task by then."""
        state = (task.status, task.desired)

        def take() -> None:
            if (task.status, task.desired) == state:
                step(task)

        self.agenda.after(seconds, take)

    def _date(self, task: TaskRecord, name: str) -> None:
        task.times[name] = self._now()

    def _now(self) -> float:
        return round(self.clock.now().timestamp(), 3)

    def _tell(self, task: TaskRecord, container: ContainerRecord) -> None:
        self.journal.container(container_state_of(task, container))

    def _note(self, task: TaskRecord) -> None:
        task.version += 1
        task.untold = False
        self.journal.transition(change_of(task))
        self.changed(task)
