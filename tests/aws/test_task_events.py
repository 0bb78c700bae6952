"""ECS Task State Change events, as EventBridge puts them into a queue."""

import json
from typing import Any

import pytest

from app.aws.connection import Connection
from app.aws.task_events import SqsTaskEvents
from app.ports.failures import Unavailable
from app.ports.task_events import TaskEvent
from tests.aws.fakes import HANG_UP, Answer, AwsStub
from tests.builders import a_pod, a_task

QUEUE = "http://127.0.0.1/1/queue"
ARN = "arn:aws:ecs:us-east-1:123456789012:task/spillway/abc"


def a_message(number: int = 1, *, kind: str = "ECS Task State Change", **detail: Any) -> dict[str, str]:
    task = {"taskArn": ARN, "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "version": number, **detail}
    body = {"detail-type": kind, "source": "aws.ecs", "detail": task}
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": json.dumps(body),
    }


@pytest.fixture
def events(connection: Connection) -> SqsTaskEvents:
    return SqsTaskEvents(connection, queue_url=QUEUE)


async def test_an_event_is_a_task_with_its_version_and_times(aws: AwsStub, events: SqsTaskEvents) -> None:
    message = a_message(7, startedAt="2026-01-01T12:00:00.5Z", updatedAt="2026-01-01T12:00:01Z")
    aws.script("ReceiveMessage", Answer({"Messages": [message]}))
    [event] = await events.receive()
    assert (event.task.arn, event.task.version, event.receipt) == (ARN, 7, "r7")
    assert event.task.started_at is not None
    assert event.task.started_at.isoformat() == "2026-01-01T12:00:00.500000+00:00"


async def test_the_address_of_an_events_attachment_is_read(aws: AwsStub, events: SqsTaskEvents) -> None:
    attachment = {"type": "eni", "details": [{"name": "privateIPv4Address", "value": "10.1.0.7"}]}
    aws.script("ReceiveMessage", Answer({"Messages": [a_message(attachments=[attachment])]}))
    [event] = await events.receive()
    assert event.task.ip == "10.1.0.7"


async def test_an_empty_queue_is_waited_for_and_says_nothing(aws: AwsStub, events: SqsTaskEvents) -> None:
    aws.script("ReceiveMessage", Answer({}))
    assert await events.receive() == ()
    assert aws.asked("ReceiveMessage") == [
        {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 10}
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("no JSON", id="no-json"),
        pytest.param("[]", id="another-shape"),
        pytest.param(a_message(kind="ECS Deployment State Change")["Body"], id="another-event"),
        pytest.param(a_message(version="new")["Body"], id="no-task"),
    ],
)
async def test_what_is_no_event_of_a_task_is_taken_out_of_the_queue(
    aws: AwsStub, events: SqsTaskEvents, body: str
) -> None:
    strange = {"MessageId": "m9", "ReceiptHandle": "r9", "Body": body}
    aws.script("ReceiveMessage", Answer({"Messages": [strange, a_message(1)]}))
    aws.script("DeleteMessageBatch", Answer({"Successful": [{"Id": "0"}], "Failed": []}))
    assert [event.receipt for event in await events.receive()] == ["r1"]
    [asked] = aws.asked("DeleteMessageBatch")
    assert [each["ReceiptHandle"] for each in asked["Entries"]] == ["r9"]


async def test_what_is_done_is_deleted_ten_at_a_time(aws: AwsStub, events: SqsTaskEvents) -> None:
    aws.script("DeleteMessageBatch", Answer({"Successful": [], "Failed": []}))
    task = a_task(a_pod())
    await events.done([TaskEvent(task, f"r{number}") for number in range(12)])
    sizes = [len(each["Entries"]) for each in aws.asked("DeleteMessageBatch")]
    assert sizes == [10, 2]


async def test_a_message_that_sqs_keeps_is_no_failure(aws: AwsStub, events: SqsTaskEvents) -> None:
    refused = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
    aws.script("DeleteMessageBatch", Answer({"Successful": [], "Failed": [refused]}))
    await events.done([TaskEvent(a_task(a_pod()), "r1")])
    assert len(aws.asked("DeleteMessageBatch")) == 1


async def test_a_queue_that_does_not_answer_is_a_failure_of_ours(aws: AwsStub, events: SqsTaskEvents) -> None:
    aws.script("ReceiveMessage", HANG_UP)
    with pytest.raises(Unavailable):
        await events.receive()
