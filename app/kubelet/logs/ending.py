"""When a followed log is at its end: the container has ended and its last lines had time to arrive. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.model.log import LogLine, LogSource

QUIET_POLLS: Final = 2
"""Polls in a row that must bring nothing: lines become readable a moment after they were printed."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the end: since when the container is over (steady seconds), and quiet polls since."""

    over_since: float | None = None
    quiet: int = 0


_ABOUT: Final = timedelta(seconds=1)
"""A run's beginning is known to the second at first, and better once the helper's records are read."""


def is_over(source: LogSource, newest: LogSource | None) -> bool:
    """Whether a run prints no more: it ended, its container was started anew, or is gone.

    Args:
        source: where the run's log is.
        newest: where the log of the container's newest run is; None where there is none.
    """
    return newest is None or newest.finished or not _is_same_run(source, newest)


def next_start(source: LogSource, newest: LogSource | None) -> datetime | None:
    """Where the next run's lines begin in the same stream; None where they cannot be in it."""
    if newest is None or newest.stream != source.stream or _is_same_run(source, newest):
        return source.window.until
    return source.window.until or newest.window.since


def own_lines(lines: Sequence[LogLine], end: datetime | None) -> Sequence[LogLine]:
    """The lines that are not the next run's."""
    return lines if end is None else [each for each in lines if each.at < end]


def _is_same_run(one: LogSource, other: LogSource) -> bool:
    if one.stream != other.stream:
        return False
    begun, again = one.window.since, other.window.since
    if begun is None or again is None:
        return begun is again
    return abs(again - begun) <= _ABOUT


def after_poll(ending: Ending, *, is_over: bool, is_quiet: bool, now: float) -> Ending:
    """What is known after one more poll.

    Args:
        ending: what was known before.
        is_over: whether the container will print no more.
        is_quiet: whether the poll was answered, and there was nothing new.
        now: steady seconds.
    """
    if not is_over:
        return Ending()
    since = now if ending.over_since is None else ending.over_since
    return Ending(over_since=since, quiet=ending.quiet + 1 if is_quiet else 0)


def is_drained(ending: Ending, *, now: float, grace: float) -> bool:
    """Whether nothing more will come: over for `grace` seconds at least, and quiet."""
    if ending.over_since is None:
        return False
    return ending.quiet >= QUIET_POLLS and now - ending.over_since >= grace
