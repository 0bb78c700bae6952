import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.local.fargate.config import FargateConfig
from app.local.fargate.events.state_changes import event_of
from app.local.fargate.faults.orders import Fault
from tests.local.fargate.events.mailbox import details, receive, versions
from tests.local.fargate.fakes import TO_RUNNING, Aws, Build, a_container, overrides_for


@pytest.fixture
async def aws(build: Build) -> Aws:
    """An embedded Fargate that sends events."""
    return build(events_queue="tasks")


async def test_every_version_of_a_task_is_an_event(aws: Aws) -> None:
    arn = await aws.running()
    await aws.clock.advance(1)
    found = await details(aws)
    assert [(each["version"], each["lastStatus"]) for each in found] == [
        (1, "PROVISIONING"),
        (2, "PENDING"),
        (3, "ACTIVATING"),
        (4, "RUNNING"),
    ]
    assert {each["taskArn"] for each in found} == {arn}


async def test_an_event_has_eventbridges_envelope(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.clock.advance(1)
    [message] = await receive(aws)
    event = json.loads(message["Body"])
    assert (event["version"], event["source"], event["detail-type"]) == (
        "0",
        "aws.ecs",
        "ECS Task State Change",
    )
    assert (event["account"], event["region"], event["resources"]) == ("123456789012", "us-east-1", [arn])
    assert event["time"] == "2026-01-01T12:00:00Z"
    assert event["id"]


async def test_the_detail_is_the_task_in_the_words_of_events(aws: Aws) -> None:
    check = {"command": ["CMD", "true"], "interval": 5}
    await aws.register(containerDefinitions=[a_container(healthCheck=check)])
    arn = await aws.run(overrides=overrides_for("uid-1"), tags=[{"key": "a", "value": "b"}])
    await aws.clock.advance(TO_RUNNING + 1)
    detail = (await details(aws))[-1]
    task = await aws.task(arn, include=["TAGS"])
    assert [each["type"] for each in detail["attachments"]] == ["eni"]
    assert detail["attachments"][0]["details"] == task["attachments"][0]["details"]
    assert "tags" not in detail
    assert "healthStatus" not in detail
    assert "healthStatus" not in detail["containers"][0]
    assert detail["startedAt"] == "2026-01-01T12:00:21Z" == detail["updatedAt"]
    assert detail["connectivity"] == "CONNECTED"
    assert detail["overrides"]["containerOverrides"] == task["overrides"]["containerOverrides"]
    assert detail["containers"][0]["runtimeId"] == task["containers"][0]["runtimeId"]


async def test_an_interruption_is_told_while_the_task_runs(aws: Aws) -> None:
    await aws.register()
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    arn = await aws.run(launchType=None, capacityProviderStrategy=strategy)
    await aws.clock.advance(TO_RUNNING)
    await aws.clock.advance(1)
    await receive(aws)
    aws.fargate.interruptions.interrupt_spot(arn)
    await aws.clock.advance(0.5)
    detail = (await details(aws))[0]
    assert (detail["lastStatus"], detail["desiredStatus"]) == ("RUNNING", "STOPPED")
    assert (detail["stopCode"], detail["capacityProviderName"]) == ("SpotInterruption", "FARGATE_SPOT")


async def test_health_makes_no_event(aws: Aws) -> None:
    check = {"command": ["CMD", "true"], "interval": 5, "retries": 1}
    container = a_container(healthCheck=check, script={"checks": [0, 1]})
    await aws.running(containerDefinitions=[container])
    await aws.clock.advance(60)
    assert versions(await details(aws)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("now", "text"),
    [
        pytest.param(datetime(2026, 1, 1, 12, 0, 0, 984_000, tzinfo=UTC), "12:00:00.984Z", id="milliseconds"),
        pytest.param(datetime(2026, 1, 1, 12, 0, 0, 710_000, tzinfo=UTC), "12:00:00.71Z", id="hundredths"),
        pytest.param(datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC), "12:00:00Z", id="whole seconds"),
    ],
)
def test_times_are_written_without_zeros_at_their_end(now: datetime, text: str) -> None:
    view = {"taskArn": "a", "overrides": {}, "containers": [], "attachments": []}
    event = event_of(view, config=FargateConfig(), event_id="e", now=now)
    assert event["detail"]["updatedAt"] == f"2026-01-01T{text}"
    assert event["time"] == "2026-01-01T12:00:00Z"


def an_order(kind: Any, **fields: Any) -> Fault:
    return Fault(operation="SendMessage", kind=kind, **fields)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        pytest.param(an_order("loss"), [2, 3, 4], id="lost"),
        pytest.param(an_order("duplicate"), [1, 1, 2, 3, 4], id="twice"),
        pytest.param(an_order("duplicate", seconds=60), [1, 2, 3, 4, 1], id="twice, the second late"),
        pytest.param(an_order("delay", seconds=60), [2, 3, 4, 1], id="late"),
        pytest.param(an_order("reorder", seconds=60), [2, 1, 3, 4], id="overtaken"),
        pytest.param(an_order("reorder"), [1, 2, 3, 4], id="nobody came to overtake"),
    ],
)
async def test_an_event_may_be(aws: Aws, fault: Fault, found: list[int]) -> None:
    aws.fargate.faults.add(fault)
    await aws.running()
    await aws.clock.advance(120)
    assert versions(await details(aws)) == found
