import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.aws.connection import Connection
from app.aws.insights import ContainerInsights
from app.aws.limiter import Limiter
from app.model.names import TaskArn
from app.model.usage import Sample
from app.ports.failures import Refused
from tests.aws.fakes import Answer, AwsStub, an_error

ARN = TaskArn("arn:aws:ecs:us-east-1:123456789012:task/spillway/abc")
SINCE = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def an_event(**fields: Any) -> dict[str, Any]:
    """One performance log event."""
    told = {
        "Type": "Container",
        "TaskId": "abc",
        "ContainerName": "main",
        "Timestamp": 1767268860000,
        "CpuUtilized": 512.0,
        "MemoryUtilized": 48,
        **fields,
    }
    return {"timestamp": 1767268860000, "message": json.dumps(told)}


@pytest.fixture
def insights(connection: Connection, limiter: Limiter) -> ContainerInsights:
    return ContainerInsights(connection, limiter=limiter, cluster="spillway")


async def test_units_and_mebibytes_become_cores_and_bytes(aws: AwsStub, insights: ContainerInsights) -> None:
    aws.script("FilterLogEvents", Answer({"events": [an_event()]}))
    assert await insights.samples([ARN], since=SINCE) == [
        Sample(
            task=ARN,
            container="main",
            at=datetime(2026, 1, 1, 12, 1, tzinfo=UTC),
            cores=0.5,
            working_set=48 * 1024 * 1024,
        )
    ]
    assert aws.asked("FilterLogEvents") == [
        {
            "logGroupName": "/aws/ecs/containerinsights/spillway/performance",
            "startTime": 1767268800000,
            "filterPattern": '{ $.Type = "Container" }',
        }
    ]


async def test_every_page_is_read(aws: AwsStub, insights: ContainerInsights) -> None:
    first = Answer({"events": [], "nextToken": "t"})
    aws.script("FilterLogEvents", first, Answer({"events": [an_event()]}))
    assert len(await insights.samples([ARN], since=SINCE)) == 1
    assert aws.asked("FilterLogEvents")[1]["nextToken"] == "t"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(an_event(TaskId="another"), id="another task's"),
        pytest.param({"message": "no json"}, id="no JSON"),
        pytest.param(an_event(CpuUtilized="much"), id="no number"),
        pytest.param(an_event(CpuUtilized=-1), id="less than nothing"),
        pytest.param({}, id="no message"),
    ],
)
async def test_what_is_no_measurement_of_these_tasks_is_passed_over(
    aws: AwsStub, insights: ContainerInsights, event: dict[str, Any]
) -> None:
    aws.script("FilterLogEvents", Answer({"events": [event, an_event()]}))
    assert len(await insights.samples([ARN], since=SINCE)) == 1


async def test_a_cluster_without_insights_has_no_measurements(
    aws: AwsStub, insights: ContainerInsights
) -> None:
    aws.script("FilterLogEvents", an_error("ResourceNotFoundException", "no such group"))
    assert await insights.samples([ARN], since=SINCE) == []


async def test_a_missing_right_is_told(aws: AwsStub, insights: ContainerInsights) -> None:
    aws.script("FilterLogEvents", an_error("AccessDeniedException", "not authorized"))
    with pytest.raises(Refused):
        await insights.samples([ARN], since=SINCE)
