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
    """

    identifier: str
    state: str = "available"
    public: bool = True
    route: Route | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC endpoint that is available.

    Attributes:
        service: without the region: `ecr.api`.
        private_dns: whether the service's own name leads to it; gateways need none.
        tables: the route tables of a gateway.
        identifier: `vpce-…`.
        admitted: whom its security groups let in; None for gateways, which have none.
    """

    service: str
    private_dns: bool = False
    tables: tuple[str, ...] = ()
    identifier: str = ""
    admitted: tuple[str, ...] | None = None


class Vpc(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks' VPC.

    Attributes:
        identifier: `vpc-…`.
        resolves: whether Amazon's own DNS answers in it.
        endpoints: its endpoints.
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
    """

    subnets: tuple[Subnet, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    group: Found | None = None
    nodes: Mapping[str, tuple[str, ...]] = {}
    nats: tuple[Nat, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        identity: who asks.
        steps: what `init` with the same flags would do.
        decisions: by role, what IAM says of its permissions.
        provider: whether IAM knows the OpenID provider of the flags; None where none is needed.
        association: the role that EKS Pod Identity gives to the bridge; None where nobody asked.
        service_role: whether ECS has its service-linked role.
        network: what tasks meet.
        quota: Fargate's vCPUs.
    """

    identity: str
    steps: tuple[Step, ...]
    decisions: Mapping[str, Decisions | Unknown]
    provider: bool | Unknown | None
    association: str | Unknown | None
    service_role: bool | Unknown
    network: Network | Unknown
    quota: VcpuQuota | Unknown
