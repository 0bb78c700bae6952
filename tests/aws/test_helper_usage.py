import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.aws.connection import Connection
from app.aws.helper_usage import HelperUsage
from app.aws.limiter import Limiter
from app.model.names import TaskArn
from app.model.usage import Sample
from app.ports.failures import Refused
from tests.aws.fakes import Answer, AwsStub, an_error
from tests.builders import NOON
from tests.fakes import VirtualClock

ARN = TaskArn("arn:aws:ecs:us-east-1:123456789012:task/spillway/abc")
OTHER = TaskArn("arn:aws:ecs:us-east-1:123456789012:task/spillway/def")
PREFIX = "spillway/spillway-keeper/"
NOON_MILLISECONDS = 1767268800000
READ = "2026-01-01T12:00:15.123456789Z"
LONG_AGO = NOON - timedelta(minutes=5)


def an_event(
    containers: Any = None, *, stream: str = f"{PREFIX}abc", at: int = NOON_MILLISECONDS + 15_200
) -> dict[str, Any]:
    """A keeper's line in the log."""
    told = {"main": [READ, 2_500_000_000, 4096]} if containers is None else containers
    message = json.dumps({"record": "usage", "containers": told}, separators=(",", ":"))
    return {"logStreamName": stream, "timestamp": at, "message": message}


@pytest.fixture
def usage(connection: Connection, limiter: Limiter) -> HelperUsage:
    return HelperUsage(
        connection,
        limiter=limiter,
        clock=VirtualClock(),
        groups=lambda: ["/spillway/pods"],
        prefix="spillway",
    )


async def test_counters_of_every_container_become_measurements(aws: AwsStub, usage: HelperUsage) -> None:
    containers = {"main": [READ, 2_500_000_000, 4096], "side": ["2026-01-01T12:00:14Z", 1, 0]}
    aws.script("FilterLogEvents", Answer({"events": [an_event(containers)]}))
    assert await usage.samples([ARN], since=LONG_AGO) == [
        Sample(
            task=ARN,
            container="main",
            at=datetime(2026, 1, 1, 12, 0, 15, 123457, tzinfo=UTC),
            cpu_seconds=2.5,
            working_set=4096,
        ),
        Sample(task=ARN, container="side", at=NOON + timedelta(seconds=14), cpu_seconds=1e-9, working_set=0),
    ]


async def test_one_look_tells_of_all_tasks_and_not_further_back_than_it_must(
    aws: AwsStub, usage: HelperUsage
) -> None:
    events = [an_event(), an_event(stream=f"{PREFIX}def"), an_event(stream=f"{PREFIX}gone")]
    aws.script("FilterLogEvents", Answer({"events": events}))
    samples = await usage.samples([ARN, OTHER], since=LONG_AGO)
    assert [each.task for each in samples] == [ARN, OTHER]
    assert aws.asked("FilterLogEvents") == [
        {
            "logGroupName": "/spillway/pods",
            "logStreamNamePrefix": PREFIX,
            "startTime": NOON_MILLISECONDS - 90_000,
            "filterPattern": '{ $.record = "usage" }',
        }
    ]


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
async def test_a_group_that_pods_name_and_that_does_not_answer_hides_no_other(
    aws: AwsStub, connection: Connection, limiter: Limiter, code: str
) -> None:
    found = Answer({"events": [an_event()]})
    aws.script("FilterLogEvents", found, an_error(code, "no"), found)
    groups = ("/own", "/forged", "/before")
    usage = HelperUsage(
        connection, limiter=limiter, clock=VirtualClock(), groups=lambda: groups, prefix="spillway"
    )
    assert len(await usage.samples([ARN], since=LONG_AGO)) == 2
    assert [each["logGroupName"] for each in aws.asked("FilterLogEvents")] == list(groups)


async def test_every_page_is_read_even_after_an_empty_one(aws: AwsStub, usage: HelperUsage) -> None:
    empty = Answer({"events": [], "nextToken": "t"})
    aws.script("FilterLogEvents", empty, Answer({"events": [an_event()]}))
    assert len(await usage.samples([ARN], since=LONG_AGO)) == 1
    assert aws.asked("FilterLogEvents")[1]["nextToken"] == "t"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(an_event(stream="spillway/main/abc"), id="a-container-s-own-log"),
        pytest.param(an_event(stream=f"{PREFIX}abc2"), id="another-task"),
        pytest.param(an_event({"main": [READ, -1, 0]}), id="less-than-nothing"),
        pytest.param(an_event({"main": [READ, 10**18, 0]}), id="too-much"),
        pytest.param(an_event({"main": ["2026-01-01T12:00:15", 1, 0]}), id="no-time-zone"),
        pytest.param(an_event({"main": ["2026-01-01T12:02:00Z", 1, 0]}), id="in-the-future"),
        pytest.param(an_event({"main": [READ, 1]}), id="too-short"),
        pytest.param({**an_event(), "message": ' {"record":"usage","containers":{}}'}, id="not-the-keeper-s"),
        pytest.param({**an_event(), "message": '{"record":"usage",'}, id="cut-off"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_what_is_no_helpers_measurement_of_these_tasks_is_passed_over(
    aws: AwsStub, usage: HelperUsage, event: dict[str, Any]
) -> None:
    aws.script("FilterLogEvents", Answer({"events": [event, an_event()]}))
    assert len(await usage.samples([ARN], since=LONG_AGO)) == 1


async def test_a_group_that_is_not_there_yet_tells_nothing(aws: AwsStub, usage: HelperUsage) -> None:
    aws.script("FilterLogEvents", an_error("ResourceNotFoundException", "no such group"))
    assert await usage.samples([ARN], since=LONG_AGO) == []


async def test_where_the_prefix_is_refused_the_whole_group_is_looked_through(
    aws: AwsStub, usage: HelperUsage
) -> None:
    refused = an_error("InvalidParameterException", "too many streams")
    aws.script("FilterLogEvents", refused, Answer({"events": [an_event()]}), Answer({"events": []}))
    assert len(await usage.samples([ARN], since=LONG_AGO)) == 1
    await usage.samples([ARN], since=LONG_AGO)
    asked = ["logStreamNamePrefix" in each for each in aws.asked("FilterLogEvents")]
    assert asked == [True, False, False]


async def test_a_missing_right_is_told_and_the_prefix_is_kept(aws: AwsStub, usage: HelperUsage) -> None:
    denied = an_error("AccessDeniedException", "not authorized")
    aws.script("FilterLogEvents", denied, denied, Answer({"events": [an_event()]}))
    with pytest.raises(Refused):
        await usage.samples([ARN], since=LONG_AGO)
    await usage.samples([ARN], since=LONG_AGO)
    assert "logStreamNamePrefix" in aws.asked("FilterLogEvents")[-1]
