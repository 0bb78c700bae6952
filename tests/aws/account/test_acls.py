"""Network ACLs: which rule decides, and what is said of the ways that tasks' packets take."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aws.account.checks.acls import HTTPS, LINUX, NAT, closed_ports, openings
from app.aws.account.checks.crossings import crossing_findings
from app.aws.account.checks.facts import Acl, AclRule, Endpoint, Nat, Network, Place, Ports, Route
from app.aws.account.checks.finding import Finding, Level, Unknown
from app.aws.account.wanted import ANYWHERE
from app.aws.account.wish import Wish
from tests.aws.account.test_network import SUBNET, a_network, a_subnet

EVERYTHING = AclRule(number=100, allows=True, network=ANYWHERE)
LAST = AclRule(number=32767, allows=False, network=ANYWHERE)
ALL = Ports()
HALF = "128.0.0.0/1"


def a_rule(number: int, ports: Ports = ALL, *, network: str = ANYWHERE, tcp: bool = True) -> AclRule:
    protocol = "6" if tcp else "17"
    return AclRule(number=number, allows=True, network=network, protocol=protocol, ports=ports)


def denied(rule: AclRule) -> AclRule:
    return msgspec.structs.replace(rule, allows=False)


@pytest.mark.parametrize(
    ("rules", "closed"),
    [
        pytest.param((EVERYTHING, LAST), (), id="everything"),
        pytest.param((LAST,), (Ports(1024, 65535),), id="nothing"),
        pytest.param((), (Ports(1024, 65535),), id="no rules"),
        pytest.param((a_rule(100, NAT), LAST), (), id="just these ports"),
        pytest.param((a_rule(100, NAT, tcp=False), LAST), (Ports(1024, 65535),), id="of UDP"),
        pytest.param((a_rule(100, Ports(32768, 65535)), LAST), (Ports(1024, 32767),), id="the upper half"),
        pytest.param(
            (denied(a_rule(90, Ports(3389, 3389))), EVERYTHING, LAST),
            (Ports(3389, 3389),),
            id="one denied before",
        ),
        pytest.param(
            (EVERYTHING, denied(a_rule(110, Ports(3389, 3389))), LAST), (), id="one denied too late"
        ),
        pytest.param((LAST, EVERYTHING), (), id="in the order of numbers, not of the list"),
        pytest.param(
            (a_rule(10, Ports(2000, 2999)), a_rule(20, Ports(4000, 65535)), LAST),
            (Ports(1024, 1999), Ports(3000, 3999)),
            id="between two",
        ),
        pytest.param(
            (a_rule(10, Ports(1024, 40000)), a_rule(20, Ports(40001, 65535)), LAST), (), id="two side by side"
        ),
        pytest.param((a_rule(100, network=HALF), LAST), (Ports(1024, 65535),), id="half of the addresses"),
        pytest.param((denied(a_rule(90, network=HALF)), EVERYTHING, LAST), (), id="all but half of them"),
    ],
)
def test_the_first_rule_that_matches_decides(rules: tuple[AclRule, ...], closed: tuple[Ports, ...]) -> None:
    assert closed_ports(rules, network=ANYWHERE, ports=NAT) == closed


RULES = st.builds(
    lambda number, first, length, allows, network, protocol: AclRule(
        number=number,
        allows=allows,
        network=network,
        protocol=protocol,
        ports=Ports(first, first + length),
    ),
    st.integers(1, 9),
    st.integers(0, 20),
    st.integers(0, 20),
    st.booleans(),
    st.sampled_from([ANYWHERE, "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"]),
    st.sampled_from(["6", "17", "-1"]),
)


def passes(rules: list[AclRule], port: int) -> bool:
    """One packet of TCP to 10.1.2.3, rule by rule."""
    about = [each for each in rules if each.protocol != "17" and each.network != "192.0.2.0/24"]
    matching = [each for each in about if each.ports.first <= port <= each.ports.last]
    return bool(matching) and min(matching, key=lambda each: each.number).allows


@given(st.lists(RULES, max_size=6, unique_by=lambda each: each.number))
def test_a_port_is_closed_where_its_packets_are_denied(rules: list[AclRule]) -> None:
    closed = closed_ports(rules, network="10.1.2.3/32", ports=Ports(3, 30))

    assert [port for part in closed for port in range(part.first, part.last + 1)] == [
        port for port in range(3, 31) if not passes(rules, port)
    ]


@pytest.mark.parametrize(
    ("rules", "open_to"),
    [
        pytest.param((a_rule(100, network="10.0.0.0/8"), LAST), ("10.0.0.0/8",), id="a part"),
        pytest.param((denied(a_rule(90)), a_rule(100, network="10.0.0.0/8"), LAST), (), id="too late"),
        pytest.param((a_rule(100, Ports(80, 80), network="10.0.0.0/8"), LAST), (), id="another port"),
        pytest.param((denied(a_rule(100, network="10.0.0.0/8")), LAST), (), id="a denial"),
    ],
)
def test_parts_of_the_addresses_that_are_let_through_are_known(
    rules: tuple[AclRule, ...], open_to: tuple[str, ...]
) -> None:
    assert openings(rules, network=ANYWHERE, ports=HTTPS) == open_to


def an_acl(
    *subnets: str,
    inbound: tuple[AclRule, ...] = (EVERYTHING, LAST),
    outbound: tuple[AclRule, ...] = (EVERYTHING, LAST),
) -> Acl:
    return Acl(identifier=f"acl-{subnets[0]}", subnets=subnets, inbound=inbound, outbound=outbound)


def found(network: Network, *, public_ip: bool = False) -> dict[str, list[Finding]]:
    subjects: dict[str, list[Finding]] = {}
    for each in crossing_findings(network, Wish(subnets=(SUBNET,), public_ip=public_ip)):
        subjects.setdefault(each.subject, []).append(each)
    return subjects


def by_nat(*acls: Acl) -> Network:
    """A subnet whose way out is a NAT gateway in another subnet."""
    network = a_network(a_subnet(Route("nat-1")))
    nat = Nat(identifier="nat-1", subnet="subnet-nat", route=Route("igw-1"))
    return msgspec.structs.replace(network, nats=(nat,), acls=acls)


PUBLIC = an_acl("subnet-nat")


def test_acls_that_let_everything_through_are_one_line() -> None:
    said = found(by_nat(an_acl(SUBNET), PUBLIC))

    assert {subject: [each.level for each in lines] for subject, lines in said.items()} == {
        "network ACLs": [Level.OK]
    }


@pytest.mark.parametrize(
    ("acl", "level", "words"),
    [
        pytest.param(
            an_acl(SUBNET, outbound=(a_rule(100, Ports(80, 80)), LAST)),
            Level.FAIL,
            f"denies tcp 443 out of {SUBNET} to 0.0.0.0/0",
            id="no https",
        ),
        pytest.param(
            an_acl(SUBNET, inbound=(a_rule(100, Ports(443, 443)), LAST)),
            Level.FAIL,
            f"denies the answers, tcp 32768-60999 into {SUBNET} from 0.0.0.0/0",
            id="no answers",
        ),
        pytest.param(
            an_acl(SUBNET, inbound=(a_rule(100, Ports(49152, 65535)), LAST)),
            Level.WARN,
            f"denies a part of the answers, tcp 32768-49151 into {SUBNET} from 0.0.0.0/0",
            id="answers of Windows alone",
        ),
        pytest.param(
            an_acl(SUBNET, outbound=(a_rule(100, network="10.0.0.0/8"), LAST)),
            Level.WARN,
            f"lets tcp 443 out of {SUBNET} to 10.0.0.0/8 alone",
            id="https to a part",
        ),
        pytest.param(
            an_acl("subnet-nat", outbound=(a_rule(100, Ports(443, 443)), LAST)),
            Level.FAIL,
            "denies the answers, tcp 32768-60999 out of subnet-nat to 10.0.1.0/24",
            id="NAT gives no answers on",
        ),
        pytest.param(
            an_acl("subnet-nat", inbound=(a_rule(100, NAT, network=ANYWHERE), LAST)),
            Level.FAIL,
            "denies tcp 443 into subnet-nat from 10.0.1.0/24",
            id="NAT hears no tasks",
        ),
    ],
)
def test_what_an_acl_denies_is_told_of(acl: Acl, level: Level, words: str) -> None:
    rest = tuple(each for each in (an_acl(SUBNET), PUBLIC) if each.identifier != acl.identifier)

    [said] = found(by_nat(acl, *rest))[f"network ACL {acl.identifier}"]

    assert said.level is level
    assert said.said.startswith(words)
    assert said.mend


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param((a_rule(140, Ports(32768, 65535)), LAST), id="AWS's own example"),
        pytest.param((denied(a_rule(90, Ports(22, 22))), EVERYTHING, LAST), id="no ssh"),
        pytest.param((denied(a_rule(90, network="203.0.113.0/24")), EVERYTHING, LAST), id="nobody's network"),
    ],
)
def test_what_tasks_do_not_need_may_be_denied(inbound: tuple[AclRule, ...]) -> None:
    assert list(found(by_nat(an_acl(SUBNET, inbound=inbound), PUBLIC))) == ["network ACLs"]


def test_a_few_ports_of_nat_may_be_denied() -> None:
    public = an_acl("subnet-nat", inbound=(denied(a_rule(90, Ports(3389, 3389))), EVERYTHING, LAST))

    assert list(found(by_nat(an_acl(SUBNET), public))) == ["network ACLs"]


def by_endpoint(place: Place, *acls: Acl) -> Network:
    """A subnet without a way out, and an endpoint."""
    endpoint = Endpoint(service="logs", private_dns=True, places=(place,))
    return msgspec.structs.replace(a_network(a_subnet(Route()), endpoint), acls=acls)


CLOSED = an_acl(SUBNET, inbound=(LAST,), outbound=(LAST,))


def test_an_endpoint_in_the_tasks_own_subnet_is_behind_no_acl() -> None:
    assert found(by_endpoint(Place(subnet=SUBNET, network="10.0.1.0/24"), CLOSED)) == {}


def test_the_way_to_an_endpoint_in_another_subnet_crosses_two_acls() -> None:
    there = an_acl("subnet-vpce", inbound=(LAST,))
    place = Place(subnet="subnet-vpce", network="10.0.9.0/24")

    said = found(by_endpoint(place, CLOSED, there))

    assert [each.said.partition(":")[0] for lines in said.values() for each in lines] == [
        f"denies tcp 443 out of {SUBNET} to 10.0.9.0/24",
        f"denies the answers, tcp 32768-60999 into {SUBNET} from 10.0.9.0/24",
        "denies tcp 443 into subnet-vpce from 10.0.1.0/24",
    ]


def test_a_gateway_endpoint_is_reached_at_s3s_own_addresses() -> None:
    network = a_network(a_subnet(Route()), Endpoint(service="s3", tables=("rtb-1",)))

    assert [
        each.level
        for each in found(msgspec.structs.replace(network, acls=(CLOSED,)))["network ACL acl-subnet-0a"]
    ] == [
        Level.FAIL,
        Level.FAIL,
    ]


@pytest.mark.parametrize(
    ("public_ip", "number"), [pytest.param(True, 2, id="used"), pytest.param(False, 0, id="not")]
)
def test_an_internet_gateway_is_a_way_out_of_public_addresses_alone(public_ip: bool, number: int) -> None:
    network = msgspec.structs.replace(a_network(a_subnet(Route("igw-1"))), acls=(CLOSED,))

    said = found(network, public_ip=public_ip)

    assert sum(len(each) for each in said.values()) == number


def test_acls_that_may_not_be_seen_are_told_of_alone() -> None:
    network = msgspec.structs.replace(by_nat(), acls=Unknown("no"))

    [said] = found(network)["network ACLs"]

    assert (said.level, said.said) == (Level.WARN, "not examined: no")


def test_the_acl_of_a_shared_subnet_is_its_owners() -> None:
    said = found(by_nat(an_acl(SUBNET)))

    assert [each.level for each in said["network ACL of subnet-nat"]] == [Level.WARN]


def test_subnets_that_share_an_acl_share_a_line() -> None:
    other = msgspec.structs.replace(
        a_subnet(Route("nat-1")), identifier="subnet-0b", networks=("10.0.2.0/24",)
    )
    network = by_nat(an_acl(SUBNET, "subnet-0b", outbound=(LAST,)), PUBLIC)
    both = msgspec.structs.replace(network, subnets=(*network.subnets, other))

    [said] = found(both)[f"network ACL acl-{SUBNET}"]

    assert f"out of {SUBNET}, subnet-0b to 0.0.0.0/0" in said.said


def test_the_ports_that_linux_asks_from_are_among_those_of_nat() -> None:
    assert NAT.first <= LINUX.first < LINUX.last <= NAT.last
