"""What an examination has gathered. Pure."""

from collections.abc import Mapping

import msgspec

from app.aws.account.checks.finding import Unknown
from app.aws.account.checks.permissions import Permission
from app.aws.account.plan import Found, Step
from app.model.offer import VcpuQuota

Decisions = Mapping[Permission, str]
"""What IAM decides of each permission: allowed, implicitDeny, explicitDeny."""


class Route(msgspec.Struct, frozen=True):
    """Where a subnet's way out leads: `igw-…`, `nat-…`, another target, or nowhere (empty)."""

    target: str = ""
    blackhole: bool = False


class Ports(msgspec.Struct, frozen=True):
    """Ports of TCP, the first and the last included."""

    first: int = 0
    last: int = 65535

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


class AclRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a network ACL about IPv4, in one direction.

    Attributes:
        number: the lowest that matches decides.
        allows: whether what it matches passes.
        network: of the other side, as 0.0.0.0/0.
        protocol: its number: 6 is TCP, -1 stands for all.
        ports: destinations; all where the protocol has none.
    """

    number: int
    allows: bool
    network: str
    protocol: str = "-1"
    ports: Ports = Ports()


class Acl(msgspec.Struct, frozen=True, kw_only=True):
    """A network ACL.

    Attributes:
        identifier: `acl-…`.
        subnets: around which it stands; each subnet has one.
        inbound: rules for what comes into them, in any order.
        outbound: rules for what leaves them.
    """

    identifier: str
    subnets: tuple[str, ...]
    inbound: tuple[AclRule, ...]
    outbound: tuple[AclRule, ...]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet in which an endpoint has an interface, and its range of IPv4."""

    subnet: str
    network: str


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet for tasks.

    Attributes:
        identifier: `subnet-…`.
        vpc: whose.
        zone: as eu-central-1a.
        free: addresses that nobody has.
        route: where 0.0.0.0/0 leads.
        table: the route table's id, to which gateway endpoints belong.
        networks: its ranges of IPv4; none where it has IPv6 alone.
    """

    identifier: str
    vpc: str
    zone: str
    free: int
    route: Route
    table: str = ""
    networks: tuple[str, ...] = ()


class Nat(msgspec.Struct, frozen=True, kw_only=True):
    """A NAT gateway that a subnet's way out leads to.

    Attributes:
        identifier: `nat-…`.
        state: `available`, or why not.
        public: whether it has a public address; private ones lead to other networks.
        route: the way out of its own subnet; None where it has none of its own.
        subnet: where it stands; empty where it is the region's.
    """

    identifier: str
    state: str = "available"
    public: bool = True
    route: Route | None = None
    subnet: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC endpoint that is available.

    Attributes:
        service: without the region: `ecr.api`.
        private_dns: whether the service's own name leads to it; gateways need none.
        tables: the route tables of a gateway.
        identifier: `vpce-…`.
        admitted: whom its security groups let in; None for gateways, which have none.
        places: where its interfaces are.
        is_open: whether its policy allows everything.
    """

    service: str
    private_dns: bool = False
    tables: tuple[str, ...] = ()
    identifier: str = ""
    admitted: tuple[str, ...] | None = None
    places: tuple[Place, ...] = ()
    is_open: bool = True


class Vpc(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks' VPC.

    Attributes:
        identifier: `vpc-…`.
        resolves: whether Amazon's own DNS answers in it.
        endpoints: its endpoints of services that tasks ask.
        resolvers: DNS servers that are not Amazon's, by its DHCP options.
    """

    identifier: str
    resolves: bool
    endpoints: tuple[Endpoint, ...]
    resolvers: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """What a task's packets meet.

    Attributes:
        subnets: those that exist.
        vpcs: of the subnets.
        group: our security group.
        nodes: sources that the nodes' groups admit, by the group's id; only groups that exist.
        nats: the NAT gateways of the subnets' ways out.
        acls: all of the VPCs.
    """

    subnets: tuple[Subnet, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    group: Found | None = None
    nodes: Mapping[str, tuple[str, ...]] = {}
    nats: tuple[Nat, ...] = ()
    acls: tuple[Acl, ...] | Unknown = ()


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID Connect provider as IAM knows it.

    Attributes:
        is_there: whether IAM knows it at all.
        audiences: for whom its tokens may be.
    """

    is_there: bool
    audiences: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        identity: who asks.
        steps: what `init` with the same flags would do.
        decisions: by role, what IAM says of its permissions.
        provider: the OpenID provider of the flags; None where none is needed.
        association: the role that EKS Pod Identity gives to the bridge; None where nobody asked.
        service_role: whether ECS has its service-linked role.
        network: what tasks meet.
        quota: Fargate's vCPUs.
    """

    identity: str
    steps: tuple[Step, ...]
    decisions: Mapping[str, Decisions | Unknown]
    provider: Provider | Unknown | None
    association: str | Unknown | None
    service_role: bool | Unknown
    network: Network | Unknown
    quota: VcpuQuota | Unknown
