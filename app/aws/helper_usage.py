"""What the in-task helpers tell of their containers' usage, every 15 seconds (`app.ports.usage.Insights`).

Their records stand in log streams of the containers' own log groups: helper/README.md says how they look.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from app.ports.failures import NotFound, PortFailure, Refused
from app.ports.usage import Insights
from app.telemetry import logs

log = logs.get(__name__)

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
    """The keepers' streams `PREFIX/spillway-keeper/TASK_ID` of each log group, all in one look."""

    def __init__(
        self,
        connection: Connection,
        *,
        limiter: Limiter,
        clock: Clock,
        groups: Callable[[], Sequence[str]],
        prefix: str,
    ) -> None:
        """Nothing is asked yet; `groups` are first the setting's own, then those that pods name."""
        self._connection = connection
        self._limiter = limiter
        self._clock = clock
        self._groups = groups
        self._streams = f"{prefix}/{KEEPER_CONTAINER}/"
        self._failing = ""
        self._narrowed: Mapping[str, Json] = {"logStreamNamePrefix": self._streams}

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What the tasks' helpers told lately, though not before `since`; none where there are none.

        Raises PortFailure where the setting's own group does not answer; another's is of its own pods alone.
        """
        arns = {self._streams + arn.rsplit("/", 1)[-1]: arn for arn in tasks}
        since = max(since, self._clock.now() - WINDOW)
        own, *others = self._groups()
        found = list(await self._events(own, since, arns.keys()))
        for group in others:
            found += await self._events_elsewhere(group, since, arns.keys())
        return list(_samples(found, arns))

    async def _events_elsewhere(
        self, group: str, since: datetime, streams: Collection[str]
    ) -> Sequence[Json]:
        """What stands in a group that pods name; it may be made up, so a failure is told once."""
        try:
            return await self._look(group, since, streams, self._narrowed)
        except PortFailure as failure:
            if group != self._failing:
                self._failing = group
                log.warning("a log group that pods name tells no usage", group=group, error=str(failure))
            return ()

    async def _events(self, group: str, since: datetime, streams: Collection[str]) -> Sequence[Json]:
        try:
            return await self._look(group, since, streams, self._narrowed)
        except NotFound:
            return ()
        except Refused:
            # Of a prefix that more than 100 streams share, CloudWatch has been seen to want nothing to do.
            events = await self._look(group, since, streams, {})
            self._narrowed = {}
            return events

    async def _look(
        self, group: str, since: datetime, streams: Collection[str], narrowed: Mapping[str, Json]
    ) -> Sequence[Json]:
        return await filtered(
            self._connection,
            self._limiter,
            since=since,
            keep=lambda event: event.get("logStreamName") in streams and _is_record(event),
            logGroupName=group,
            filterPattern=_ONLY,
            **narrowed,
        )


def _is_record(event: Json) -> bool:
    return str(event.get("message", "")).startswith(_START)


def _samples(events: Sequence[Json], arns: Mapping[str, TaskArn]) -> Iterator[Sample]:
    """What the records of these tasks say; one that says nothing is passed over."""
    for event in events:
        arn = arns[event["logStreamName"]]
        try:
            told = msgspec.json.decode(event["message"], type=_Record)
        except msgspec.MsgspecError:
            continue
        latest = _EPOCH + timedelta(milliseconds=event.get("timestamp", 0)) + _AHEAD
        for name, (at, cpu, memory) in told.containers.items():
            if at <= latest:
                yield Sample(task=arn, container=name, at=at, cpu_seconds=cpu / _NANO, working_set=memory)
