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
from app.local.fargate.logs.store import START, Event, Group, Place
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json

_Found = tuple[Place, str, Event]
"""An event with its place and the name of its stream."""

_SELECTOR: Final = re.compile(r'\{\s*\$\.(\w+)\s*(=|!=)\s*"([^"]*)"\s*\}')
_TOKEN: Final = re.compile(r"[fb]/(\d{20})(\d{18})")

_END: Final[Place] = (1 << 62, 0)
"""After every event."""


def found(group: Group, params: Json) -> Json:
    """One page of events in the order of their timestamps, with the stream that each is of.

    Raises:
        AwsError: the pattern cannot be understood here, or the token is none of ours.
    """
    events = _chosen(group, params)
    page = _fitting(events, limit=params.get("limit", MOST_EVENTS))
    answer: Json = {
        "events": [_view(event, stream=name) for _, name, event in page],
        "searchedLogStreams": [],
    }
    if len(page) == len(events):
        return answer
    return answer | {"nextToken": _token(page[-1][0], forward=_is_forward(params))}


def nothing_found(params: Json) -> Json:
    """A page without events that leads on to what the request would have found; AWS has such pages."""
    forward = _is_forward(params)
    place = _place(params["nextToken"]) if "nextToken" in params else START if forward else _END
    return {"events": [], "searchedLogStreams": [], "nextToken": _token(place, forward=forward)}


def _chosen(group: Group, params: Json) -> list[_Found]:
    """What the request is about, from its token on."""
    names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
    if names is not None and prefix:
        raise invalid("logStreamNames and logStreamNamePrefix cannot be used together.")
    matches = _matcher(params.get("filterPattern", ""))
    first, last = _bounds(params)
    events = sorted(
        (event.place, name, event)
        for name, stream in group.streams.items()
        if name.startswith(prefix) and (names is None or name in names)
        for event in stream.events[stream.after(first) : stream.before(last)]
        if matches(event.message)
    )
    return events if _is_forward(params) else events[::-1]


def _bounds(params: Json) -> tuple[Place, Place]:
    """The places between which the rest lies, both exclusive; both times of a request are inclusive."""
    first: Place = (params.get("startTime", 0), -1)
    last: Place = (params["endTime"] + 1, -1) if "endTime" in params else _END
    if "nextToken" not in params:
        return first, last
    place = _place(params["nextToken"])
    return (max(first, place), last) if _is_forward(params) else (first, min(last, place))


def _is_forward(params: Json) -> bool:
    """Oldest first; a token knows better than what is asked beside it."""
    if "nextToken" in params:
        return str(params["nextToken"]).startswith("f")
    return bool(params.get("startFromHead", True))


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


def _token(place: Place, *, forward: bool) -> str:
    """Where the page ended, so that what is written meanwhile is neither missed nor told twice."""
    return f"{'f' if forward else 'b'}/{place[0] + 1:020d}{place[1]:018d}"


def _place(token: str) -> Place:
    parsed = _TOKEN.fullmatch(token)
    if parsed is None:
        raise invalid("The specified nextToken is invalid.")
    return int(parsed[1]) - 1, int(parsed[2])


def _view(event: Event, *, stream: str) -> Json:
    timestamp, number = event.place
    return {
        "logStreamName": stream,
        "timestamp": timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{timestamp:038d}{number:018d}",
    }
