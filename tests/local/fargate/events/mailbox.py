"""Reading the queue of events."""

import json
from typing import Any

from tests.local.fargate.fakes import Aws

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/tasks"


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
