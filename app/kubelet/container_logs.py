"""`GET /containerLogs/…`: a container's log, all of it or its end, and what follows."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

import msgspec

from app.kubelet import log_end, log_text
from app.kubelet.log_end import Ending
from app.kubelet.log_follow import Feed, Feeds, Pace
from app.kubelet.log_options import LogOptions, log_options
from app.kubelet.log_start import Position, start
from app.kubelet.messages import Answer, StreamedAnswer
from app.kubelet.routing import ContainerLogsRoute, ContainerPath
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Throttled, Unavailable
from app.ports.logs import LogDirectory, LogLine, LogSource, LogStreams
from app.telemetry import logs

Batches = AsyncGenerator[tuple[LogLine, ...], None]

log = logs.get(__name__)


class LogConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How logs are followed.

    Attributes:
        pace: seconds between polls of a followed stream.
        grace: seconds that the last lines of an ended container are waited for.
        look_again: seconds between looks for a task that is not launched yet.
    """

    pace: Pace = Pace()
    grace: float = 3.0
    look_again: float = 1.0


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

    async def answer(self, route: ContainerLogsRoute) -> Answer | StreamedAnswer:
        """The log, or why there is none: 404 and 400 in the kubelet's words, 500 where no log answers."""
        options = log_options(route.query, now=self._clock.now())
        if isinstance(options, Answer):
            return options
        path = route.path
        try:
            source = self._directory.find(path.namespace, path.pod, path.container)
        except NotFound as missing:
            return Answer(status=HTTPStatus.NOT_FOUND, text=str(missing))
        try:
            return await self._open(path, source, options)
        except PortFailure as failure:
            # kubectl shows the text of a 500; of a 503 it would show only that something is unavailable.
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"the log cannot be read: {failure}")

    async def _open(
        self, path: ContainerPath, source: LogSource | None, options: LogOptions
    ) -> Answer | StreamedAnswer:
        position = await self._start(source, options)
        if options.follow:
            return StreamedAnswer(_text(self._followed(path, source, position), options))
        if source is None or (position.token is None and not source.finished):
            names = f'container "{path.container}" in pod "{path.pod}"'
            return Answer(
                status=HTTPStatus.BAD_REQUEST, text=f"{names} is waiting to start: ContainerCreating"
            )
        return StreamedAnswer(_text(self._lines(source.stream, position), options))

    async def _start(self, source: LogSource | None, options: LogOptions) -> Position:
        if source is None:
            return Position()
        try:
            return await start(self._streams, source.stream, options)
        except NotFound:
            return Position(is_end=True)

    async def _lines(self, stream: str, position: Position) -> Batches:
        async for reached in self._backlog(stream, position):
            yield reached.lines

    async def _backlog(self, stream: str, position: Position) -> AsyncGenerator[Position, None]:
        """The position itself, and every further one up to the present end of the stream."""
        yield position
        while not position.is_end:
            page = await self._streams.page(stream, token=position.token)
            is_end = page.forward == position.token
            position = Position(lines=page.lines, token=page.forward, is_end=is_end)
            yield position

    async def _followed(self, path: ContainerPath, source: LogSource | None, position: Position) -> Batches:
        while source is None:
            await self._clock.sleep(self._config.look_again)
            try:
                source = self._directory.find(path.namespace, path.pod, path.container)
            except NotFound:
                return
        if position.token is not None:
            try:
                async for reached in self._backlog(source.stream, position):
                    position = reached
                    yield reached.lines
            except (Throttled, Unavailable) as failure:
                log.warning("log backlog broke off; polls go on", stream=source.stream, error=str(failure))
        with self._feeds.join(source.stream) as feed:
            async with aclosing(self._live(path, source.stream, feed, position.token)) as live:
                async for lines in live:
                    yield lines

    async def _live(self, path: ContainerPath, stream: str, feed: Feed, token: str | None) -> Batches:
        ending = Ending()
        while not log_end.is_drained(ending, now=self._clock.steady(), grace=self._config.grace):
            is_over = self._is_over(path, stream)
            if is_over:
                feed.hurry()
            tick = await feed.following(token)
            token = tick.token
            ending = log_end.after_poll(
                ending, is_over=is_over, is_quiet=tick.is_quiet, now=self._clock.steady()
            )
            yield tick.lines

    def _is_over(self, path: ContainerPath, stream: str) -> bool:
        """Whether this stream gets no more lines: its container ended, was started anew, or is gone."""
        try:
            source = self._directory.find(path.namespace, path.pod, path.container)
        except NotFound:
            return True
        return source is None or source.stream != stream or source.finished


async def _text(batches: Batches, options: LogOptions) -> AsyncGenerator[bytes, None]:
    left = options.limit_bytes
    async with aclosing(batches):
        async for lines in batches:
            for piece in log_text.pieces(lines, options):
                yield piece if left is None else piece[:left]
                left = None if left is None else left - len(piece)
                if left is not None and left <= 0:
                    return
