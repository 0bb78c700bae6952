"""What the bridge asks of ECS. All of them raise `app.ports.failures` only."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from app.model.names import TaskArn
from app.model.task import Definition, Launch, Task


class Described(msgspec.Struct, frozen=True):
    """The tasks that ECS knows, and the ARNs that it says it does not (`failures[].reason=MISSING`)."""

    tasks: tuple[Task, ...]
    missing: tuple[TaskArn, ...]


class Tasks(Protocol):
    """Tasks of one ECS cluster."""

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        """RunTask with count 1 and the launch's client token; the task has the launch's identity and attempt.

        Raises NoCapacity, Throttled, Refused; Conflict (with `existing`) where the token was used with other
        parameters; Unavailable where the outcome is unknown: repeat with the same launch.
        """
        ...

    async def stop(self, arn: TaskArn, *, reason: str) -> None:
        """StopTask: SIGTERM, then SIGKILL after the containers' stopTimeout. Stopped already is success."""
        ...

    async def describe(self, arns: Sequence[TaskArn]) -> Described:
        """DescribeTasks, by the hundred; all of them or a failure."""
        ...

    async def arns(self, desired: Literal["RUNNING", "STOPPED"]) -> tuple[TaskArn, ...]:
        """ListTasks of the whole cluster, every page of it or a failure: never a partial listing."""
        ...


class Definitions(Protocol):
    """Task definitions, addressed by content (`Definition.family`)."""

    async def find(self, family: str) -> str:
        """The ARN of the family's active revision. Raises NotFound."""
        ...

    async def register(self, definition: Definition) -> str:
        """RegisterTaskDefinition; the new revision's ARN. Raises Throttled, Refused, Unavailable."""
        ...
