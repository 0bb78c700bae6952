"""FilterLogEvents: the events of a whole group that satisfy a pattern. Pure.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html

Of the pattern language there are terms, and one selector of a JSON object that compares a member with a text.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from app.local.fargate.logs.event_pages import MOST_BYTES, MOST_EVENTS
from app.local.fargate.logs.store import Event, Group, Place
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json

_Found = tuple[Place, str, Event]
"""An event with its place and the name of its stream."""

_SELECTOR: Final = re.compile(r'\{\s*\$\.(\w+)\s*(=|!=)\s*"([^"]*)"\s*\}')
_TOKEN: Final = re.compile(r"[0-9]{1,18}")


def found(group: Group, params: Json) -> Json:
    """One page of events in the order of their timestamps, with the stream that each is of.

    Raises:
        AwsError: the pattern cannot be understood here, or the token is none of ours.
    """
    names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
    if names is not None and prefix:
        raise invalid("logStreamNames and logStreamNamePrefix cannot be used together.")
    matches = _matcher(params.get("filterPattern", ""))
    start, end = params.get("startTime", 0), params.get("endTime", 1 << 62)
    events = sorted(
        (event.place, name, event)
        for name, stream in group.streams.items()
        if name.startswith(prefix) and (names is None or name in names)
        for event in stream.events
        if start <= event.place[0] <= end and matches(event.message)
    )
    first = _first(params.get("nextToken", "0"))
    page = _fitting(events[first:], limit=params.get("limit", MOST_EVENTS))
    answer: Json = {
        "events": [_view(event, stream=name) for _, name, event in page],
        "searchedLogStreams": [],
    }
    after = first + len(page)
    return answer | {"nextToken": str(after)} if after < len(events) else answer


def _fitting(events: Sequence[_Found], *, limit: int) -> list[_Found]:
    room = MOST_BYTES
    page: list[_Found] = []
    for each in events[:limit]:
        room -= each[2].size
        if room < 0 and page:
            break
        page.append(each)
    return page


def _matcher(pattern: str) -> Callable[[str], bool]:
    if not pattern.strip():
        return lambda _message: True
    selector = _SELECTOR.fullmatch(pattern.strip())
    if selector is not None:
        name, relation, text = selector.groups()
        return lambda message: (_member(message, name) == text) == (relation == "=")
    if pattern.strip()[0] in "{[%":
        raise AwsError(
            "UnsupportedFeatureException", f"The embedded CloudWatch Logs cannot filter by {pattern}."
        )
    terms = shlex.split(pattern)
    return lambda message: all(term in message for term in terms)


def _member(message: str, name: str) -> object:
    try:
        value = msgspec.json.decode(message)
    except msgspec.MsgspecError:
        return None
    return value.get(name) if isinstance(value, dict) else None


def _first(token: str) -> int:
    if not _TOKEN.fullmatch(token):
        raise invalid("The specified nextToken is invalid.")
    return int(token)


def _view(event: Event, *, stream: str) -> Json:
    timestamp, number = event.place
    return {
        "logStreamName": stream,
        "timestamp": timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{timestamp:038d}{number:018d}",
    }
