"""The life of a task, from its launch until ECS has forgotten it.

PROVISIONING → PENDING → ACTIVATING → RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING → STOPPED
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html

Going up, each stage takes the time that the pace gives it, and PENDING besides until every container has
started: a task is as far as the least of its containers (updateTaskKnownStatus in agent/api/task/task.go of
aws/amazon-ecs-agent), so while init containers run it is PENDING and has no `startedAt`. Going down, STOPPING
lasts until every container is over. Everything that a client can see change is one more `version`, and one
more entry in the journal; health alone changes without a new version.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from app.local.fargate.logs.store import LogStore
from app.local.fargate.running.entrance import CANNOT_START
from app.local.fargate.running.simulated import OUT_OF_MEMORY
from app.local.fargate.running.workload import Key
from app.local.fargate.tasks import ordering
from app.local.fargate.tasks.agent_monitor import AgentMonitor
from app.local.fargate.tasks.changes import container_state_of
from app.local.fargate.tasks.descent import Descent, Step
from app.local.fargate.tasks.health_monitor import HealthMonitor
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord
from app.local.fargate.tasks.surroundings import Surroundings

FAILED_TO_START: Final = "TaskFailedToStart"
ESSENTIAL_EXITED: Final = "EssentialContainerExited"
USER_INITIATED: Final = "UserInitiated"

_UNMET_DEPENDENCY: Final = 143
"""The exit code that the ECS agent gives a container whose dependency can no longer be met."""


@dataclass(kw_only=True)
class Lifecycle(Descent):
    """Moves tasks along (`running.workload.Listener` for their containers).

    Attributes:
        began: told of each task that has come to RUNNING.
    """

    surroundings: Surroundings
    logs: LogStore
    health: HealthMonitor
    agents: AgentMonitor
    began: Step

    def launch(self, task: TaskRecord) -> None:
        """Begin a task's life; it has version 1 when this returns."""
        self.tasks[task.id] = task
        self._date(task, "createdAt")
        self._note(task)
        self._later(task, self.pace.provisioning, self._provision)

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
            self._restart(task, container, code, reason)
            return
        self._end(task, container, code, reason or container.doom)

    def _restart(self, task: TaskRecord, container: ContainerRecord, code: int, reason: str) -> None:
        """Start a container again; the agent tells nobody of it, so there is no new version."""
        ended = container_state_of(task, container)
        self.journal.container(
            msgspec.structs.replace(ended, status="STOPPED", exit_code=code, reason=reason)
        )
        self._start(task, container)

    def _end(self, task: TaskRecord, container: ContainerRecord, code: int, reason: str) -> None:
        self._close(task, container, code, reason)
        if task.desired == "STOPPED":
            self._stop_containers(task)
        elif not container.spec.essential:
            self._start_containers(task)
        elif reason.startswith(CANNOT_START):
            self._fail(task, "Task failed to start")
        else:
            self.stop(task, code=ESSENTIAL_EXITED, reason="Essential container in task exited")

    def _close(self, task: TaskRecord, container: ContainerRecord, code: int, reason: str) -> None:
        container.status = "STOPPED"
        container.exit_code = code
        container.times["FinishedAt"] = self._now()
        container.reason = reason
        self._tell(task, container)
        self._note(task)

    def _provision(self, task: TaskRecord) -> None:
        if task.refusal:
            self._fail(task, task.refusal)
            return
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
        unready = self.surroundings.prepare(task)
        if unready:
            self._fail(task, unready)
            return
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
        elif task.untold:
            self._note(task)

    def _give_up(self, task: TaskRecord, container: ContainerRecord) -> None:
        self._close(task, container, _UNMET_DEPENDENCY, ordering.hindrance(container.spec, task.states))
        if container.spec.essential:
            self._fail(task, "Task failed to start")
        else:
            self._start_containers(task)

    def _start(self, task: TaskRecord, container: ContainerRecord) -> None:
        container.status = "RUNNING"
        container.started = self.clock.steady()
        container.times["StartedAt"] = self._now()
        container.run += 1
        container.cpu_time = 0
        task.untold = task.status == "PENDING"
        self._tell(task, container)
        if container.log is not None:
            self.logs.ensure_stream(container.log)
        workload, runner = self.surroundings.workload(task, container), self.runners[task.real]
        runner.start(workload, self)
        self.health.watch(container, workload, runner, changed=partial(self._health_changed, task, container))
        self.agents.watch(task, container, runner, changed=partial(self._note, task))
        if container.spec.start_timeout is not None:
            self.agenda.after(container.spec.start_timeout, partial(self._outrun, task, container))
        if task.oom_after is not None:
            self.agenda.after(task.oom_after, partial(self._run_out_of_memory, task, container))

    def _health_changed(self, task: TaskRecord, container: ContainerRecord) -> None:
        self._tell(task, container)
        self._go_on(task)

    def _outrun(self, task: TaskRecord, container: ContainerRecord) -> None:
        container.late = True
        self._go_on(task)

    def _go_on(self, task: TaskRecord) -> None:
        if task.desired == "RUNNING" and task.status == "PENDING":
            self._start_containers(task)

    def _run_out_of_memory(self, task: TaskRecord, container: ContainerRecord) -> None:
        if container.status == "RUNNING":
            container.doom = OUT_OF_MEMORY
            self.runners[task.real].kill((task.id, container.spec.name))

    def _run(self, task: TaskRecord) -> None:
        self._date(task, "startedAt")
        self._enter(task, "RUNNING")
        self.began(task)

    def _fail(self, task: TaskRecord, reason: str) -> None:
        self.stop(task, code=FAILED_TO_START, reason=reason)
