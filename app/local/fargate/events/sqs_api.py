"""GetQueueUrl, ReceiveMessage, DeleteMessage and what else reading a queue takes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from app.local.fargate.config import FargateConfig
from app.local.fargate.events.queues import VISIBILITY_TIMEOUT, Message, Queue
from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json

_MOST: Final = 10
_LONGEST_WAIT: Final = 20
_LONGEST_HIDING: Final = 12 * 3600


@dataclass(kw_only=True)
class SqsApi:
    """Answers requests that satisfy the service model."""

    config: FargateConfig
    queues: Mapping[str, Queue]

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of SQS answers."""
        return {
            "GetQueueUrl": self.url,
            "GetQueueAttributes": self.attributes,
            "ReceiveMessage": self.receive,
            "DeleteMessage": self.delete,
            "DeleteMessageBatch": self.delete_batch,
        }

    def waiting(self) -> Mapping[str, Callable[[bytes], Awaitable[None]]]:
        """What requests may have to wait for, given their bodies, before they are answered."""
        return {"ReceiveMessage": self._wait}

    def url(self, params: Json) -> Json:
        """The queue's URL, as at AWS; it names the queue, wherever this endpoint listens."""
        name = self._queue(params["QueueName"]).name
        return {"QueueUrl": f"https://sqs.{self.config.region}.amazonaws.com/{self.config.account}/{name}"}

    def attributes(self, params: Json) -> Json:
        """The attributes that are asked for; `All` for all."""
        queue = self._queue(params["QueueUrl"])
        visible, hidden = queue.counts()
        known = {
            "QueueArn": self.config.arn(queue.name, service="sqs"),
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": "0",
            "VisibilityTimeout": str(VISIBILITY_TIMEOUT),
            "ReceiveMessageWaitTimeSeconds": "0",
        }
        wanted = params.get("AttributeNames", ())
        return {"Attributes": {name: text for name, text in known.items() if {name, "All"} & set(wanted)}}

    def receive(self, params: Json) -> Json:
        """Up to ten visible messages; no member at all where there is none."""
        queue = self._queue(params["QueueUrl"])
        most = _within(params, "MaxNumberOfMessages", 1, low=1, high=_MOST)
        _within(params, "WaitTimeSeconds", 0, low=0, high=_LONGEST_WAIT)
        hidden_for = _within(params, "VisibilityTimeout", VISIBILITY_TIMEOUT, low=0, high=_LONGEST_HIDING)
        found = queue.receive(most, hidden_for=hidden_for)
        names = {*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())}
        return {"Messages": [_view(each, names) for each in found]} if found else {}

    def delete(self, params: Json) -> Json:
        """Delete one message by its receipt handle."""
        if not self._queue(params["QueueUrl"]).delete(params["ReceiptHandle"]):
            raise _error("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return {}

    def delete_batch(self, params: Json) -> Json:
        """Delete up to ten messages; each has its own outcome."""
        queue = self._queue(params["QueueUrl"])
        entries = params["Entries"]
        if not entries:
            raise _error("EmptyBatchRequest", "There should be at least one DeleteMessageBatchRequestEntry.")
        if len(entries) > _MOST:
            raise _error(
                "TooManyEntriesInBatchRequest", f"Maximum number of entries per request are {_MOST}."
            )
        if len({each["Id"] for each in entries}) < len(entries):
            raise _error("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
        done = {each["Id"]: queue.delete(each["ReceiptHandle"]) for each in entries}
        return {
            "Successful": [{"Id": name} for name, deleted in done.items() if deleted],
            "Failed": [
                {"Id": name, "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
                for name, deleted in done.items()
                if not deleted
            ],
        }

    async def _wait(self, body: bytes) -> None:
        """Wait as long as the request wants; one that is wrong is refused without waiting."""
        try:
            wish = msgspec.json.decode(body, type=_Wish)
        except msgspec.MsgspecError:
            return
        queue = self.queues.get(wish.queue.rsplit("/", 1)[-1])
        if queue is not None and 0 < wish.seconds <= _LONGEST_WAIT:
            await queue.wait(wish.seconds)

    def _queue(self, name: str) -> Queue:
        found = self.queues.get(name.rsplit("/", 1)[-1])
        if found is None:
            raise AwsError(
                "QueueDoesNotExist",
                "The specified queue does not exist.",
                query_code="AWS.SimpleQueueService.NonExistentQueue",
            )
        return found


class _Wish(msgspec.Struct, frozen=True):
    queue: str = msgspec.field(name="QueueUrl")
    seconds: int = msgspec.field(name="WaitTimeSeconds", default=0)


def _within(params: Json, name: str, default: int, *, low: int, high: int) -> int:
    value: int = params.get(name, default)
    if not low <= value <= high:
        reason = f"Value {value} for parameter {name} is invalid. Reason: Must be between {low} and {high}."
        raise AwsError("InvalidParameterValue", reason, query_code="InvalidParameterValue")
    return value


def _error(code: str, message: str) -> AwsError:
    return AwsError(code, message, query_code=f"AWS.SimpleQueueService.{code}")


def _view(message: Message, names: set[str]) -> Json:
    known = {
        "SenderId": "events.amazonaws.com",
        "SentTimestamp": str(message.sent),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(message.first_received),
    }
    view: Json = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "Body": message.body,
    }
    attributes = {name: text for name, text in known.items() if {name, "All"} & names}
    return view | {"Attributes": attributes} if attributes else view
