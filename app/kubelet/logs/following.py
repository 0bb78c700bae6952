"""Polling streams forward: one poll for all who wait at the same place of the same stream."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from app.model.log import LogLine, LogPage, LogSource, LogStream, LogWindow
from app.ports.clock import Clock
from app.ports.failures import NotFound, Throttled, Unavailable
from app.ports.logs import LogStreams
from app.telemetry import logs

BUSY_LINES = 1000
"""A page with so many lines is followed by the next at once."""

log = logs.get(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between polls: `first`, then shorter after lines, longer after silence, within both bounds."""

    first: float = 1.0
    least: float = 0.5
    most: float = 5.0

    def after(self, pause: float, *, lines: int) -> float:
        """The next pause, after a poll that brought so many lines."""
        if lines >= BUSY_LINES:
            return 0.0
        if lines:
            return self.least
        return min(self.most, max(pause, self.least) * 1.5)


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll brought, and where to go on; `is_quiet` means: answered, and nothing is there."""

    lines: tuple[LogLine, ...]
    token: str | None
    is_quiet: bool


def tick_of(page: LogPage, *, token: str | None) -> Tick:
    """A page as a tick: an empty page with a changed token is not silence."""
    is_quiet = not page.lines and page.forward == token
    return Tick(lines=page.lines, token=page.forward, is_quiet=is_quiet)


class Feed:
    """One stream's forward polls, shared by its followers.

    Followers that came at different times wait at different tokens. All tokens are therefore polled on the
    same beats: what is read together ends at the same token, and from then on it is one poll for all.
    """

    def __init__(self, streams: LogStreams, source: LogSource, *, clock: Clock, pace: Pace) -> None:
        self.followers = 0
        self._streams = streams
        self._stream = source.stream
        self._window = source.window
        self._clock = clock
        self._pace = pace
        self._pause = pace.first
        self._began = clock.steady()
        self._polls: dict[str | None, _Poll] = {}

    def hurry(self) -> None:
        """Poll soon again: somebody waits for the end."""
        self._pause = min(self._pause, self._pace.first)

    async def following(self, token: str | None) -> Tick:
        """The next poll's result after `token` (None: the head); a poll under way is shared.

        A far side that does not answer, or asks to slow down, is a tick without lines that is not quiet.

        Raises:
            Refused: the log may not be read.
        """
        poll = self._polls.get(token) or self._begun(token)
        poll.waiting += 1
        try:
            return await asyncio.shield(poll.task)
        finally:
            poll.waiting -= 1
            if not poll.waiting:
                self._forget(token, poll)
                poll.task.cancel()

    def _begun(self, token: str | None) -> "_Poll":
        poll = self._polls[token] = _Poll(asyncio.create_task(self._poll(token)))
        poll.task.add_done_callback(lambda _: self._forget(token, poll))
        return poll

    def _forget(self, token: str | None, poll: "_Poll") -> None:
        if self._polls.get(token) is poll:
            del self._polls[token]

    async def _poll(self, token: str | None) -> Tick:
        await self._clock.sleep(self._until_beat())
        try:
            page = await self._streams.page(self._stream, token=token, window=self._window)
            tick = tick_of(page, token=token)
        except NotFound:
            tick = Tick(lines=(), token=token, is_quiet=True)
        except (Throttled, Unavailable) as failure:
            log.warning("log poll failed; it is repeated", stream=self._stream.name, error=str(failure))
            tick = Tick(lines=(), token=token, is_quiet=False)
        self._pause = self._pace.after(self._pause, lines=len(tick.lines))
        return tick

    def _until_beat(self) -> float:
        """Seconds until the beat nearest to the end of the pause; beats are `least` apart."""
        if not self._pause:
            return 0.0
        since, beat = self._clock.steady() - self._began, self._pace.least
        return round((since + self._pause) / beat) * beat - since


class _Poll:
    """A poll under way, and how many wait for it; it ends with the last of them."""

    def __init__(self, task: asyncio.Task[Tick]) -> None:
        self.task = task
        self.waiting = 0


class Feeds:
    """The streams that somebody follows."""

    def __init__(self, streams: LogStreams, *, clock: Clock, pace: Pace) -> None:
        self._streams = streams
        self._clock = clock
        self._pace = pace
        self._feeds: dict[tuple[LogStream, LogWindow], Feed] = {}

    @contextmanager
    def join(self, source: LogSource) -> Iterator[Feed]:
        """Follow a run's part of a stream; its polls stop when the last follower leaves."""
        key = (source.stream, source.window)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._streams, source, clock=self._clock, pace=self._pace)
        feed.followers += 1
        try:
            yield feed
        finally:
            feed.followers -= 1
            if not feed.followers:
                del self._feeds[key]
