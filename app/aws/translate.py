"""ECS's answers as our values: lenient about what is missing or unknown. Pure.

Shapes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE, TaskArn
from app.model.task import Identity, Launch, Task, TaskContainer, identity_from
from app.model.wire import Json
from app.ports.failures import Unavailable
from app.ports.tasks import Described


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """Base of what we read of ECS's JSON; what else stands there is skipped."""


Shape = TypeVar("Shape", bound=_Wire)


class _Pair(_Wire, frozen=True):
    name: str = ""
    value: str = ""


class _Attachment(_Wire, frozen=True):
    details: tuple[_Pair, ...] = ()


class _Interface(_Wire, frozen=True):
    private_ipv4_address: str = ""


class _Agent(_Wire, frozen=True):
    name: str = ""
    last_status: str = ""
    reason: str = ""


class _Container(_Wire, frozen=True):
    name: str = ""
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    runtime_id: str = ""
    image: str = ""
    image_digest: str = ""
    health_status: str = "UNKNOWN"
    network_interfaces: tuple[_Interface, ...] = ()
    managed_agents: tuple[_Agent, ...] = ()


class _Override(_Wire, frozen=True):
    name: str = ""
    environment: tuple[_Pair, ...] = ()
    command: tuple[str, ...] = ()


class _Overrides(_Wire, frozen=True):
    container_overrides: tuple[_Override, ...] = ()


class _Task(_Wire, frozen=True):
    task_arn: str = ""
    last_status: str = ""
    desired_status: str = ""
    task_definition_arn: str = ""
    stop_code: str = ""
    stopped_reason: str = ""
    version: int = 0
    containers: tuple[_Container, ...] = ()
    attachments: tuple[_Attachment, ...] = ()
    overrides: _Overrides = _Overrides()
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    enable_execute_command: bool = False


class _Failure(_Wire, frozen=True):
    arn: str = ""
    reason: str = ""
    detail: str = ""


def task(wire: Mapping[str, Json]) -> Task:
    """One element of `tasks[]`, timestamps as botocore's datetimes.

    Raises:
        Unavailable: it has not the shape of a task, so it says nothing about one.
    """
    read = _read(wire, _Task)
    return Task(
        arn=TaskArn(read.task_arn),
        last_status=read.last_status,
        desired_status=read.desired_status,
        identity=_identity(read.overrides),
        attempt=_attempt(read.overrides),
        definition=read.task_definition_arn,
        stop_code=read.stop_code,
        stopped_reason=read.stopped_reason,
        containers=tuple(_container(each, read.overrides) for each in read.containers),
        ip=_ip(read),
        version=read.version,
        created_at=_utc(read.created_at),
        started_at=_utc(read.started_at),
        stopping_at=_utc(read.stopping_at),
        stopped_at=_utc(read.stopped_at),
        execute_command=read.enable_execute_command,
    )


def launched(wire: Mapping[str, Json], launch: Launch) -> Task:
    """The task in RunTask's answer.

    A client token's second use may return a stopped task's ARN and statuses alone; what it was launched with
    is then known from the launch, which is the same by the token.
    """
    found = task(wire)
    if found.identity is not None:
        return found
    overrides = _read(launch.overrides, _Overrides)
    return msgspec.structs.replace(found, identity=_identity(overrides), attempt=_attempt(overrides))


def described(answer: Mapping[str, Json]) -> Described:
    """DescribeTasks' answer.

    Raises:
        Unavailable: ECS failed to look for one of them.
    """
    failures = [_read(each, _Failure) for each in answer.get("failures", ())]
    unknown = [f"{each.arn}: {each.reason} {each.detail}" for each in failures if each.reason != "MISSING"]
    if unknown:
        raise Unavailable("DescribeTasks: " + "; ".join(unknown))
    return Described(
        tasks=tuple(task(each) for each in answer.get("tasks", ())),
        missing=tuple(TaskArn(each.arn) for each in failures),
    )


def tags_of(launch: Launch) -> list[dict[str, str]]:
    """Tags for cost allocation: the same for the same launch, since the client token compares them too.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
    """
    identity = _identity(_read(launch.overrides, _Overrides))
    owned = [{"key": MANAGED_BY, "value": "spillway"}]
    if identity is None:
        return owned
    return [
        *owned,
        {"key": "spillway:cluster", "value": identity.cluster},
        {"key": "spillway:namespace", "value": identity.namespace},
        {"key": "spillway:pod", "value": identity.name},
    ]


SESSION_AGENT: Final = "ExecuteCommandAgent"
"""ECS's agent for sessions, in each container of a task that was launched for them."""

MANAGED_BY: Final = "spillway:managed-by"
"""Tag on everything that we make."""


def _read(wire: Mapping[str, Json], shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(wire, shape)
    except msgspec.ValidationError as error:
        raise Unavailable(
            f"ECS answered with something that is not a {shape.__name__[1:]}: {error}"
        ) from error


def _variables(overrides: _Overrides, name: str) -> Sequence[str]:
    pairs = (pair for each in overrides.container_overrides for pair in each.environment)
    return [pair.value for pair in pairs if pair.name == name]


def _identity(overrides: _Overrides) -> Identity | None:
    found = (identity_from(text) for text in _variables(overrides, IDENTITY_VARIABLE))
    return next(filter(None, found), None)


def _attempt(overrides: _Overrides) -> int:
    texts = _variables(overrides, ATTEMPT_VARIABLE)
    return next((int(text) for text in texts if text.isdecimal()), 0)


_WORDS: Final = 3
"""Words of a launch's command that are kept: they tell whether the in-task helper goes before it."""


def _container(read: _Container, overrides: _Overrides) -> TaskContainer:
    commands = (each.command for each in overrides.container_overrides if each.name == read.name)
    agent = next((each for each in read.managed_agents if each.name == SESSION_AGENT), _Agent())
    return TaskContainer(
        name=read.name,
        last_status=read.last_status,
        exit_code=None if _never_started(read) else read.exit_code,
        reason=read.reason,
        runtime_id=read.runtime_id,
        image=read.image,
        image_digest=read.image_digest,
        health=read.health_status,
        agent=agent.last_status,
        agent_reason=agent.reason,
        words=next(commands, ())[:_WORDS],
    )


def _never_started(read: _Container) -> bool:
    """Whether the container could not be started; ECS says 143 all the same where one it depends on failed.

    https://github.com/aws/amazon-ecs-agent/blob/master/agent/engine/task_manager.go
    """
    return read.reason.startswith(("CannotStart", "CannotCreate", "CannotPull"))


def _ip(read: _Task) -> str:
    # The attachment spells it privateIPv4Address, the container privateIpv4Address, events their own way.
    pairs = (pair for each in read.attachments for pair in each.details)
    attached = (pair.value for pair in pairs if pair.name.lower() == "privateipv4address")
    own = (each.private_ipv4_address for box in read.containers for each in box.network_interfaces)
    return next(filter(None, (*attached, *own)), "")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
