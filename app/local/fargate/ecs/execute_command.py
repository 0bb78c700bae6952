"""ExecuteCommand: who may have a session in which container.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.local.fargate.ecs.clusters import Clusters
from app.local.fargate.ecs.task_api import TaskApi
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json
from app.local.fargate.session_manager.manager import SessionManager
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord
from app.local.fargate.tasks.surroundings import Surroundings

_LONGEST_COMMAND: Final = 4096


@dataclass(frozen=True, kw_only=True)
class ExecuteCommandApi:
    """Opens sessions."""

    clusters: Clusters
    tasks: TaskApi
    surroundings: Surroundings
    sessions: SessionManager

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operation that this part of ECS answers."""
        return {"ExecuteCommand": self.execute}

    def execute(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html."""
        cluster = self.clusters.arn_of(params)
        if not params["interactive"]:
            raise invalid("Interactive is the only mode supported currently.")
        argv = _words(params["command"])
        task = self.tasks.find(params["task"], cluster=cluster)
        if task is None:
            raise invalid("The referenced task was not found.")
        container = _container(task, params.get("container"))
        _require_agent(container)
        _require_process(task, container)
        workload = self.surroundings.workload(task, container)
        return {
            "clusterArn": cluster,
            "containerArn": container.arn,
            "containerName": container.spec.name,
            "interactive": True,
            "session": self.sessions.open(task=task.arn, workload=workload, argv=argv),
            "taskArn": task.arn,
        }


def _words(command: str) -> tuple[str, ...]:
    """The words of a command line, split by spaces outside of quotes; there is no shell."""
    if len(command) > _LONGEST_COMMAND:
        raise invalid(f"The command must have at most {_LONGEST_COMMAND} characters.")
    try:
        words = tuple(shlex.split(command))
    except ValueError as cause:
        raise invalid(f"The command cannot be split into words: {cause}.") from cause
    if not words:
        raise invalid("The command must not be empty.")
    return words


def _container(task: TaskRecord, name: str | None) -> ContainerRecord:
    if name is None and len(task.containers) > 1:
        raise invalid("A container name must be specified for a task that has multiple containers.")
    name = name if name is not None else next(iter(task.containers))
    if name not in task.containers:
        raise invalid(f"The container {name} does not exist in the task.")
    return task.containers[name]


def _require_agent(container: ContainerRecord) -> None:
    if container.agent is None:
        raise invalid(
            "The execute command failed because execute command was not enabled when the task was run or the "
            "execute command agent isn’t running. Wait and try again or run a new task with execute command "  # noqa: RUF001  (AWS writes it so)
            "enabled and try again."
        )
    if container.status != "RUNNING" or container.agent.status != "RUNNING":
        reason = container.agent.reason or f"The container is {container.status}."
        raise AwsError(
            "TargetNotConnectedException",
            f"The execute command failed due to an internal error. Try again later. {reason}",
        )


def _require_process(task: TaskRecord, container: ContainerRecord) -> None:
    """That there is something to be entered; AWS never says this, for there every container runs."""
    if not task.real:
        raise invalid(
            f"The embedded Fargate only simulates container {container.spec.name}: its command, or one of "
            "its task's, is not on this host or not named, so there is no process to enter. Give every "
            "container of the pod a command that this host has."
        )
