"""`GET /containerLogs/…`: a container's log, all of it or its end, and what follows."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus
from typing import Final

import msgspec

from app.kubelet.logs import ending as endings
from app.kubelet.logs import text
from app.kubelet.logs.beginning import start
from app.kubelet.logs.ending import Ending
from app.kubelet.logs.following import Feed, Feeds, Pace
from app.kubelet.logs.options import LogOptions, log_options
from app.kubelet.messages import Answer, StreamedAnswer
from app.kubelet.routing import ContainerLogsRoute, ContainerPath
from app.model.log import LogLine, LogSource
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Throttled, Unavailable
from app.ports.logs import LogDirectory, LogStreams
from app.telemetry import logs

log = logs.get(__name__)

_FIRST_REASON: Final = "ContainerCreating"
_IN_OTHER_WORDS: Final = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a log as it is sent.

    A reader may take its time, and many may do so at once. While they do, each holds these bytes alone: the
    lines that they were made from take several times the memory.

    Attributes:
        pieces: the text, ready to send.
        token: goes on after it; None for the head of a stream that does not exist yet.
        is_end: there was nothing behind it when it was read.
        last: the time of its last line.
    """

    pieces: tuple[bytes, ...] = ()
    token: str | None = None
    is_end: bool = False
    last: datetime | None = None


Stretches = AsyncGenerator[Stretch, None]


class LogConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How logs are followed.

    Attributes:
        pace: seconds between polls of a followed stream.
        grace: seconds that the last lines of an ended container are waited for.
        look_again: seconds between looks for a task that is not launched yet.
        just: seconds for which somebody has just read a log.
    """

    pace: Pace = Pace()
    grace: float = 3.0
    look_again: float = 1.0
    just: float = 10.0


class ContainerLogs:
    """Serves containers' logs from their streams."""

    def __init__(
        self, directory: LogDirectory, streams: LogStreams, *, clock: Clock, config: LogConfig
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._clock = clock
        self._config = config
        self._feeds = Feeds(streams, clock=clock, pace=config.pace)
        self._read_at: dict[ContainerPath, float] = {}

    def just_read(self, path: ContainerPath) -> bool:
        """Whether somebody has asked for the log up to its present end in the last few seconds."""
        return path in self._lately()

    def _lately(self) -> dict[ContainerPath, float]:
        now = self._clock.steady()
        self._read_at = {path: at for path, at in self._read_at.items() if now - at < self._config.just}
        return self._read_at

    async def answer(self, route: ContainerLogsRoute) -> Answer | StreamedAnswer:
        """The log, or why there is none: 404 and 400 in the kubelet's words, 500 where no log answers."""
        options = log_options(route.query, now=self._clock.now())
        if isinstance(options, Answer):
            return options
        path = route.path
        try:
            source = self._directory.find(path.namespace, path.pod, path.container, previous=options.previous)
        except NotFound as missing:
            return Answer(status=HTTPStatus.NOT_FOUND, text=str(missing))
        if source is None and options.previous:
            return _no_previous(path)
        try:
            return await self._open(path, source, options)
        except PortFailure as failure:
            # kubectl shows the text of a 500; of a 503 it would show only that something is unavailable.
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"the log cannot be read: {failure}")

    async def _open(
        self, path: ContainerPath, source: LogSource | None, options: LogOptions
    ) -> Answer | StreamedAnswer:
        begun = self._clock.now()
        first = await self._start(source, options)
        if options.follow:
            return StreamedAnswer(
                _limited(self._followed(path, source, first, options, begun=begun), options)
            )
        if source is None or (first.token is None and not source.finished):
            return self._waiting(path)
        until = None if source.finished else begun
        backlog = self._backlog(source, first, options, until=until)
        self._lately()[path] = self._clock.steady()
        return StreamedAnswer(_limited(backlog, options))

    def _waiting(self, path: ContainerPath) -> Answer:
        reason = self._directory.waiting(path.namespace, path.pod, path.container) or _FIRST_REASON
        names = f'container "{path.container}" in pod "{path.pod}"'
        text = f"{names} is waiting to start: {_IN_OTHER_WORDS.get(reason, reason)}"
        return Answer(status=HTTPStatus.BAD_REQUEST, text=text)

    async def _start(self, source: LogSource | None, options: LogOptions) -> Stretch:
        if source is None:
            return Stretch()
        try:
            found = await start(self._streams, source, options)
        except NotFound:
            return Stretch(is_end=True)
        return _stretch(found.lines, options, token=found.token, is_end=found.is_end)

    async def _backlog(
        self, source: LogSource, stretch: Stretch, options: LogOptions, *, until: datetime | None
    ) -> Stretches:
        """The stretch itself, and every further one up to the present end of the stream.

        A container that prints all the time never lets its stream end; a line from after `until` does.
        """
        yield stretch
        while not (stretch.is_end or (until and stretch.last and stretch.last > until)):
            stretch = await self._page(source, stretch.token, options)
            yield stretch

    async def _page(self, source: LogSource, token: str | None, options: LogOptions) -> Stretch:
        page = await self._streams.page(source.stream, token=token, window=source.window)
        return _stretch(page.lines, options, token=page.forward, is_end=page.forward == token)

    async def _followed(
        self,
        path: ContainerPath,
        source: LogSource | None,
        first: Stretch,
        options: LogOptions,
        *,
        begun: datetime,
    ) -> Stretches:
        while source is None:
            await self._clock.sleep(self._config.look_again)
            try:
                source = self._directory.find(path.namespace, path.pod, path.container)
            except NotFound:
                return
        token = first.token
        backlog = self._backlog(source, first, options, until=begun)
        del first  # up to a megabyte, and somebody may follow for days
        if token is not None:
            try:
                async for stretch in backlog:
                    token = stretch.token
                    yield stretch
            except (Throttled, Unavailable) as failure:
                log.warning(
                    "log backlog broke off; polls go on", stream=source.stream.name, error=str(failure)
                )
        with self._feeds.join(source) as feed:
            async with aclosing(self._live(path, source, feed, token, options)) as live:
                async for stretch in live:
                    yield stretch

    async def _live(
        self, path: ContainerPath, source: LogSource, feed: Feed, token: str | None, options: LogOptions
    ) -> Stretches:
        ending = Ending()
        while not endings.is_drained(ending, now=self._clock.steady(), grace=self._config.grace):
            is_over = endings.is_over(source, self._newest(path))
            if is_over:
                feed.hurry()
            tick = await feed.following(token)
            lines = endings.own_lines(tick.lines, endings.next_start(source, self._newest(path)))
            stretch = _stretch(lines, options, token=tick.token, is_end=tick.is_quiet)
            token = stretch.token
            ending = endings.after_poll(
                ending, is_over=is_over, is_quiet=stretch.is_end, now=self._clock.steady()
            )
            yield stretch

    def _newest(self, path: ContainerPath) -> LogSource | None:
        """The newest run's log; None where the container is gone."""
        try:
            return self._directory.find(path.namespace, path.pod, path.container)
        except NotFound:
            return None


def _no_previous(path: ContainerPath) -> Answer:
    text = f'previous terminated container "{path.container}" in pod "{path.pod}" not found'
    return Answer(status=HTTPStatus.BAD_REQUEST, text=text)


def _stretch(lines: Sequence[LogLine], options: LogOptions, *, token: str | None, is_end: bool) -> Stretch:
    pieces = tuple(text.pieces(lines, options))
    return Stretch(pieces=pieces, token=token, is_end=is_end, last=lines[-1].at if lines else None)


async def _limited(stretches: Stretches, options: LogOptions) -> AsyncGenerator[bytes, None]:
    left = options.limit_bytes
    async with aclosing(stretches):
        async for stretch in stretches:
            for piece in stretch.pieces:
                yield piece if left is None else piece[:left]
                left = None if left is None else left - len(piece)
                if left is not None and left <= 0:
                    return
