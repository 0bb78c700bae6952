"""Security groups, every rule for all protocols and ports.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from collections.abc import Collection, Mapping
from typing import Final

from app.aws.account.calls import Calls
from app.aws.account.departure import HELD
from app.aws.account.makers.group_rules import foreign, revocation, rule_for, rules_naming, sources, ways_out
from app.aws.account.makers.maker import Maker, owner_in, tag_list
from app.aws.account.names import Names
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE_6, EGRESS, INGRESS, Key, Kind, Resource
from app.model.wire import Json
from app.ports.failures import Conflict, NotFound

_DESCRIPTION: Final = "Spillway: tasks on Fargate"
_SIDES: Final = ((INGRESS, "ingress", "IpPermissions"), (EGRESS, "egress", "IpPermissionsEgress"))
_TOKENS: Final = ("NextToken", "NextToken")
_FEW: Final = 5
"""Interfaces that are named; of the others it is said how many they are."""


class SecurityGroups(Maker):
    """The group around the tasks' interfaces."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names
        self._made: dict[Key, str] = {}

    async def find(self, key: Key) -> Found | None:
        """As the port; without a place, in whichever VPC it is, one that is ours before another."""
        found = [await self._found(each) for each in await self._named(key)]
        ours = [each for each in found if each.owner == self._names.name]
        return next(iter((*ours, *found)), None)

    async def _named(self, key: Key) -> list[Json]:
        filters = [{"Name": "group-name", "Values": [key.name]}]
        if key.place:
            filters.append({"Name": "vpc-id", "Values": [key.place]})
        return await self._calls.pages(
            "ec2", "describe_security_groups", "SecurityGroups", tokens=_TOKENS, Filters=filters
        )

    async def _found(self, group: Mapping[str, Json]) -> Found:
        name, place = str(group["GroupName"]), str(group.get("VpcId", ""))
        identifier = str(group["GroupId"])
        return Found(
            key=Key(Kind.SECURITY_GROUP, name, place),
            identifier=identifier,
            owner=owner_in(group.get("Tags") or ()),
            aspects={
                INGRESS: sources(group.get("IpPermissions") or (), own=identifier),
                EGRESS: ways_out(group.get("IpPermissionsEgress") or (), own=identifier),
            },
        )

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port."""
        tags = [{"ResourceType": "security-group", "Tags": tag_list(self._names)}]
        answer = await self._calls.ask(
            "ec2",
            "create_security_group",
            GroupName=resource.key.name,
            Description=_DESCRIPTION,
            VpcId=resource.key.place,
            TagSpecifications=tags,
        )
        self._made[resource.key] = str(answer["GroupId"])
        return [INGRESS, EGRESS]

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port: what is missing is added before what is too much is taken away."""
        group = await self._existing(resource.key)
        identifier = str(group["GroupId"])
        for aspect, side, field in _SIDES:
            if aspect not in aspects:
                continue
            rules = group.get(field) or ()
            there, wanted = set(sources(rules, own=identifier)), set(resource.aspects[aspect])
            for source in sorted(wanted - there):
                await self._authorize(side, identifier, rule_for(source, own=identifier))
            kept = wanted | ({ANYWHERE_6} if aspect == EGRESS else set())
            for rule in foreign(rules, kept, own=identifier):
                await self._revoke(side, identifier, rule)

    async def _existing(self, key: Key) -> Json:
        """The group; one that was made just now is not in every listing yet, and is asked for by its id."""
        if key in self._made:
            answer = await self._calls.ask(
                "ec2", "describe_security_groups", settling=True, GroupIds=[self._made[key]]
            )
            return answer["SecurityGroups"][0]
        groups = await self._named(key)
        if not groups:
            raise NotFound(f"{key} is gone: somebody has removed it meanwhile")
        return groups[0]

    async def ours(self, name: str) -> list[Found]:
        """Our groups of that name in all VPCs, but for those made just now. Raises PortFailure."""
        found = [await self._found(each) for each in await self._named(Key(Kind.SECURITY_GROUP, name))]
        return [each for each in found if each.owner == self._names.name]

    @property
    def made(self) -> tuple[str, ...]:
        """Ids of the groups that were made just now, which may be in no listing yet."""
        return tuple(self._made.values())

    async def _authorize(self, side: str, identifier: str, rule: Json) -> None:
        operation = f"authorize_security_group_{side}"
        try:
            await self._calls.ask("ec2", operation, settling=True, GroupId=identifier, IpPermissions=[rule])
        except Conflict:
            return

    async def _revoke(self, side: str, identifier: str, rule: Json) -> None:
        operation = f"revoke_security_group_{side}"
        try:
            await self._calls.ask("ec2", operation, GroupId=identifier, IpPermissions=[rule])
        except NotFound:
            return

    async def delete(self, found: Found) -> None:
        """As the port; interfaces of tasks that have just ended keep it for some seconds.

        Raises:
            Conflict: other groups' rules name it, or interfaces stand in it, and EC2 keeps it; the message
                names which, and the mend.
        """
        if commands := await self.holders(found):
            raise Conflict(f"{HELD}: {'; '.join(commands)}")
        self._made.pop(found.key, None)
        try:
            await self._calls.ask("ec2", "delete_security_group", settling=True, GroupId=found.identifier)
        except NotFound:
            return
        except Conflict as failure:
            inside = await self._interfaces(found.identifier)
            raise Conflict(f"{failure}: {inside}" if inside else str(failure)) from failure

    async def _interfaces(self, identifier: str) -> str:
        """What stands in the group, in words; tasks' interfaces tell in their description which."""
        listed = await self._calls.pages(
            "ec2",
            "describe_network_interfaces",
            "NetworkInterfaces",
            tokens=_TOKENS,
            Filters=[{"Name": "group-id", "Values": [identifier]}],
        )
        told = [f"{each['NetworkInterfaceId']} ({each.get('Description') or '-'})" for each in listed]
        more = f", and {len(told) - _FEW} more" if len(told) > _FEW else ""
        return f"in it are {', '.join(told[:_FEW])}{more}" if told else ""

    async def holders(self, found: Found) -> tuple[str, ...]:
        """The commands that take away what others' rules say of our group: EC2 keeps a group that they name.

        Raises:
            PortFailure: they cannot be looked at.
        """
        own = found.identifier
        commands: list[str] = []
        for _, side, field in _SIDES:
            for group in await self._naming(own, side=side):
                rules = rules_naming(own, group.get(field) or ())
                commands += [
                    revocation(rule, side=side, group=str(group["GroupId"]), own=own) for rule in rules
                ]
        return tuple(commands)

    async def _naming(self, own: str, *, side: str) -> list[Json]:
        """The other groups whose rules of a side name ours."""
        field = "ip-permission.group-id" if side == "ingress" else "egress.ip-permission.group-id"
        listed = await self._calls.pages(
            "ec2",
            "describe_security_groups",
            "SecurityGroups",
            tokens=_TOKENS,
            Filters=[{"Name": field, "Values": [own]}],
        )
        return [each for each in listed if each["GroupId"] != own]
