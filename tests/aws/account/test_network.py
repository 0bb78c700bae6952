"""How subnets and groups are judged: the cases that no emulator makes."""

import json

import msgspec
import pytest

from app.aws.account.checks.endpoints import allows_all
from app.aws.account.checks.facts import Endpoint, Nat, Network, Route, Subnet, Vpc
from app.aws.account.checks.finding import Level
from app.aws.account.checks.network import network_findings
from app.aws.account.names import Names
from app.aws.account.options import Options
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE, INGRESS, SELF, Key, Kind
from app.aws.account.wish import Wish

SUBNET = "subnet-0a"
OPTIONS = Options(names=Names(account="123456789012", region="eu-west-1"))
WAY_OUT = f"way out of {SUBNET}"
GATEWAY = Endpoint(service="s3", tables=("rtb-1",))
INTERFACES = tuple(
    Endpoint(service=each, private_dns=True)
    for each in ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssmmessages")
)


def a_subnet(route: Route, *, free: int = 200, table: str = "rtb-1") -> Subnet:
    return Subnet(
        identifier=SUBNET,
        vpc="vpc-1",
        zone="eu-west-1a",
        free=free,
        route=route,
        table=table,
        networks=("10.0.1.0/24",),
    )


def a_network(subnet: Subnet, *endpoints: Endpoint, ingress: tuple[str, ...] = (SELF, "sg-nodes")) -> Network:
    group = Found(
        key=Key(Kind.SECURITY_GROUP, "spillway-tasks", "vpc-1"),
        identifier="sg-1",
        owner="spillway",
        aspects={INGRESS: list(ingress)},
    )
    vpc = Vpc(identifier="vpc-1", resolves=True, endpoints=endpoints)
    return Network(subnets=(subnet,), vpcs=(vpc,), group=group)


def levels(network: Network, wish: Wish | None = None) -> dict[str, Level]:
    found = network_findings(network, wish or Wish(subnets=(SUBNET,)), options=OPTIONS)
    return {each.subject: each.level for each in found}


@pytest.mark.parametrize(
    ("route", "endpoints", "level"),
    [
        pytest.param(Route("nat-1"), (), Level.OK, id="NAT"),
        pytest.param(Route("nat-1", blackhole=True), (), Level.FAIL, id="NAT that is gone"),
        pytest.param(Route("igw-1"), (), Level.FAIL, id="internet gateway"),
        pytest.param(Route("igw-1"), (GATEWAY, *INTERFACES), Level.OK, id="internet gateway, endpoints"),
        pytest.param(Route("tgw-1"), (), Level.WARN, id="transit gateway"),
        pytest.param(Route("tgw-1"), (GATEWAY, *INTERFACES), Level.OK, id="transit gateway, endpoints"),
        pytest.param(Route(), (GATEWAY, *INTERFACES), Level.OK, id="endpoints"),
        pytest.param(Route(), INTERFACES, Level.FAIL, id="no S3, where the layers are"),
        pytest.param(
            Route(),
            (Endpoint(service="s3", tables=("rtb-2",)), *INTERFACES),
            Level.FAIL,
            id="S3 for another route table",
        ),
        pytest.param(
            Route(),
            (GATEWAY, Endpoint(service="ecr.api"), *INTERFACES[1:]),
            Level.FAIL,
            id="an endpoint without private DNS",
        ),
        pytest.param(Route(), (GATEWAY, *INTERFACES[:3]), Level.WARN, id="no Secrets, no exec"),
    ],
)
def test_the_way_out(route: Route, endpoints: tuple[Endpoint, ...], level: Level) -> None:
    assert levels(a_network(a_subnet(route), *endpoints))[WAY_OUT] is level


@pytest.mark.parametrize(
    ("free", "level"),
    [
        pytest.param(0, Level.FAIL, id="none"),
        pytest.param(15, Level.WARN, id="few"),
        pytest.param(16, Level.OK, id="enough"),
    ],
)
def test_free_addresses(free: int, level: Level) -> None:
    subnet = a_subnet(Route("nat-1"), free=free)

    assert levels(a_network(subnet))[f"subnet {SUBNET}"] is level


@pytest.mark.parametrize(
    ("ingress", "level"),
    [
        pytest.param((SELF, "sg-nodes"), Level.OK, id="the nodes"),
        pytest.param((ANYWHERE,), Level.OK, id="everybody"),
        pytest.param((SELF, "sg-nodes tcp 443-443"), Level.FAIL, id="the nodes on one port"),
        pytest.param((SELF,), Level.FAIL, id="nobody"),
    ],
)
def test_the_nodes_reach_the_tasks_on_every_port(ingress: tuple[str, ...], level: Level) -> None:
    network = a_network(a_subnet(Route("nat-1")), ingress=ingress)
    wish = Wish(vpc="vpc-1", subnets=(SUBNET,), node_security_groups=("sg-nodes",))

    assert levels(network, wish)["ingress of spillway-tasks"] is level


