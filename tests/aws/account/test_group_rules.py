"""Rules of security groups: how they are told of, and taken back."""

import pytest

from app.aws.account.makers.group_rules import foreign, rule_for, rules_naming, sources, ways_out
from app.aws.account.wanted import ANYWHERE, SELF
from app.model.wire import Json

OWN = "sg-0a"
PEERED = {"GroupId": "sg-0b", "UserId": "210987654321", "Description": "theirs"}
RULES: list[Json] = [
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}], "UserIdGroupPairs": [{"GroupId": OWN}, PEERED]},
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": OWN}]},
    {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "PrefixListIds": [{"PrefixListId": "pl-1"}]},
]


def test_each_source_is_told_of_by_itself() -> None:
    assert sources(RULES, own=OWN) == [
        ANYWHERE,
        "::/0",
        "pl-1",
        "sg-0b",
        "the group itself",
        "the group itself tcp 443-443",
    ]


def test_the_way_out_that_ec2_gives_is_not_told_of() -> None:
    assert "::/0" not in ways_out(RULES, own=OWN)


def test_another_accounts_group_is_taken_back_with_its_account_and_without_its_description() -> None:
    [rule] = foreign(RULES[:1], {ANYWHERE, SELF}, own=OWN)

    assert rule == {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0b", "UserId": "210987654321"}]}


def test_only_the_rules_that_name_a_group_are_its() -> None:
    assert rules_naming(OWN, RULES) == [
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": OWN}]},
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": OWN}]},
    ]


@pytest.mark.parametrize("source", [ANYWHERE, "::/0", "pl-1", "sg-0b", SELF])
def test_a_rule_is_told_of_as_it_was_asked_for(source: str) -> None:
    assert sources([rule_for(source, own=OWN)], own=OWN) == [source]
