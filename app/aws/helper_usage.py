"""What the in-task helpers tell of their containers' usage, every 15 seconds (`app.ports.usage.Insights`).

Their records stand in log streams of the containers' own log group: helper/README.md says how they look.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.log_search import filtered
from app.model.names import KEEPER_CONTAINER, TaskArn
from app.model.usage import Sample
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused
from app.ports.usage import Insights

WINDOW: Final = timedelta(seconds=90)
"""How far back it is looked: the newest record is in it, and the counters say all of what was before."""

_AHEAD: Final = timedelta(minutes=1)
"""How much later than its record a measurement can claim to be."""

_START: Final = '{"record":"usage",'
_ONLY: Final = '{ $.record = "usage" }'

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANO: Final = 1_000_000_000

Count = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Record(msgspec.Struct, frozen=True):
    """By container: when it was measured, CPU nanoseconds since its start, and the working set in bytes."""

    record: Literal["usage"]
    containers: dict[str, tuple[Moment, Count, Count]]


class HelperUsage(Insights):
    """The keepers' streams `PREFIX/spillway-keeper/TASK_ID` of one log group, all in one look."""

    def __init__(
        self, connection: Connection, *, limiter: Limiter, clock: Clock, group: str, prefix: str
    ) -> None:
        """Nothing is asked yet; `prefix` is that of all streams."""
        self._connection = connection
        self._limiter = limiter
        self._clock = clock
        self._group = group
        self._streams = f"{prefix}/{KEEPER_CONTAINER}/"
        self._narrowed: Mapping[str, Json] = {"logStreamNamePrefix": self._streams}

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What the tasks' helpers told lately, though not before `since`; none where there are none."""
        arns = {self._streams + arn.rsplit("/", 1)[-1]: arn for arn in tasks}
        return list(_samples(await self._events(max(since, self._clock.now() - WINDOW)), arns))

    async def _events(self, since: datetime) -> Sequence[Json]:
        try:
            return await self._look(since, self._narrowed)
        except NotFound:
            return ()
        except Refused:
            # Of a prefix that more than 100 streams share, CloudWatch has been seen to want nothing to do.
            events = await self._look(since, {})
            self._narrowed = {}
            return events

    async def _look(self, since: datetime, narrowed: Mapping[str, Json]) -> Sequence[Json]:
        return await filtered(
            self._connection,
            self._limiter,
            since=since,
            logGroupName=self._group,
            filterPattern=_ONLY,
            **narrowed,
        )


def _samples(events: Sequence[Json], arns: Mapping[str, TaskArn]) -> Iterator[Sample]:
    """The records of these tasks, whatever else a look brings."""
    for event in events:
        arn, message = arns.get(event.get("logStreamName", "")), event.get("message", "")
        if arn is None or not message.startswith(_START):
            continue
        try:
            told = msgspec.json.decode(message, type=_Record)
        except msgspec.MsgspecError:
            continue
        latest = _EPOCH + timedelta(milliseconds=event.get("timestamp", 0)) + _AHEAD
        for name, (at, cpu, memory) in told.containers.items():
            if at <= latest:
                yield Sample(task=arn, container=name, at=at, cpu_seconds=cpu / _NANO, working_set=memory)