def test_subnets_of_several_vpcs_fail() -> None:
    one, other = (
        a_subnet(Route("nat-1")),
        Subnet(identifier="subnet-0b", vpc="vpc-2", zone="eu-west-1b", free=99, route=Route("nat-1")),
    )
    vpcs = tuple(Vpc(identifier=each, resolves=True, endpoints=()) for each in ("vpc-1", "vpc-2"))
    network = Network(subnets=(one, other), vpcs=vpcs)

    assert levels(network, Wish(subnets=(SUBNET, "subnet-0b")))["subnets"] is Level.FAIL


IGW = Route("igw-1")


@pytest.mark.parametrize(
    ("nat", "level", "words"),
    [
        pytest.param(Nat(identifier="nat-1", route=IGW), Level.OK, "through nat-1", id="public"),
        pytest.param(
            Nat(identifier="nat-1"), Level.OK, "through nat-1", id="of the region, without a subnet"
        ),
        pytest.param(Nat(identifier="nat-1", state="failed"), Level.FAIL, "which is failed", id="failed"),
        pytest.param(
            Nat(identifier="nat-1", route=Route("nat-2")), Level.FAIL, "own subnet has no route", id="stuck"
        ),
        pytest.param(
            Nat(identifier="nat-1", public=False, route=Route("tgw-1")), Level.WARN, "cannot be", id="private"
        ),
    ],
)
def test_a_nat_gateway_has_to_reach_the_internet_itself(nat: Nat, level: Level, words: str) -> None:
    network = msgspec.structs.replace(a_network(a_subnet(Route("nat-1"))), nats=(nat,))

    found = {
        each.subject: each for each in network_findings(network, Wish(subnets=(SUBNET,)), options=OPTIONS)
    }[WAY_OUT]

    assert found.level is level
    assert words in found.said


@pytest.mark.parametrize(
    ("admitted", "is_closed"),
    [
        pytest.param(None, False, id="no groups"),
        pytest.param(("sg-1",), False, id="the tasks' group"),
        pytest.param(("sg-1 tcp 443-443",), False, id="the tasks' group, https"),
        pytest.param(("10.0.0.0/16 tcp 0-65535",), False, id="the VPC"),
        pytest.param(("sg-1 tcp 80-80",), True, id="another port"),
        pytest.param(("10.0.2.0/24",), True, id="another subnet"),
        pytest.param(("the group itself",), True, id="itself"),
        pytest.param((), True, id="nobody"),
    ],
)
def test_an_endpoint_that_lets_no_task_in_fails_though_there_is_nat(
    admitted: tuple[str, ...] | None, is_closed: bool
) -> None:
    endpoint = Endpoint(service="ecr.api", private_dns=True, identifier="vpce-1", admitted=admitted)

    found = levels(a_network(a_subnet(Route("nat-1")), endpoint))

    assert found.get("VPC endpoint vpce-1 of ecr.api") == (Level.FAIL if is_closed else None)


@pytest.mark.parametrize(
    ("sources", "level"),
    [
        pytest.param(("sg-1",), Level.OK, id="the tasks' group"),
        pytest.param(("10.0.0.0/8",), Level.OK, id="a range around the subnets"),
        pytest.param(("0.0.0.0/0",), Level.OK, id="everybody"),
        pytest.param(("0.0.0.0/0 tcp 22-22",), Level.WARN, id="everybody, ssh alone"),
        pytest.param(("sg-1 udp 53-53",), Level.WARN, id="DNS alone"),
        pytest.param(("sg-10",), Level.WARN, id="a group whose name begins alike"),
        pytest.param(("10.0.1.0/25",), Level.WARN, id="half of the subnet"),
    ],
)
def test_nodes_have_to_let_tasks_in_on_every_port(sources: tuple[str, ...], level: Level) -> None:
    network = msgspec.structs.replace(a_network(a_subnet(Route("nat-1"))), nodes={"sg-nodes": sources})

    assert levels(network)["nodes' group sg-nodes"] is level


def test_a_nodes_group_that_is_not_there_fails() -> None:
    wish = Wish(subnets=(SUBNET,), node_security_groups=("sg-nodes",))

    assert levels(a_network(a_subnet(Route("nat-1"))), wish)["nodes' group sg-nodes"] is Level.FAIL


def test_a_wider_range_lets_the_pods_in() -> None:
    network = a_network(a_subnet(Route("nat-1")), ingress=(SELF, "10.0.0.0/8"))
    wish = Wish(subnets=(SUBNET,), pod_cidrs=("10.20.0.0/16",))

    assert levels(network, wish)["ingress of spillway-tasks"] is Level.OK


