"""The life of a task, from its launch until ECS has forgotten it.

PROVISIONING → PENDING → ACTIVATING → RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING → STOPPED
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html

Going up, each stage takes the time that the pace gives it, and PENDING besides until every container has
started. Going down, STOPPING lasts until every container is over. Everything that a client can see change is
one more `version`, and one more entry in the journal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from app.local.fargate import ordering
from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.journal import Change, Journal
from app.local.fargate.log_store import LogStore
from app.local.fargate.network import Network
from app.local.fargate.record import ContainerRecord, TaskRecord, workload_of
from app.local.fargate.simulated import OUT_OF_MEMORY
from app.local.fargate.workload import Key, Runner
from app.ports.clock import Clock

FAILED_TO_START: Final = "TaskFailedToStart"
ESSENTIAL_EXITED: Final = "EssentialContainerExited"
USER_INITIATED: Final = "UserInitiated"

_UNMET_DEPENDENCY: Final = 143
"""The exit code that the ECS agent gives a container whose dependency can no longer be met."""

Step = Callable[[TaskRecord], None]


@dataclass(kw_only=True)
class Lifecycle:
    """Moves tasks along (app.local.fargate.workload.Listener for their containers).

    Attributes:
        runners: what runs containers for real (True) and what simulates them (False).
        tasks: every task by its id, until its time is over.
    """

    clock: Clock
    agenda: Agenda
    pace: Pace
    region: str
    journal: Journal
    network: Network
    logs: LogStore
    runners: Mapping[bool, Runner]
    tasks: dict[str, TaskRecord] = field(default_factory=dict)

    def launch(self, task: TaskRecord) -> None:
        """Begin a task's life; it has version 1 when this returns."""
        self.tasks[task.id] = task
        self._date(task, "createdAt")
        self._note(task)
        self._later(task, self.pace.provisioning, self._provision)

    def stop(self, task: TaskRecord, *, code: str, reason: str) -> None:
        """Want the task stopped; the first reason stays."""
        if task.desired == "STOPPED":
            return
        task.desired = "STOPPED"
        task.stop_code = code
        task.stopped_reason = reason
        self._date(task, "stoppingAt")
        self._note(task)
        self._later(task, 0.0, self._leave)

    def printed(self, key: Key, line: str) -> None:
        """Put a container's line into its log stream; empty ones are dropped, as the awslogs driver does."""
        task = self.tasks.get(key[0])
        log = task.containers[key[1]].log if task is not None else None
        if log is not None and line:
            at = self.clock.now()
            self.agenda.after(self.pace.logged_after, partial(self.logs.append, log, line, printed=at))

    def exited(self, key: Key, code: int, *, reason: str = "") -> None:
        """Take a container's end into account: restart it, stop its task, or start who waited for it."""
        task = self.tasks.get(key[0])
        if task is None:
            return
        container = task.containers[key[1]]
        ran = self.clock.steady() - (container.started or 0.0)
        if task.desired == "RUNNING" and ordering.restarts(container.spec, exit_code=code, ran=ran):
            self._start(task, container)
            return
        self._end(task, container, code, reason or container.doom)

    def _end(self, task: TaskRecord, container: ContainerRecord, code: int, reason: str) -> None:
        self._close(task, container, code, reason)
        if task.desired == "STOPPED":
            self._stop_containers(task)
        elif not container.spec.essential:
            self._start_containers(task)
        else:
            self.stop(task, code=ESSENTIAL_EXITED, reason="Essential container in task exited")

    def _close(self, task: TaskRecord, container: ContainerRecord, code: int, reason: str) -> None:
        container.status = "STOPPED"
        container.exit_code = code
        container.reason = reason
        self._note(task)

    def _provision(self, task: TaskRecord) -> None:
        task.interface = self.network.attach(task.subnet)
        if task.interface is None:
            task.interface_status = "FAILED"
            self._fail(
                task,
                "Unexpected EC2 error while attempting to Create Network Interface in subnet "
                f"'{task.subnet}': InsufficientFreeAddressesInSubnet",
            )
            return
        task.interface_status = "ATTACHED"
        task.times["connectivityAt"] = self._now()
        self._date(task, "pullStartedAt")
        self._enter(task, "PENDING")
        self._later(task, self.pace.pending, self._pulled)

    def _pulled(self, task: TaskRecord) -> None:
        if task.pull_error:
            reason = f"CannotPullContainerError: {task.pull_error}"
            for container in task.containers.values():
                container.reason = reason
            self._fail(task, reason)
            return
        self._date(task, "pullStoppedAt")
        missing = self._missing_group(task)
        if missing is not None:
            self._fail(
                task,
                "ResourceInitializationError: failed to validate logger args: create stream has been retried "
                "1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: "
                f"The specified log group does not exist ({missing}).",
            )
            return
        self._start_containers(task)

    def _missing_group(self, task: TaskRecord) -> str | None:
        for container in task.containers.values():
            if container.log is None or self.logs.has_group(container.log.group):
                continue
            if (container.spec.awslogs or {}).get("awslogs-create-group") != "true":
                return container.log.group
            self.logs.create_group(container.log.group)
        return None

    def _start_containers(self, task: TaskRecord) -> None:
        waiting = [each for each in task.containers.values() if each.status == "PENDING"]
        for container in waiting:
            match ordering.readiness(container.spec, task.states):
                case "start":
                    self._start(task, container)
                    self._start_containers(task)
                    return
                case "never":
                    self._give_up(task, container)
                    return
                case "wait":
                    continue
        if not waiting and task.status == "PENDING":
            self._enter(task, "ACTIVATING")
            self._later(task, self.pace.activating, self._run)

    def _give_up(self, task: TaskRecord, container: ContainerRecord) -> None:
        reason = "CannotStartContainerError: a container it depends on did not succeed"
        self._close(task, container, _UNMET_DEPENDENCY, reason)
        if container.spec.essential:
            self._fail(task, "Task failed to start")
        else:
            self._start_containers(task)

    def _start(self, task: TaskRecord, container: ContainerRecord) -> None:
        container.status = "RUNNING"
        container.started = self.clock.steady()
        if container.log is not None:
            self.logs.ensure_stream(container.log)
        self.runners[task.real].start(workload_of(task, container, region=self.region), self)
        if task.oom_after is not None:
            self.agenda.after(task.oom_after, partial(self._run_out_of_memory, task, container))

    def _run_out_of_memory(self, task: TaskRecord, container: ContainerRecord) -> None:
        if container.status == "RUNNING":
            container.doom = OUT_OF_MEMORY
            self.runners[task.real].kill((task.id, container.spec.name))

    def _run(self, task: TaskRecord) -> None:
        self._date(task, "startedAt")
        self._enter(task, "RUNNING")

    def _fail(self, task: TaskRecord, reason: str) -> None:
        self.stop(task, code=FAILED_TO_START, reason=reason)

    def _leave(self, task: TaskRecord) -> None:
        for container in task.containers.values():
            if container.status == "PENDING":
                container.status = "STOPPED"
        if task.status in {"ACTIVATING", "RUNNING"}:
            self._enter(task, "DEACTIVATING")
            self._later(task, self.pace.deactivating, self._halt)
        elif any(each.status == "RUNNING" for each in task.containers.values()):
            self._halt(task)
        else:
            self._deprovision(task)

    def _halt(self, task: TaskRecord) -> None:
        self._enter(task, "STOPPING")
        self._stop_containers(task)

    def _stop_containers(self, task: TaskRecord) -> None:
        if task.status != "STOPPING":
            return
        if all(each.status == "STOPPED" for each in task.containers.values()):
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
        self._date(task, "stoppedAt")
        self._enter(task, "STOPPED")
        self._later(task, self.pace.kept, self._forget)

    def _forget(self, task: TaskRecord) -> None:
        del self.tasks[task.id]

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

    def _note(self, task: TaskRecord) -> None:
        task.version += 1
        self.journal.transition(
            Change(
                task=task.arn,
                version=task.version,
                status=task.status,
                desired=task.desired,
                pod=task.identity,
                attempt=task.attempt,
                started_by=task.params.get("startedBy", ""),
                definition=task.definition.short,
                capacity=task.capacity,
                stop_code=task.stop_code,
                reason=task.stopped_reason,
            )
        )
