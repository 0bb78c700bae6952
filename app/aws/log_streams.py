"""Pages of log streams of CloudWatch Logs (app.ports.logs.LogStreams)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.log import WHOLE_STREAM, LogLine, LogPage, LogStream, LogWindow
from app.model.wire import Json
from app.ports.failures import Unavailable
from app.ports.logs import LogStreams

MOST_LINES: Final = 10_000
"""GetLogEvents gives at most this many events, or 1 MB of them, in one page."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CloudWatchLogStreams(LogStreams):
    """GetLogEvents: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html."""

    def __init__(self, connection: Connection, *, limiter: Limiter, lane: Lane = Lane.LOGS) -> None:
        """Nothing is asked yet; `lane` says whose the reading is, people's or the bridge's."""
        self._connection = connection
        self._limiter = limiter
        self._lane = lane

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = MOST_LINES,
        window: LogWindow = WHOLE_STREAM,
    ) -> LogPage:
        """One page. `from_head` must be true with a forward token, as AWS demands."""
        position: dict[str, Json] = {"nextToken": token} if token is not None else {}
        for name, bound in (("startTime", window.since), ("endTime", window.until)):
            if bound is not None:
                position[name] = (bound - _EPOCH) // timedelta(milliseconds=1)
        answer = await paced(
            self._connection.logs,
            self._limiter,
            self._lane,
            "get_log_events",
            attempts=3,
            logGroupName=stream.group,
            logStreamName=stream.name,
            startFromHead=from_head,
            limit=max(1, min(limit, MOST_LINES)),
            unmask=False,
            **position,
        )
        if "nextForwardToken" not in answer or "nextBackwardToken" not in answer:
            raise Unavailable(f"GetLogEvents answered for {stream.name} without its tokens")
        return LogPage(
            lines=tuple(_line(event) for event in answer.get("events", ())),
            forward=answer["nextForwardToken"],
            backward=answer["nextBackwardToken"],
        )


def _line(event: dict[str, Json]) -> LogLine:
    at = _EPOCH + timedelta(milliseconds=event.get("timestamp", 0))
    return LogLine(at=at, text=event.get("message", "").removesuffix("\n"))
