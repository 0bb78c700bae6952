"""SQS queues. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html."""

import json
from collections.abc import Collection, Mapping
from typing import Final

from app.aws.account.calls import Calls
from app.aws.account.makers.maker import Maker, tags_of
from app.aws.account.names import OWNER, Names
from app.aws.account.plan import Found
from app.aws.account.wanted import POLICY, SETTINGS, Key, Resource
from app.model.wire import Json
from app.ports.failures import NotFound

_SETTINGS: Final = ("MessageRetentionPeriod", "VisibilityTimeout", "RedrivePolicy", "SqsManagedSseEnabled")
_REDRIVE: Final = "RedrivePolicy"


class Queues(Maker):
    """The queue of task events, and the one for those that nobody could take."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names
        self._made: dict[str, str] = {}

    async def find(self, key: Key) -> Found | None:
        """As the port. Settings that AWS chooses itself are told of only where we want them otherwise."""
        url = await self.url(key.name)
        if not url:
            return None
        told = await self._calls.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
        tagged = await self._calls.ask("sqs", "list_queue_tags", QueueUrl=url)
        attributes = told.get("Attributes") or {}
        policy = attributes.get("Policy")
        return Found(
            key=key,
            identifier=url,
            owner=(tagged.get("Tags") or {}).get(OWNER, ""),
            aspects={
                POLICY: json.loads(policy) if policy else None,
                SETTINGS: _settings(attributes, dead=key.name == self._names.dead_letters),
            },
        )

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port; the name of a queue that was deleted a moment ago is waited for."""
        name = resource.key.name
        answer = await self._calls.ask(
            "sqs", "create_queue", settling=True, QueueName=name, tags=tags_of(self._names)
        )
        self._made[name] = str(answer["QueueUrl"])
        return list(resource.aspects)

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port."""
        attributes: dict[str, str] = {}
        if SETTINGS in aspects:
            attributes |= {name: _text(value) for name, value in resource.aspects[SETTINGS].items()}
        if POLICY in aspects:
            attributes["Policy"] = json.dumps(resource.aspects[POLICY])
        url = await self.url(resource.key.name)
        if not url:
            raise NotFound(f"{resource.key} is gone: somebody has removed it meanwhile")
        await self._calls.ask(
            "sqs", "set_queue_attributes", settling=True, QueueUrl=url, Attributes=attributes
        )

    async def delete(self, found: Found) -> None:
        """As the port."""
        self._made.pop(found.key.name, None)
        try:
            await self._calls.ask("sqs", "delete_queue", QueueUrl=found.identifier)
        except NotFound:
            return

    async def url(self, name: str) -> str:
        """A queue's URL, empty where there is none; one made just now may not be found by its name yet."""
        if name in self._made:
            return self._made[name]
        try:
            answer = await self._calls.ask("sqs", "get_queue_url", QueueName=name)
        except NotFound:
            return ""
        return str(answer.get("QueueUrl", ""))


def _settings(attributes: Mapping[str, str], *, dead: bool) -> Json:
    """What we set of a queue's settings; the visibility timeout of dead letters is nobody's business."""
    names = [each for each in _SETTINGS if each in attributes and not (dead and each == "VisibilityTimeout")]
    return {name: _value(name, attributes[name]) for name in names}


def _value(name: str, text: str) -> Json:
    if name != _REDRIVE:
        return text
    redrive = json.loads(text)
    return {**redrive, "maxReceiveCount": int(redrive.get("maxReceiveCount", 0))}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
