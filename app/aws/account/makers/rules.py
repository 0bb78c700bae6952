"""EventBridge rules on the default bus. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html."""

import json
from collections.abc import Collection
from typing import Final

from app.aws.account.calls import Calls
from app.aws.account.makers.maker import Maker, owner_in, tag_list
from app.aws.account.names import Names
from app.aws.account.plan import Found
from app.aws.account.wanted import PATTERN, STATE, TARGETS, Key, Resource
from app.model.wire import Json
from app.ports.failures import NotFound, Unavailable

_TARGET: Final = "queue"


class Rules(Maker):
    """The rule that sends task events to the queue."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def find(self, key: Key) -> Found | None:
        """As the port."""
        try:
            rule = await self._calls.ask("events", "describe_rule", Name=key.name)
        except NotFound:
            return None
        arn = str(rule["Arn"])
        tagged = await self._calls.ask("events", "list_tags_for_resource", ResourceARN=arn)
        pattern = rule.get("EventPattern")
        return Found(
            key=key,
            identifier=arn,
            owner=owner_in(tagged.get("Tags") or ()),
            aspects={
                PATTERN: json.loads(pattern) if pattern else None,
                STATE: rule.get("State"),
                TARGETS: sorted(str(each["Arn"]) for each in await self._targets(key.name)),
            },
        )

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port; a rule is nothing without its pattern."""
        await self._put(resource, Tags=tag_list(self._names))
        return [TARGETS]

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port; EventBridge takes tags only when a rule is made."""
        if PATTERN in aspects or STATE in aspects:
            await self._put(resource)
        if TARGETS in aspects:
            await self._send(resource.key.name, resource.aspects[TARGETS])

    async def _put(self, resource: Resource, **more: Json) -> None:
        await self._calls.ask(
            "events",
            "put_rule",
            settling=True,
            Name=resource.key.name,
            EventPattern=json.dumps(resource.aspects[PATTERN]),
            State=resource.aspects[STATE],
            **more,
        )

    async def _send(self, name: str, wanted: list[str]) -> None:
        there = await self._targets(name, settling=True)
        await self._remove(name, [str(each["Id"]) for each in there if each["Arn"] not in wanted])
        missing = [arn for arn in wanted if arn not in {each["Arn"] for each in there}]
        if not missing:
            return
        [arn] = missing
        targets = [{"Id": _TARGET, "Arn": arn}]
        answer = await self._calls.ask("events", "put_targets", settling=True, Rule=name, Targets=targets)
        _done("PutTargets", answer)

    async def delete(self, found: Found) -> None:
        """As the port: EventBridge deletes no rule that still has targets."""
        name = found.key.name
        try:
            await self._remove(name, [str(each["Id"]) for each in await self._targets(name)])
            await self._calls.ask("events", "delete_rule", settling=True, Name=name)
        except NotFound:
            return

    async def _remove(self, name: str, ids: list[str]) -> None:
        if ids:
            _done("RemoveTargets", await self._calls.ask("events", "remove_targets", Rule=name, Ids=ids))

    async def _targets(self, name: str, *, settling: bool = False) -> list[Json]:
        tokens = ("NextToken", "NextToken")
        return await self._calls.pages(
            "events", "list_targets_by_rule", "Targets", tokens=tokens, settling=settling, Rule=name
        )


def _done(operation: str, answer: dict[str, Json]) -> None:
    """Raise where an answer that is not an error tells of one."""
    failed = answer.get("FailedEntries") or ()
    if failed:
        raise Unavailable(f"{operation}: {failed[0].get('ErrorCode')}: {failed[0].get('ErrorMessage')}")