def test_dns_servers_of_ones_own_are_not_called_missing() -> None:
    network = a_network(a_subnet(Route("nat-1")))
    vpc = Vpc(identifier="vpc-1", resolves=False, endpoints=(), resolvers=("10.0.0.53",))

    assert levels(msgspec.structs.replace(network, vpcs=(vpc,)))["VPC vpc-1"] is Level.WARN


def test_a_subnet_of_ipv6_alone_is_not_said_to_be_full() -> None:
    subnet = msgspec.structs.replace(a_subnet(Route(), free=0), networks=())

    found = levels(a_network(subnet))

    assert found[f"subnet {SUBNET}"] is Level.WARN
    assert WAY_OUT not in found


def test_a_session_key_needs_a_way_to_kms() -> None:
    network = a_network(a_subnet(Route()), GATEWAY, *INTERFACES)
    wish = Wish(subnets=(SUBNET,), kms_key="arn:aws:kms:eu-west-1:123456789012:key/1234abcd")

    said = [each.said for each in network_findings(network, wish, options=OPTIONS) if each.subject == WAY_OUT]

    assert said[1:] == ["no VPC endpoint of kms, for encrypted sessions"]


@pytest.mark.parametrize(
    ("has_group", "admitted", "level"),
    [
        pytest.param(False, ("sg-other tcp 443-443",), Level.WARN, id="groups that we do not know"),
        pytest.param(False, ("10.0.1.0/24",), None, id="the subnet, whichever groups"),
        pytest.param(False, (), Level.FAIL, id="nobody"),
        pytest.param(True, ("pl-1 tcp 443-443",), Level.WARN, id="a list of ranges"),
        pytest.param(True, ("pl-1 tcp 80-80",), Level.FAIL, id="a list of ranges, another port"),
    ],
)
def test_an_endpoint_whose_guests_are_not_known_is_not_said_to_be_closed(
    has_group: bool, admitted: tuple[str, ...], level: Level | None
) -> None:
    endpoint = Endpoint(service="ecr.api", private_dns=True, identifier="vpce-1", admitted=admitted)
    network = a_network(a_subnet(Route("nat-1")), endpoint)
    groups = {True: network, False: msgspec.structs.replace(network, group=None)}

    assert levels(groups[has_group]).get("VPC endpoint vpce-1 of ecr.api") == level


EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("statements", "is_open"),
    [
        pytest.param([EVERYTHING], True, id="AWS's own"),
        pytest.param([{**EVERYTHING, "Principal": {"AWS": "*"}, "Action": ["*"]}], True, id="in other words"),
        pytest.param([EVERYTHING, {**EVERYTHING, "Effect": "Deny"}], False, id="with a denial"),
        pytest.param([{**EVERYTHING, "Action": "s3:GetObject"}], False, id="an action"),
        pytest.param([{**EVERYTHING, "Principal": {"AWS": "123456789012"}}], False, id="an account"),
        pytest.param(
            [{**EVERYTHING, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}], False, id="a condition"
        ),
        pytest.param([], False, id="nothing"),
    ],
)
def test_only_the_policy_that_allows_everything_is_open(statements: list[object], is_open: bool) -> None:
    assert allows_all(json.dumps({"Version": "2008-10-17", "Statement": statements})) is is_open


def test_a_policy_that_nobody_can_read_is_not_said_to_be_open() -> None:
    assert not allows_all("%7B")


def test_a_service_without_policies_of_endpoints_is_open() -> None:
    assert allows_all("")


@pytest.mark.parametrize(
    ("service", "allowed"),
    [
        pytest.param(
            "s3", "s3:GetObject on arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*", id="images' layers"
        ),
        pytest.param("ecr.dkr", "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer", id="images"),
        pytest.param("logs", "logs:CreateLogStream, logs:PutLogEvents", id="logs"),
        pytest.param("ssmmessages", "ssmmessages:CreateControlChannel", id="exec"),
    ],
)
def test_an_endpoints_own_policy_is_told_of_with_what_it_has_to_allow(service: str, allowed: str) -> None:
    endpoint = Endpoint(
        service=service, private_dns=True, identifier="vpce-1", admitted=("sg-1",), is_open=False
    )
    network = a_network(a_subnet(Route("nat-1")), endpoint)

    [said] = [
        each
        for each in network_findings(network, Wish(subnets=(SUBNET,)), options=OPTIONS)
        if each.subject == f"VPC endpoint vpce-1 of {service}"
    ]

    assert said.level is Level.WARN
    assert allowed in said.mend


def test_the_policy_of_a_gateway_for_other_route_tables_is_nobodys_business() -> None:
    endpoint = Endpoint(service="s3", tables=("rtb-2",), identifier="vpce-1", is_open=False)

    assert "VPC endpoint vpce-1 of s3" not in levels(a_network(a_subnet(Route("nat-1")), endpoint))
