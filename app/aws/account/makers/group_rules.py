"""The rules of security groups as EC2 tells them, one source each, and what these are called. Pure.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from app.aws.account.wanted import ANYWHERE_6, SELF
from app.model.wire import Json

_ALL: Final = "-1"
_PAIRS: Final = "UserIdGroupPairs"
_FIELDS: Final = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    (_PAIRS, "GroupId"),
    ("PrefixListIds", "PrefixListId"),
)


def sources(rules: Iterable[Mapping[str, Json]], *, own: str) -> list[str]:
    """Whom rules admit: groups and ranges, with the ports where these are not all.

    Args:
        rules: of one side of a group.
        own: the id of the group that has them.
    """
    return sorted({name for name, _ in _split(rules, own=own)})


def ways_out(rules: Iterable[Mapping[str, Json]], *, own: str) -> list[str]:
    """The same of what leaves, without what EC2 gives by itself to groups where there is IPv6."""
    return [each for each in sources(rules, own=own) if each != ANYWHERE_6]


def foreign(rules: Iterable[Mapping[str, Json]], wanted: Collection[str], *, own: str) -> list[Json]:
    """The rules that admit others than these, as EC2 takes them back."""
    return [rule for name, rule in _split(rules, own=own) if name not in wanted]


def rules_naming(group: str, rules: Iterable[Mapping[str, Json]]) -> list[Json]:
    """The rules whose source is a group, as EC2 takes them back."""
    whole = [rule for _, rule in _split(rules, own="")]
    return [each for each in whole if [pair["GroupId"] for pair in each.get(_PAIRS, ())] == [group]]


def rule_for(source: str, *, own: str) -> Json:
    """A rule for all protocols and ports, from a source as `sources` calls it."""
    if source == SELF or source.startswith("sg-"):
        return {"IpProtocol": _ALL, _PAIRS: [{"GroupId": own if source == SELF else source}]}
    if source.startswith("pl-"):
        return {"IpProtocol": _ALL, "PrefixListIds": [{"PrefixListId": source}]}
    if ":" in source:
        return {"IpProtocol": _ALL, "Ipv6Ranges": [{"CidrIpv6": source}]}
    return {"IpProtocol": _ALL, "IpRanges": [{"CidrIp": source}]}


def revocation(rule: Mapping[str, Json], *, side: str, group: str, own: str) -> str:
    """The command that takes a rule away.

    Args:
        rule: of `rules_naming`.
        side: `ingress` or `egress`.
        group: whose rule it is.
        own: the group that the rule names.
    """
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = "" if first is None else f" --port {first}" if first == last else f" --port {first}-{last}"
    return (
        f"aws ec2 revoke-security-group-{side} --group-id {group} --protocol={rule['IpProtocol']}{ports} "
        f"--source-group {own}"
    )


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
                # A group of another account, in a peered VPC, is found by that account as well.
                source = {key: each[key] for key in (named, "UserId") if each.get(key)}
                found.append((shown, {**ports, field: [source]}))
    return found


def _ports(ports: Mapping[str, Json]) -> str:
    return f"{ports['IpProtocol']} {ports.get('FromPort', '')}-{ports.get('ToPort', '')}"
