"""Log groups. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html."""

from collections.abc import Collection

from app.aws.account.calls import Calls
from app.aws.account.makers.maker import Maker, tags_of
from app.aws.account.names import OWNER, Names
from app.aws.account.plan import Found
from app.aws.account.wanted import RETENTION, Key, Resource
from app.ports.failures import Conflict, NotFound


class LogGroups(Maker):
    """The group of all containers' logs."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def find(self, key: Key) -> Found | None:
        """As the port; a group that never forgets has a retention of None."""
        listed = await self._calls.pages(
            "logs",
            "describe_log_groups",
            "logGroups",
            tokens=("nextToken", "nextToken"),
            logGroupNamePrefix=key.name,
        )
        for each in listed:
            if each.get("logGroupName") == key.name:
                arn = str(each.get("logGroupArn") or each["arn"]).removesuffix(":*")
                tagged = await self._calls.ask("logs", "list_tags_for_resource", resourceArn=arn)
                owner = (tagged.get("tags") or {}).get(OWNER, "")
                aspects = {RETENTION: each.get("retentionInDays")}
                return Found(key=key, identifier=arn, owner=owner, aspects=aspects)
        return None

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port."""
        tags = tags_of(self._names)
        try:
            await self._calls.ask("logs", "create_log_group", logGroupName=resource.key.name, tags=tags)
        except Conflict as failure:
            # A pod's log driver that may create groups was quicker; the next init says whose it is.
            raise Conflict(f"{failure}; run init again") from failure
        return [RETENTION]

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port."""
        if RETENTION in aspects:
            await self._calls.ask(
                "logs",
                "put_retention_policy",
                settling=True,
                logGroupName=resource.key.name,
                retentionInDays=resource.aspects[RETENTION],
            )

    async def delete(self, found: Found) -> None:
        """As the port; the logs go with it."""
        try:
            await self._calls.ask("logs", "delete_log_group", logGroupName=found.key.name)
        except NotFound:
            return
