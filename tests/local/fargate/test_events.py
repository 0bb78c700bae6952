"""Events of tasks in a queue, as boto3 reads it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from app.local.fargate.config import FargateConfig
from app.local.fargate.embedded import EmbeddedFargate
from app.local.fargate.events import event_of
from app.local.fargate.faults import Fault
from tests.fakes import VirtualClock, settle
from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, Build, Refusal, a_container, overrides_for, until

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/tasks"


@pytest.fixture
async def aws(build: Build) -> Aws:
    """An embedded Fargate that sends events."""
    return build(events_queue="tasks")


async def receive(aws: Aws, **params: Any) -> list[dict[str, Any]]:
    """One page of messages."""
    wish = {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10, **params}
    messages: list[dict[str, Any]] = (await aws.call("ReceiveMessage", **wish)).get("Messages", [])
    return messages


async def details(aws: Aws, **params: Any) -> list[dict[str, Any]]:
    """The details of the events in one page."""
    return [json.loads(each["Body"])["detail"] for each in await receive(aws, **params)]


def versions(found: list[dict[str, Any]]) -> list[int]:
    return [each["version"] for each in found]


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


async def test_a_received_message_hides_and_comes_back(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(1)
    assert versions(await details(aws)) == [1]
    assert await details(aws) == []
    await aws.clock.advance(30)
    assert versions(await details(aws, VisibilityTimeout=5))[:1] == [1]
    await aws.clock.advance(5)
    again = await receive(aws, MessageSystemAttributeNames=["All"])
    assert again[0]["Attributes"]["ApproximateReceiveCount"] == "3"


async def test_a_deleted_message_does_not_come_back(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(1)
    [message] = await receive(aws, VisibilityTimeout=0)
    await aws.call("DeleteMessage", QueueUrl=QUEUE, ReceiptHandle=message["ReceiptHandle"])
    assert await receive(aws) == []


async def test_an_old_receipt_deletes_nothing(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(1)
    [first] = await receive(aws, VisibilityTimeout=0)
    await receive(aws, VisibilityTimeout=0)
    await aws.call("DeleteMessage", QueueUrl=QUEUE, ReceiptHandle=first["ReceiptHandle"])
    assert len(await receive(aws)) == 1


async def test_a_batch_has_an_outcome_for_each_entry(aws: Aws) -> None:
    await aws.running()
    await aws.clock.advance(1)
    messages = await receive(aws)
    entries = [
        {"Id": str(index), "ReceiptHandle": each["ReceiptHandle"]} for index, each in enumerate(messages)
    ]
    entries.append({"Id": "bad", "ReceiptHandle": "nonsense"})
    answer = await aws.call("DeleteMessageBatch", QueueUrl=QUEUE, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1", "2", "3"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]
    counts = await aws.call("GetQueueAttributes", QueueUrl=QUEUE, AttributeNames=["All"])
    assert counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"


async def test_a_long_poll_ends_with_the_first_event(aws: Aws) -> None:
    await aws.register()
    poll = asyncio.create_task(details(aws, WaitTimeSeconds=20))
    await aws.clock.advance(10)
    assert not poll.done()
    await aws.run()
    await aws.clock.advance(0.5)
    await settle()
    assert versions(await poll) == [1]


async def test_a_long_poll_without_events_ends_empty(aws: Aws) -> None:
    poll = asyncio.create_task(receive(aws, WaitTimeSeconds=20))
    await aws.clock.advance(19.9)
    assert not poll.done()
    await aws.clock.advance(0.2)
    assert await poll == []


async def test_a_long_poll_ends_when_a_message_shows_again(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(1)
    await receive(aws, VisibilityTimeout=5)
    poll = asyncio.create_task(receive(aws, WaitTimeSeconds=20))
    await aws.clock.advance(PACE.event_after + 5)
    assert len(await poll) == 1


@pytest.mark.parametrize(
    ("operation", "params", "error"),
    [
        pytest.param("GetQueueUrl", {"QueueName": "no"}, "QueueDoesNotExist", id="no such name"),
        pytest.param(
            "ReceiveMessage",
            {"QueueUrl": QUEUE + "x", "WaitTimeSeconds": 20},
            "QueueDoesNot",
            id="no such URL",
        ),
        pytest.param(
            "ReceiveMessage",
            {"QueueUrl": QUEUE, "MaxNumberOfMessages": 11},
            "InvalidParameterV",
            id="too many",
        ),
        pytest.param(
            "ReceiveMessage", {"QueueUrl": QUEUE, "WaitTimeSeconds": 21}, "InvalidParameterV", id="too long"
        ),
        pytest.param(
            "ReceiveMessage", {"QueueUrl": QUEUE, "WaitTimeSeconds": "x"}, "InvalidParameterE", id="no number"
        ),
        pytest.param(
            "DeleteMessage", {"QueueUrl": QUEUE, "ReceiptHandle": "x"}, "ReceiptHandleIsInvalid", id="receipt"
        ),
        pytest.param("DeleteMessageBatch", {"QueueUrl": QUEUE, "Entries": []}, "EmptyBatch", id="no entries"),
        pytest.param(
            "DeleteMessageBatch",
            {"QueueUrl": QUEUE, "Entries": [{"Id": "a", "ReceiptHandle": "x"}] * 2},
            "NotDistinct",
            id="same id twice",
        ),
        pytest.param(
            "DeleteMessageBatch",
            {"QueueUrl": QUEUE, "Entries": [{"Id": str(i), "ReceiptHandle": "x"} for i in range(11)]},
            "TooManyEntries",
            id="eleven entries",
        ),
    ],
)
async def test_a_request_to_the_queue_is_refused(
    aws: Aws, operation: str, params: dict[str, Any], error: str
) -> None:
    with pytest.raises(Refusal, match=error):
        await aws.call(operation, **params)


async def test_without_a_queue_there_are_no_events(build: Build) -> None:
    aws = build()
    await aws.running()
    with pytest.raises(Refusal, match="QueueDoesNotExist"):
        await aws.call("GetQueueUrl", QueueName="tasks")


@pytest.fixture
async def served() -> AsyncIterator[tuple[EmbeddedFargate, VirtualClock, Any]]:
    """An embedded Fargate on a socket, its clock, and boto3's client for SQS."""
    numbers = itertools.count(1)
    clock = VirtualClock()
    config = FargateConfig(events_queue="tasks", simulate_all=True, throttles=False)
    fargate = EmbeddedFargate(config, clock=clock, ids=lambda: f"{next(numbers):032x}")
    sqs = boto3.client(
        "sqs",
        endpoint_url=await fargate.start(),
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield fargate, clock, sqs
    sqs.close()
    await fargate.stop()


async def test_boto3_receives_and_deletes(served: tuple[EmbeddedFargate, VirtualClock, Any]) -> None:
    fargate, clock, sqs = served
    url = (await asyncio.to_thread(sqs.get_queue_url, QueueName="tasks"))["QueueUrl"]
    assert url == QUEUE
    fargate._rule.queues["tasks"].send("hello")
    answer = await asyncio.to_thread(
        sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20
    )
    [message] = answer["Messages"]
    assert message["Body"] == "hello"
    entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    done = await asyncio.to_thread(sqs.delete_message_batch, QueueUrl=url, Entries=[entry])
    assert [each["Id"] for each in done["Successful"]] == ["1"]
    await clock.advance(60)
    empty = await asyncio.to_thread(sqs.receive_message, QueueUrl=url)
    assert "Messages" not in empty


async def test_boto3_gets_its_own_exceptions(served: tuple[EmbeddedFargate, VirtualClock, Any]) -> None:
    _, _, sqs = served
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        await asyncio.to_thread(sqs.get_queue_url, QueueName="none")
    with pytest.raises(ClientError) as error:
        await asyncio.to_thread(sqs.receive_message, QueueUrl=QUEUE + "x")
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


async def test_stopping_ends_a_long_poll(served: tuple[EmbeddedFargate, VirtualClock, Any]) -> None:
    fargate, _, sqs = served
    poll = asyncio.create_task(asyncio.to_thread(sqs.receive_message, QueueUrl=QUEUE, WaitTimeSeconds=20))
    await until(lambda: fargate._rule.queues["tasks"]._changed._waiters)
    await fargate.stop()
    assert "Messages" not in await poll
