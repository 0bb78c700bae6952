"""Container Insights: what ECS measures of each container, once a minute (`app.ports.usage.Insights`).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.log_search import filtered
from app.model.names import TaskArn
from app.model.usage import Sample
from app.model.wire import Json
from app.ports.failures import NotFound
from app.ports.usage import Insights
from app.telemetry import logs

log = logs.get(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = 1024
"""CPU units of a core."""

_MIB: Final = 1024 * 1024
_ONLY: Final = '{ $.Type = "Container" }'

Figure = Annotated[float, msgspec.Meta(ge=0)]


class _Performance(msgspec.Struct, frozen=True, rename="pascal"):
    """A performance log event of one container; CPU in units, memory in MiB, time in milliseconds."""

    task_id: str
    container_name: str
    timestamp: int
    cpu_utilized: Figure
    memory_utilized: Figure


class ContainerInsights(Insights):
    """The performance log of one ECS cluster."""

    def __init__(self, connection: Connection, *, limiter: Limiter, cluster: str) -> None:
        self._connection = connection
        self._limiter = limiter
        self._cluster = cluster
        self._told = False

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What was measured of these tasks' containers since then; none where Insights is off."""
        arns = {arn.rsplit("/", 1)[-1]: arn for arn in tasks}
        try:
            events = await filtered(
                self._connection,
                self._limiter,
                since=since,
                logGroupName=f"/aws/ecs/containerinsights/{self._cluster}/performance",
                filterPattern=_ONLY,
            )
        except NotFound:
            self._tell()
            return []
        return list(_samples(events, arns))

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "no Container Insights: kubectl top and HPA know nothing of overflow pods without a helper; "
                "set containerInsights=enabled on the ECS cluster (aws ecs update-cluster-settings)",
                cluster=self._cluster,
            )


def _samples(events: Sequence[Json], arns: Mapping[str, TaskArn]) -> Iterator[Sample]:
    """The events that are measurements of these tasks; anybody may write to a log group."""
    for event in events:
        try:
            told = msgspec.json.decode(str(event.get("message", "")), type=_Performance)
        except msgspec.MsgspecError:
            continue
        if told.task_id in arns:
            yield Sample(
                task=arns[told.task_id],
                container=told.container_name,
                at=_EPOCH + timedelta(milliseconds=told.timestamp),
                cores=told.cpu_utilized / _UNITS,
                working_set=round(told.memory_utilized * _MIB),
            )
