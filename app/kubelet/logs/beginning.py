"""Where to begin reading a log: at its head, or so far before its end that the wanted lines are there."""

from datetime import datetime
from typing import Final

import msgspec

from app.kubelet.logs.options import LogOptions
from app.model.log import LogLine, LogPage, LogSource
from app.ports.logs import LogStreams

PAGE_LINES: Final = 10_000


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that were read, and the token that goes on after them.

    Attributes:
        lines: in order.
        token: forward token; None for the head of a stream that does not exist yet.
        is_end: there was nothing behind the lines when they were read.
    """

    lines: tuple[LogLine, ...] = ()
    token: str | None = None
    is_end: bool = False


async def start(streams: LogStreams, source: LogSource, options: LogOptions) -> Position:
    """The first lines to show, and where to go on forward from there.

    Going backward, only the oldest page is kept; the newer ones are read again forward. So a tail of any
    length costs the memory of one page, and what follows it comes from one chain of tokens: nothing is lost
    or doubled in between.

    Raises:
        PortFailure: as `LogStreams.page`.
    """
    stream, window = source.stream, source.window
    if options.tail_lines is None and options.since is None:
        page = await streams.page(stream, limit=PAGE_LINES, window=window)
        return Position(lines=page.lines, token=page.forward)
    missing = options.tail_lines
    page = await streams.page(stream, from_head=False, limit=_limit(missing), window=window)
    found = Position(lines=_last(page, missing), token=page.forward, is_end=True)
    while not _reached(page, missing, options.since):
        missing = None if missing is None else missing - len(page.lines)
        older = await streams.page(
            stream, token=page.backward, from_head=False, limit=_limit(missing), window=window
        )
        if older.lines:
            found = Position(lines=_last(older, missing), token=older.forward)
        if older.backward == page.backward:
            return found
        page = older
    return found


def _limit(missing: int | None) -> int:
    return PAGE_LINES if missing is None else max(1, min(missing, PAGE_LINES))


def _last(page: LogPage, missing: int | None) -> tuple[LogLine, ...]:
    if missing is None:
        return page.lines
    return page.lines[-missing:] if missing else ()


def _reached(page: LogPage, missing: int | None, since: datetime | None) -> bool:
    if missing is not None and len(page.lines) >= missing:
        return True
    return since is not None and bool(page.lines) and page.lines[0].at < since
