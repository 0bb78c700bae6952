"""The operations of CloudWatch Logs.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.faults.orders import Faults
from app.local.fargate.logs import event_pages, search
from app.local.fargate.logs.store import Event, Group, LogStore, LogTarget, Stream
from app.local.fargate.protocol import pages
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json
from app.ports.clock import Clock

_DAY: Final = 24 * 3600 * 1000
_OLDEST: Final = 14 * _DAY
_NEWEST: Final = 2 * 3600 * 1000
_MOST_LISTED: Final = 50


class LogsApi:
    """Answers requests that satisfy the service model."""

    def __init__(
        self, config: FargateConfig, *, store: LogStore, faults: Faults, clock: Clock, ids: Callable[[], str]
    ) -> None:
        self._config = config
        self._store = store
        self._faults = faults
        self._clock = clock
        self._ids = ids

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """What CloudWatch Logs answers here."""
        return {
            "CreateLogGroup": self.create_group,
            "CreateLogStream": self.create_stream,
            "PutLogEvents": self.put_events,
            "GetLogEvents": self.get_events,
            "FilterLogEvents": self.filter_events,
            "DescribeLogStreams": self.describe_streams,
            "DescribeLogGroups": self.describe_groups,
        }

    def create_group(self, params: Json) -> Json:
        """Create a log group."""
        self._store.create_group(params["logGroupName"])
        return {}

    def create_stream(self, params: Json) -> Json:
        """Create a log stream."""
        self._store.create_stream(LogTarget(params["logGroupName"], params["logStreamName"]))
        return {}

    def put_events(self, params: Json) -> Json:
        """Take in what is neither too old nor too new, and say from where on it was not."""
        target = LogTarget(params["logGroupName"], params["logStreamName"])
        self._store.stream(target)
        events = [(each["timestamp"], each["message"]) for each in params["logEvents"]]
        _require_batch(events)
        now = int(self._clock.now().timestamp() * 1000)
        rejected: Json = {}
        too_new = [index for index, (at, _) in enumerate(events) if at > now + _NEWEST]
        too_old = [index for index, (at, _) in enumerate(events) if at < now - _OLDEST]
        if too_new:
            rejected["tooNewLogEventStartIndex"] = too_new[0]
        if too_old:
            rejected["tooOldLogEventEndIndex"] = too_old[-1] + 1
        refused = {*too_new, *too_old}
        self._store.put(target, [each for index, each in enumerate(events) if index not in refused])
        answer: Json = {"nextSequenceToken": self._ids()}
        return answer | {"rejectedLogEventsInfo": rejected} if rejected else answer

    def get_events(self, params: Json) -> Json:
        """One page of a stream."""
        stream = self._store.stream(LogTarget(self._group_name(params), params["logStreamName"]))
        query = event_pages.Query(
            token=params.get("nextToken"),
            from_head=params.get("startFromHead", False),
            limit=params.get("limit", event_pages.MOST_EVENTS),
            start=params.get("startTime"),
            end=params.get("endTime"),
        )
        if self._faults.take("GetLogEvents", "empty-page") is not None:
            page = event_pages.empty_page(stream, query, salt=self._ids().replace("-", ""))
        else:
            page = event_pages.page(stream, query)
        return {
            "events": [_event(each) for each in page.events],
            "nextForwardToken": page.forward,
            "nextBackwardToken": page.backward,
        }

    def filter_events(self, params: Json) -> Json:
        """One page of what a whole group has."""
        group = self._store.group(self._group_name(params))
        if self._faults.take("FilterLogEvents", "empty-page") is not None:
            return search.nothing_found(params)
        return search.found(group, params)

    def describe_streams(self, params: Json) -> Json:
        """The streams of a group, by name or by their last event."""
        prefix = params.get("logStreamNamePrefix", "")
        by_time = params.get("orderBy") == "LastEventTime"
        if by_time and prefix:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = self._store.group(self._group_name(params))
        found = [each for each in group.streams.values() if each.name.startswith(prefix)]
        found.sort(key=lambda each: (_last_event(each) if by_time else 0, each.name))
        if params.get("descending", False):
            found.reverse()
        listed = _page([each.name for each in found], params)
        names = listed.pop("names")
        arn = self._group_arn(group)
        return {"logStreams": [_stream(group.streams[name], arn=arn) for name in names], **listed}

    def describe_groups(self, params: Json) -> Json:
        """The log groups of the account."""
        prefix = params.get("logGroupNamePrefix", "")
        part = params.get("logGroupNamePattern", "")
        groups = {
            each.name: each
            for each in self._store.groups()
            if each.name.startswith(prefix) and part.lower() in each.name.lower()
        }
        listed = _page(list(groups), params)
        names = listed.pop("names")
        return {"logGroups": [self._group(groups[name]) for name in names], **listed}

    def _group_name(self, params: Json) -> str:
        name = params.get("logGroupName")
        identifier = params.get("logGroupIdentifier")
        if (name is None) == (identifier is None):
            raise invalid("Exactly one of logGroupName and logGroupIdentifier is required.")
        prefix = self._config.arn("log-group:", service="logs")
        return str(name or identifier).removeprefix(prefix)

    def _group_arn(self, group: Group) -> str:
        return self._config.arn(f"log-group:{group.name}", service="logs")

    def _group(self, group: Group) -> Json:
        arn = self._group_arn(group)
        return {
            "logGroupName": group.name,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": sum(stream.stored for stream in group.streams.values()),
            "logGroupClass": "STANDARD",
        }


def _require_batch(events: Sequence[tuple[int, str]]) -> None:
    if any(later[0] < earlier[0] for earlier, later in itertools.pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if sum(len(message.encode()) + 26 for _, message in events) > event_pages.MOST_BYTES:
        raise invalid("Upload too large: the batch exceeds 1048576 bytes.")
    if events and events[-1][0] - events[0][0] > _DAY:
        raise AwsError(
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )


def _page(names: list[str], params: Json) -> Json:
    size = params.get("limit", _MOST_LISTED)
    return pages.page(names, {**params, "maxResults": size}, member="names")


def _event(event: Event) -> Json:
    return {"timestamp": event.place[0], "message": event.message, "ingestionTime": event.ingested}


def _last_event(stream: Stream) -> int:
    return stream.events[-1].place[0] if stream.events else 0


def _stream(stream: Stream, *, arn: str) -> Json:
    view: Json = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": f"{arn}:log-stream:{stream.name}",
        "storedBytes": 0,
    }
    if stream.events:
        view["firstEventTimestamp"] = stream.events[0].place[0]
        view["lastEventTimestamp"] = stream.events[-1].place[0]
        view["lastIngestionTime"] = max(each.ingested for each in stream.events[-100:])
    return view
