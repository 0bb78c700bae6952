"""ECS Task State Change events from an SQS queue (app.ports.task_events.TaskEvents).

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.aws import translate
from app.aws.connection import Connection
from app.model.wire import Json
from app.ports.failures import Unavailable
from app.ports.task_events import TaskEvent, TaskEvents
from app.telemetry import logs

log = logs.get(__name__)

MOST_AT_ONCE: Final = 10
"""SQS's most for one answer, and one deletion."""

WAIT_SECONDS: Final = 10
"""SQS would wait for 20; our connections give up on a silent answer after 15."""

_DETAIL_TYPE: Final = "ECS Task State Change"


class SqsTaskEvents(TaskEvents):
    """One queue that an EventBridge rule fills with the state changes of one ECS cluster."""

    def __init__(self, connection: Connection, *, queue_url: str) -> None:
        self._connection = connection
        self._queue_url = queue_url

    async def receive(self) -> tuple[TaskEvent, ...]:
        """At most ten events. What is no event of a task is deleted unread, with a word in the log."""
        channel = await self._connection.channel("sqs")
        answer = await channel.call(
            "receive_message",
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=MOST_AT_ONCE,
            WaitTimeSeconds=WAIT_SECONDS,
        )
        events: list[TaskEvent] = []
        for message in answer.get("Messages", ()):
            event = _event(message)
            if event is None:
                log.warning("a message of the queue is no task event", id=message.get("MessageId", ""))
                await self._delete([message["ReceiptHandle"]])
            else:
                events.append(event)
        return tuple(events)

    async def done(self, events: Sequence[TaskEvent]) -> None:
        """Delete the messages; those that SQS keeps come again, which harms nothing."""
        receipts = [event.receipt for event in events]
        for start in range(0, len(receipts), MOST_AT_ONCE):
            await self._delete(receipts[start : start + MOST_AT_ONCE])

    async def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(index), "ReceiptHandle": each} for index, each in enumerate(receipts)]
        channel = await self._connection.channel("sqs")
        answer = await channel.call("delete_message_batch", QueueUrl=self._queue_url, Entries=entries)
        if answer.get("Failed"):
            log.warning("SQS did not delete all messages", failed=len(answer["Failed"]))


class _Envelope(msgspec.Struct, frozen=True):
    detail: Json
    detail_type: str = msgspec.field(name="detail-type", default="")


def _event(message: dict[str, Json]) -> TaskEvent | None:
    try:
        envelope = msgspec.json.decode(message["Body"], type=_Envelope)
        if envelope.detail_type != _DETAIL_TYPE:
            return None
        return TaskEvent(translate.task(envelope.detail), message["ReceiptHandle"])
    except (msgspec.MsgspecError, KeyError, Unavailable):
        return None
