"""Lines of containers' logs, and where a log is."""

from datetime import datetime
from typing import Final

import msgspec


class LogLine(msgspec.Struct, frozen=True):
    """One event of a stream; `text` has no line end."""

    at: datetime
    text: str


class LogStream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a log group of CloudWatch Logs, by both their names."""

    group: str
    name: str


class LogWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream: lines from `since` on, and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None


WHOLE_STREAM: Final = LogWindow()


class LogPage(msgspec.Struct, frozen=True):
    """Some lines in order, and the tokens to go on in both directions.

    Reading forward, the same token returned means "nothing newer yet"; an empty page with a *changed* token
    does not.
    """

    lines: tuple[LogLine, ...]
    forward: str
    backward: str


class LogSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of one run of a container is; `finished` once that run will print no more.

    Runs inside one task print to one stream: then the window tells them apart.
    """

    stream: LogStream
    finished: bool
    window: LogWindow = WHOLE_STREAM
