"""What containers use, as metrics-server and people want to know it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

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
    """A container of a pod; `cpu_seconds` never falls while the container runs, and is never 0."""

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


class Usage(Protocol):
    """The node's pods, measured; from memory. The bridge knows them."""

    def pods(self) -> Sequence[PodUsage]:
        """Those that are known well enough to be told of."""
        ...


class Insights(Protocol):
    """Container Insights: what ECS measures each minute.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
    """

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What was measured of these tasks' containers since then; none where Insights is off.

        Raises Throttled, Refused, Unavailable.
        """
        ...
