"""Security groups, every rule for all protocols and ports.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from app.aws.account.calls import Calls
from app.aws.account.makers.maker import Maker, owner_in, tag_list
from app.aws.account.names import Names
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE_6, EGRESS, INGRESS, SELF, Key, Kind, Resource
from app.model.wire import Json
from app.ports.failures import Conflict, NotFound

_ALL: Final = "-1"
_DESCRIPTION: Final = "Spillway: tasks on Fargate"
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
                EGRESS: _ways_out(group.get("IpPermissionsEgress") or (), own=identifier),
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
                await self._authorize(side, identifier, _rule(source, own=identifier))
            kept = wanted | ({ANYWHERE_6} if aspect == EGRESS else set())
            for rule in _foreign(rules, kept, own=identifier):
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
        await self._check_unnamed(found)
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

    async def _check_unnamed(self, found: Found) -> None:
        own = found.identifier
        naming = [{"Name": "ip-permission.group-id", "Values": [own]}]
        listed = await self._calls.pages(
            "ec2", "describe_security_groups", "SecurityGroups", tokens=_TOKENS, Filters=naming
        )
        others = sorted(str(each["GroupId"]) for each in listed if each["GroupId"] != own)
        if others:
            raise Conflict(
                f"{found.key} ({own}) stands in the rules of {', '.join(others)}, which are not ours; take "
                f"these away: aws ec2 revoke-security-group-ingress --group-id {others[0]} --protocol=-1 "
                f"--source-group {own}"
            )


_SIDES: Final = ((INGRESS, "ingress", "IpPermissions"), (EGRESS, "egress", "IpPermissionsEgress"))


def _split(rules: Iterable[Mapping[str, Json]], *, own: str) -> list[tuple[str, Json]]:
    """Rules as EC2 tells them, each with one source, and the source's name for people."""
    found: list[tuple[str, Json]] = []
    for rule in rules:
        ports = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
        for field, named in _FIELDS:
            for each in rule.get(field) or ():
                identifier = str(each.get(named, ""))
                name = SELF if identifier == own else identifier
                shown = name if ports["IpProtocol"] == _ALL else f"{name} {_ports(ports)}"
                found.append((shown, {**ports, field: [{named: identifier}]}))
    return found


_FIELDS: Final = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("UserIdGroupPairs", "GroupId"),
    ("PrefixListIds", "PrefixListId"),
)


def _ports(ports: Mapping[str, Json]) -> str:
    return f"{ports['IpProtocol']} {ports.get('FromPort', '')}-{ports.get('ToPort', '')}"


def sources(rules: Iterable[Mapping[str, Json]], *, own: str) -> list[str]:
    """Whom rules admit, as EC2 tells them: groups and ranges, with the ports where these are not all."""
    return sorted({name for name, _ in _split(rules, own=own)})


def _ways_out(rules: Iterable[Mapping[str, Json]], *, own: str) -> list[str]:
    """The same of what leaves, without what EC2 gives by itself to groups where there is IPv6."""
    return [each for each in sources(rules, own=own) if each != ANYWHERE_6]


def _foreign(rules: Iterable[Mapping[str, Json]], wanted: Collection[str], *, own: str) -> list[Json]:
    return [rule for name, rule in _split(rules, own=own) if name not in wanted]


def _rule(source: str, *, own: str) -> Json:
    if source == SELF or source.startswith("sg-"):
        return {"IpProtocol": _ALL, "UserIdGroupPairs": [{"GroupId": own if source == SELF else source}]}
    if source.startswith("pl-"):
        return {"IpProtocol": _ALL, "PrefixListIds": [{"PrefixListId": source}]}
    if ":" in source:
        return {"IpProtocol": _ALL, "Ipv6Ranges": [{"CidrIpv6": source}]}
    return {"IpProtocol": _ALL, "IpRanges": [{"CidrIp": source}]}
