"""Looks at what was there before us: subnets, routes, endpoints and the nodes' security groups.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.aws.account.calls import Calls
from app.aws.account.checks.endpoints import ASKED, allows_all
from app.aws.account.checks.facts import Acl, AclRule, Endpoint, Nat, Place, Ports, Route, Subnet, Vpc
from app.aws.account.makers.group_rules import sources
from app.aws.account.wanted import ANYWHERE
from app.model.wire import Json

_TOKENS: Final = ("NextToken", "NextToken")
_AMAZON: Final = frozenset({"AmazonProvidedDNS", "169.254.169.253"})
_TARGETS: Final = (
    *("NatGatewayId", "TransitGatewayId", "GatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId"),
    *("InstanceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)


class Surroundings:
    """Reads EC2, and changes nothing."""

    def __init__(self, calls: Calls) -> None:
        """Nothing is asked yet."""
        self._calls = calls

    async def subnets(self, identifiers: Sequence[str]) -> tuple[Subnet, ...]:
        """Those that exist, each with its way out. Raises PortFailure."""
        if not identifiers:
            return ()
        listed = await self._listed("describe_subnets", "Subnets", **{"subnet-id": list(identifiers)})
        return tuple([await self._subnet(each) for each in listed])

    async def _subnet(self, subnet: Mapping[str, Json]) -> Subnet:
        identifier, vpc = str(subnet["SubnetId"]), str(subnet["VpcId"])
        table = await self._table(identifier, vpc)
        return Subnet(
            identifier=identifier,
            vpc=vpc,
            zone=str(subnet.get("AvailabilityZone", "")),
            free=int(subnet.get("AvailableIpAddressCount", 0)),
            route=_default_route(table.get("Routes") or ()),
            table=str(table.get("RouteTableId", "")),
            networks=(str(subnet["CidrBlock"]),) if subnet.get("CidrBlock") else (),
        )

    async def _table(self, subnet: str, vpc: str) -> Mapping[str, Json]:
        """The subnet's own route table, or the VPC's main one."""
        own = {"association.subnet-id": [subnet]}
        main = {"vpc-id": [vpc], "association.main": ["true"]}
        for filters in (own, main):
            listed = await self._listed("describe_route_tables", "RouteTables", **filters)
            if listed:
                return dict(listed[0])
        return {}

    async def vpcs(self, identifiers: Collection[str]) -> tuple[Vpc, ...]:
        """VPCs by id. Raises PortFailure."""
        return tuple([await self._vpc(each) for each in sorted(identifiers)])

    async def _vpc(self, identifier: str) -> Vpc:
        resolves = await self._calls.ask(
            "ec2", "describe_vpc_attribute", VpcId=identifier, Attribute="enableDnsSupport"
        )
        return Vpc(
            identifier=identifier,
            resolves=bool((resolves.get("EnableDnsSupport") or {}).get("Value", True)),
            endpoints=await self._endpoints(identifier),
            resolvers=await self._resolvers(identifier),
        )

    async def _endpoints(self, vpc: str) -> tuple[Endpoint, ...]:
        listed = await self._listed("describe_vpc_endpoints", "VpcEndpoints", **{"vpc-id": [vpc]})
        asked = [each for each in listed if _is_available(each) and _service(each) in ASKED]
        admitted = await self.admitted(sorted({group for each in asked for group in _groups_of(each)}))
        networks = await self._networks({subnet for each in asked for subnet in _subnets_of(each)})
        return tuple(_endpoint(each, admitted, networks) for each in asked)

    async def _networks(self, subnets: Collection[str]) -> dict[str, str]:
        """The subnets' ranges of IPv4, for those that have one."""
        if not subnets:
            return {}
        listed = await self._listed("describe_subnets", "Subnets", **{"subnet-id": sorted(subnets)})
        return {str(each["SubnetId"]): str(each["CidrBlock"]) for each in listed if each.get("CidrBlock")}

    async def _resolvers(self, vpc: str) -> tuple[str, ...]:
        listed = await self._listed("describe_vpcs", "Vpcs", **{"vpc-id": [vpc]})
        options = [str(each["DhcpOptionsId"]) for each in listed if each.get("DhcpOptionsId")]
        if not options:
            return ()
        told = await self._listed("describe_dhcp_options", "DhcpOptions", **{"dhcp-options-id": options})
        servers = (
            str(value.get("Value", ""))
            for each in told
            for option in each.get("DhcpConfigurations") or ()
            if option.get("Key") == "domain-name-servers"
            for value in option.get("Values") or ()
        )
        return tuple(each for each in servers if each not in _AMAZON)

    async def nats(self, targets: Collection[str]) -> tuple[Nat, ...]:
        """The NAT gateways among what ways out lead to. Raises PortFailure."""
        wanted = sorted(each for each in targets if each.startswith("nat-"))
        if not wanted:
            return ()
        filters = [{"Name": "nat-gateway-id", "Values": wanted}]
        listed = await self._calls.pages(
            "ec2", "describe_nat_gateways", "NatGateways", tokens=_TOKENS, Filters=filters
        )
        return tuple([await self._nat(each) for each in listed])

    async def _nat(self, nat: Mapping[str, Json]) -> Nat:
        subnet, vpc = str(nat.get("SubnetId") or ""), str(nat.get("VpcId", ""))
        table = await self._table(subnet, vpc) if subnet else {}
        return Nat(
            identifier=str(nat["NatGatewayId"]),
            state=str(nat.get("State", "")),
            public=nat.get("ConnectivityType") != "private",
            route=_default_route(table.get("Routes") or ()) if subnet else None,
            subnet=subnet,
        )

    async def acls(self, vpcs: Collection[str]) -> tuple[Acl, ...]:
        """All network ACLs of VPCs. Raises PortFailure."""
        if not vpcs:
            return ()
        listed = await self._listed("describe_network_acls", "NetworkAcls", **{"vpc-id": sorted(vpcs)})
        return tuple(map(_acl, listed))

    async def admitted(self, groups: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Whom each security group lets in. Raises PortFailure."""
        if not groups:
            return {}
        listed = await self._listed(
            "describe_security_groups", "SecurityGroups", **{"group-id": list(groups)}
        )
        return {
            str(each["GroupId"]): tuple(sources(each.get("IpPermissions") or (), own=str(each["GroupId"])))
            for each in listed
        }

    async def _listed(self, operation: str, listed: str, **filters: list[str]) -> list[Json]:
        asked = [{"Name": name, "Values": values} for name, values in filters.items()]
        return await self._calls.pages("ec2", operation, listed, tokens=_TOKENS, Filters=asked)


def _default_route(routes: Sequence[Mapping[str, Json]]) -> Route:
    for route in routes:
        if route.get("DestinationCidrBlock") == ANYWHERE:
            target = next((str(route[each]) for each in _TARGETS if route.get(each)), "")
            return Route(target, blackhole=route.get("State") == "blackhole")
    return Route()


def _acl(acl: Mapping[str, Json]) -> Acl:
    entries = acl.get("Entries") or ()
    return Acl(
        identifier=str(acl["NetworkAclId"]),
        subnets=tuple(str(each.get("SubnetId", "")) for each in acl.get("Associations") or ()),
        inbound=tuple(_rule(each) for each in entries if each.get("CidrBlock") and not each.get("Egress")),
        outbound=tuple(_rule(each) for each in entries if each.get("CidrBlock") and each.get("Egress")),
    )


def _rule(entry: Mapping[str, Json]) -> AclRule:
    between = entry.get("PortRange") or {}
    return AclRule(
        number=int(entry["RuleNumber"]),
        allows=entry.get("RuleAction") == "allow",
        network=str(entry["CidrBlock"]),
        protocol=str(entry.get("Protocol", "")),
        ports=Ports(int(between.get("From", 0)), int(between.get("To", 65535))),
    )


def _groups_of(endpoint: Mapping[str, Json]) -> list[str]:
    return [str(each["GroupId"]) for each in endpoint.get("Groups") or ()]


def _subnets_of(endpoint: Mapping[str, Json]) -> list[str]:
    return [str(each) for each in endpoint.get("SubnetIds") or ()]


def _service(endpoint: Mapping[str, Json]) -> str:
    """The service's own name: what follows `com.amazonaws.REGION.`."""
    return ".".join(str(endpoint.get("ServiceName", "")).removeprefix("cn.").split(".")[3:])


def _is_available(endpoint: Mapping[str, Json]) -> bool:
    return str(endpoint.get("State", "")).lower() == "available"


def _endpoint(
    endpoint: Mapping[str, Json], admitted: Mapping[str, tuple[str, ...]], networks: Mapping[str, str]
) -> Endpoint:
    groups, dns = _groups_of(endpoint), endpoint.get("DnsOptions") or {}
    # S3's name can be left to the gateway in the VPC itself.
    is_for_others = bool(dns.get("PrivateDnsOnlyForInboundResolverEndpoint"))
    return Endpoint(
        service=_service(endpoint),
        private_dns=bool(endpoint.get("PrivateDnsEnabled")) and not is_for_others,
        tables=tuple(str(each) for each in endpoint.get("RouteTableIds") or ()),
        identifier=str(endpoint.get("VpcEndpointId", "")),
        admitted=tuple(source for each in groups for source in admitted.get(each, ())) if groups else None,
        places=tuple(
            Place(subnet=each, network=networks[each]) for each in _subnets_of(endpoint) if each in networks
        ),
        is_open=allows_all(str(endpoint.get("PolicyDocument") or "")),
    )
