"""When a followed log is at its end: the container has ended and its last lines had time to arrive. Pure."""

from typing import Final

import msgspec

QUIET_POLLS: Final = 2
"""Polls in a row that must bring nothing: lines become readable a moment after they were printed."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the end: since when the container is over (steady seconds), and quiet polls since."""

    over_since: float | None = None
    quiet: int = 0


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
