from datetime import UTC, datetime

import pytest

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.log_streams import CloudWatchLogStreams
from app.model.log import LogLine, LogPage, LogStream, LogWindow
from app.ports.failures import NotFound, Unavailable
from tests.aws.fakes import Answer, AwsStub, an_error

STREAM = LogStream(group="/spillway/pods", name="pod/main/1")
EVENTS = [
    {"timestamp": 1767268800123, "message": "one", "ingestionTime": 1767268800999},
    {"timestamp": 1767268801000, "message": "two\n", "ingestionTime": 1767268801999},
]
PAGE = Answer({"events": EVENTS, "nextForwardToken": "f/2", "nextBackwardToken": "b/0"})


@pytest.fixture
def streams(connection: Connection, limiter: Limiter) -> CloudWatchLogStreams:
    return CloudWatchLogStreams(connection, limiter=limiter)


async def test_a_page_has_lines_in_utc_and_both_tokens(aws: AwsStub, streams: CloudWatchLogStreams) -> None:
    aws.script("GetLogEvents", PAGE)
    assert await streams.page(STREAM) == LogPage(
        lines=(
            LogLine(datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC), "one"),
            LogLine(datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC), "two"),
        ),
        forward="f/2",
        backward="b/0",
    )


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        pytest.param(0, 1, id="none"),
        pytest.param(5, 5, id="few"),
        pytest.param(99_999, 10_000, id="too many"),
    ],
)
async def test_the_limit_stays_within_what_aws_takes(
    aws: AwsStub, streams: CloudWatchLogStreams, asked: int, limit: int
) -> None:
    aws.script("GetLogEvents", PAGE)
    await streams.page(STREAM, token="b/9", from_head=False, limit=asked)
    assert aws.asked("GetLogEvents") == [
        {
            "logGroupName": "/spillway/pods",
            "logStreamName": "pod/main/1",
            "nextToken": "b/9",
            "startFromHead": False,
            "limit": limit,
            "unmask": False,
        }
    ]


async def test_a_stream_that_does_not_exist_yet_is_not_found(
    aws: AwsStub, streams: CloudWatchLogStreams
) -> None:
    aws.script(
        "GetLogEvents", an_error("ResourceNotFoundException", "The specified log stream does not exist.")
    )
    with pytest.raises(NotFound):
        await streams.page(STREAM)


async def test_a_page_without_tokens_is_no_page(aws: AwsStub, streams: CloudWatchLogStreams) -> None:
    aws.script("GetLogEvents", Answer({"events": []}))
    with pytest.raises(Unavailable, match="tokens"):
        await streams.page(STREAM)


async def test_a_window_is_asked_for_in_milliseconds(aws: AwsStub, streams: CloudWatchLogStreams) -> None:
    aws.script("GetLogEvents", PAGE)
    since = datetime(2026, 1, 1, 12, 0, 0, 500999, tzinfo=UTC)
    await streams.page(STREAM, window=LogWindow(since=since, until=datetime(2026, 1, 1, 12, 1, tzinfo=UTC)))
    (asked,) = aws.asked("GetLogEvents")
    assert (asked["startTime"], asked["endTime"]) == (1767268800500, 1767268860000)
