"""How subnets and groups are judged: the cases that no emulator makes."""

import pytest

from app.aws.account.checks.facts import Endpoint, Network, Route, Subnet, Vpc
from app.aws.account.checks.finding import Level
from app.aws.account.checks.network import network_findings
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE, INGRESS, SELF, Key, Kind
from app.aws.account.wish import Wish

SUBNET = "subnet-0a"
WAY_OUT = f"way out of {SUBNET}"
GATEWAY = Endpoint(service="s3", tables=("rtb-1",))
INTERFACES = tuple(
    Endpoint(service=each, private_dns=True)
    for each in ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssmmessages")
)


def a_subnet(route: Route, *, free: int = 200, table: str = "rtb-1") -> Subnet:
    return Subnet(identifier=SUBNET, vpc="vpc-1", zone="eu-west-1a", free=free, route=route, table=table)


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
    found = network_findings(network, wish or Wish(subnets=(SUBNET,)))
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
