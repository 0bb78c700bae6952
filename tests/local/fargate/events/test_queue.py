"""The queue that events come through, as its readers see it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes import settle
from tests.local.fargate.clients import Far
from tests.local.fargate.events.mailbox import QUEUE, details, receive, versions
from tests.local.fargate.fakes import PACE, Aws, Build, Refusal, a_container, until


@pytest.fixture
async def aws(build: Build) -> Aws:
    """An embedded Fargate that sends events."""
    return build(events_queue="tasks")


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
async def far() -> AsyncIterator[Far]:
    """An embedded Fargate with a queue, on a socket."""
    far = Far(can_execute=lambda _command: False, events_queue="tasks")
    await far.start()
    yield far
    await far.stop()


async def test_boto3_receives_and_deletes(far: Far) -> None:
    url = (await far.ask("sqs", "get_queue_url", QueueName="tasks"))["QueueUrl"]
    assert url == QUEUE
    poll = asyncio.create_task(
        far.ask("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
    )
    arn = await far.run(a_container())
    await far.clock.advance(PACE.event_after)
    [message, *_] = (await poll)["Messages"]
    assert json.loads(message["Body"])["resources"] == [arn]
    entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    done = await far.ask("sqs", "delete_message_batch", QueueUrl=url, Entries=[entry])
    assert [each["Id"] for each in done["Successful"]] == ["1"]


async def test_boto3_gets_its_own_exceptions(far: Far) -> None:
    with pytest.raises(far.client("sqs").exceptions.QueueDoesNotExist):
        await far.ask("sqs", "get_queue_url", QueueName="none")
    with pytest.raises(ClientError) as error:
        await far.ask("sqs", "receive_message", QueueUrl=QUEUE + "x")
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


async def test_stopping_ends_a_long_poll(far: Far) -> None:
    poll = asyncio.create_task(far.ask("sqs", "receive_message", QueueUrl=QUEUE, WaitTimeSeconds=20))
    await until(lambda: far.fargate._rule.queues["tasks"]._changed._waiters)
    await far.fargate.stop()
    assert "Messages" not in await poll
