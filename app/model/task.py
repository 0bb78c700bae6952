"""An ECS task as Spillway sees it, and what it takes to launch one.

Field meanings: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from app.model.names import PodUid, TaskArn
from app.model.wire import Json


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose task it is. Lives in an override variable, since StopTask deletes tags.

    `cluster` is the uid of the namespace kube-system: it tells two Kubernetes clusters apart that share one
    ECS cluster.
    """

    cluster: str
    node: str
    namespace: str
    name: str
    uid: PodUid

    def text(self) -> str:
        """The variable's value."""
        return msgspec.json.encode(self).decode()


def identity_from(text: str) -> Identity | None:
    """The identity in the variable's value; None where another program wrote it."""
    try:
        return msgspec.json.decode(text, type=Identity)
    except msgspec.MsgspecError:
        return None


class TaskContainer(msgspec.Struct, frozen=True, kw_only=True):
    """One container of a task. `exit_code` is None while it runs, and where ECS never learned it.

    Attributes:
        health: UNKNOWN, HEALTHY or UNHEALTHY.
        agent: the state of ECS's agent for sessions in it (`ExecuteCommandAgent`); empty where there is none.
        agent_reason: why the agent is in that state, in ECS's words.
        words: the first few words of the command that the launch gave it; none where the definition's holds.
    """

    name: str
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    runtime_id: str = ""
    image: str = ""
    image_digest: str = ""
    health: str = "UNKNOWN"
    agent: str = ""
    agent_reason: str = ""
    words: tuple[str, ...] = ()


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One ECS task; times are timezone-aware UTC, `ip` is empty until its network interface is attached.

    `execute_command` says whether sessions may be opened in it, which only its launch can ask for.
    """

    arn: TaskArn
    last_status: str
    desired_status: str = "RUNNING"
    identity: Identity | None = None
    attempt: int = 0
    definition: str = ""
    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[TaskContainer, ...] = ()
    ip: str = ""
    version: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    execute_command: bool = False

    @property
    def is_stopped(self) -> bool:
        """Whether the task is over; nothing about it changes any more."""
        return self.last_status in STOPPED_STATES

    @property
    def task_id(self) -> str:
        """The last part of the ARN; log streams are named after it."""
        return self.arn.rsplit("/", 1)[-1]


STOPPED_STATES: Final = frozenset({"STOPPED", "DELETED"})


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A content-addressed task definition: equal `family` means equal content.

    `body` is RegisterTaskDefinition's request without `family`, in AWS's own field names.
    """

    family: str
    body: dict[str, Json]


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything RunTask needs for one attempt; the same value always makes the same call.

    Attributes:
        overrides: RunTask's `overrides`, in AWS's own field names (at most 8,192 characters as JSON).
        capacity: on-demand or Spot.
        security_groups: in place of the bridge's own, where any are given.
        volumes: RunTask's `volumeConfigurations`, in AWS's own field names.
        turn: 0 for the first attempt, which may land in any of the bridge's subnets; those after it are
            confined to one subnet after another.
        execute_command: whether sessions may be opened in it (`enableExecuteCommand`).
    """

    definition: Definition
    overrides: dict[str, Json]
    started_by: str
    client_token: str
    capacity: Literal["on-demand", "spot"] = "on-demand"
    security_groups: tuple[str, ...] = ()
    volumes: tuple[Json, ...] = ()
    turn: int = 0
    execute_command: bool = False
