"""The pages of GetLogEvents and the tokens between them. Pure.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html

A token is a place in the stream and a direction, so that it stays true while events are added. Reading on
from a token returns the same token when nothing lies beyond it.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from app.local.fargate.logs.store import START, Event, Place, Stream
from app.local.fargate.protocol.errors import invalid

MOST_EVENTS: Final = 10_000
MOST_BYTES: Final = 1_048_576

_TOKEN: Final = re.compile(r"([fb])/(\d{20})(\d{18})/\w+")
_OFFSET: Final = 1
"""Tokens count timestamps from one, so that the place before every event has no sign."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; times are milliseconds, `end` is exclusive."""

    token: str | None = None
    from_head: bool = False
    limit: int = MOST_EVENTS
    start: int | None = None
    end: int | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order, and the tokens to go on in both directions."""

    events: tuple[Event, ...]
    forward: str
    backward: str


def page(stream: Stream, query: Query) -> Page:
    """One page.

    Raises:
        AwsError: the token is none of ours.
    """
    events = stream.events
    if query.token is None:
        chosen = _head(events, query) if query.from_head else _tail(events, query)
        place = START if query.from_head or not events else events[-1].place
        return _with_tokens(chosen, forward=_token("f", place), backward=_token("b", _next(place)))
    direction, place = _parsed(query.token)
    if direction == "f":
        chosen = _head(events[stream.after(place) :], query)
        return _with_tokens(chosen, forward=query.token, backward=_token("b", _next(place)))
    chosen = _tail(events[: stream.before(place)], query)
    return _with_tokens(chosen, forward=_token("f", _previous(place)), backward=query.token)


def empty_page(stream: Stream, query: Query, *, salt: str) -> Page:
    """No events, but tokens that look new and mean the same place as before."""
    if query.token is not None:
        direction, place = _parsed(query.token)
        after, before = (place, _next(place)) if direction == "f" else (_previous(place), place)
    else:
        after = START if query.from_head or not stream.events else stream.events[-1].place
        before = _next(after)
    return Page(events=(), forward=_token("f", after, salt), backward=_token("b", before, salt))


def _with_tokens(events: Sequence[Event], *, forward: str, backward: str) -> Page:
    """A page around its events; the tokens given hold where there are none."""
    if events:
        forward, backward = _token("f", events[-1].place), _token("b", events[0].place)
    return Page(events=tuple(events), forward=forward, backward=backward)


def _next(place: Place) -> Place:
    return (place[0], place[1] + 1)


def _previous(place: Place) -> Place:
    return (place[0], max(place[1] - 1, 0))


def _head(events: Sequence[Event], query: Query) -> list[Event]:
    chosen: list[Event] = []
    room = MOST_BYTES
    for event in events:
        if not _wanted(event, query):
            continue
        room -= event.size
        if len(chosen) == query.limit or (room < 0 and chosen):
            break
        chosen.append(event)
    return chosen


def _tail(events: Sequence[Event], query: Query) -> list[Event]:
    chosen = _head(events[::-1], query)
    chosen.reverse()
    return chosen


def _wanted(event: Event, query: Query) -> bool:
    timestamp = event.place[0]
    return (query.start is None or timestamp >= query.start) and (query.end is None or timestamp < query.end)


def _token(direction: str, place: Place, salt: str = "s") -> str:
    return f"{direction}/{place[0] + _OFFSET:020d}{place[1]:018d}/{salt}"


def _parsed(token: str) -> tuple[str, Place]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise invalid("The specified nextToken is invalid.")
    return found[1], (int(found[2]) - _OFFSET, int(found[3]))
