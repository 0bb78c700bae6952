"""What containers use, as metrics-server and people want to know it."""

from datetime import datetime

import msgspec

from app.model.names import PodUid, TaskArn


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a task's container.

    Attributes:
        task: the task.
        container: its name in the task.
        at: when it was measured.
        cpu_seconds: CPU time since its start, where that was measured.
        cores: how many cores it used on average lately, where only that was measured.
        working_set: bytes of memory that cannot be reclaimed.
    """

    task: TaskArn
    container: str
    at: datetime
    cpu_seconds: float | None = None
    cores: float | None = None
    working_set: int = 0


class ContainerUsage(msgspec.Struct, frozen=True, kw_only=True):
    """A container of a pod; `cpu_seconds` counts from `started`, never falls from there, and is never 0."""

    name: str
    started: datetime
    at: datetime
    cpu_seconds: float
    cores: float | None = None
    working_set: int


class PodUsage(msgspec.Struct, frozen=True, kw_only=True):
    """A running pod whose containers have all been measured at least once."""

    namespace: str
    name: str
    uid: PodUid
    started: datetime
    containers: tuple[ContainerUsage, ...]


class NodeUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What all of a node's pods use together; `cpu_seconds` counts from `started`, ended pods included."""

    name: str
    started: datetime
    at: datetime
    cpu_seconds: float = 0.0
    cores: float = 0.0
    working_set: int = 0
