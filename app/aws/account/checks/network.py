"""Whether a task's packets get where they have to. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
"""

from collections.abc import Iterator, Sequence
from typing import Final

from app.aws.account.checks.facts import Endpoint, Network, Subnet, Vpc
from app.aws.account.checks.finding import Finding, Unknown, fail, fine, unexamined, warn
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE, INGRESS, SELF
from app.aws.account.wish import Wish

_NEEDED: Final = ("ecr.api", "ecr.dkr", "s3", "logs")
"""Without these no task starts."""

_USEFUL: Final = (("secretsmanager", "Secrets in pods"), ("ssmmessages", "kubectl exec and cp"))
_FEW: Final = 16
"""Free addresses: each task takes one."""


def network_findings(network: Network | Unknown, wish: Wish) -> Iterator[Finding]:
    """What is to be said of subnets, endpoints and groups."""
    if isinstance(network, Unknown):
        yield unexamined("network", network)
        return
    yield from _subnets(network, wish)
    yield from _group(network, wish)
    yield from _nodes(network)


def _subnets(network: Network, wish: Wish) -> Iterator[Finding]:
    if not wish.subnets:
        yield warn("subnets", "not examined: none are named", "give check --subnets, as the bridge has them")
        return
    there = {each.identifier for each in network.subnets}
    for missing in (each for each in wish.subnets if each not in there):
        yield fail(f"subnet {missing}", "is not there", "name subnets of this account and region")
    yield from _vpcs(network)
    for subnet in network.subnets:
        yield _addresses(subnet)
        yield from _way_out(subnet, _vpc_of(subnet, network.vpcs), public_ip=wish.public_ip)


def _vpcs(network: Network) -> Iterator[Finding]:
    several = {each.vpc for each in network.subnets}
    group = network.group
    if len(several) > 1:
        yield fail("subnets", f"are of several VPCs: {', '.join(sorted(several))}", "take subnets of one VPC")
    elif group is not None and several and group.key.place not in several:
        said = f"are of {several.pop()}, and security group {group.identifier} is of {group.key.place}"
        yield fail("subnets", said, "run spillway aws init with --vpc of the subnets")
    for vpc in network.vpcs:
        if not vpc.resolves:
            mend = f"aws ec2 modify-vpc-attribute --vpc-id {vpc.identifier} --enable-dns-support"
            yield fail(f"VPC {vpc.identifier}", "has no DNS: tasks cannot find AWS", mend)


def _vpc_of(subnet: Subnet, vpcs: Sequence[Vpc]) -> Vpc:
    return next(each for each in vpcs if each.identifier == subnet.vpc)


def _addresses(subnet: Subnet) -> Finding:
    subject, said = f"subnet {subnet.identifier}", f"{subnet.free} free addresses in {subnet.zone}"
    if not subnet.free:
        return fail(subject, said, "take a larger subnet: each task needs an address")
    if subnet.free < _FEW:
        return warn(subject, said, "add a larger subnet: each task needs an address")
    return fine(subject, said)


def _way_out(subnet: Subnet, vpc: Vpc, *, public_ip: bool) -> Iterator[Finding]:
    subject, target = f"way out of {subnet.identifier}", subnet.route.target
    missing = [each for each in _NEEDED if not _reaches(each, vpc.endpoints, subnet)]
    endpoints = f"add VPC endpoints of {', '.join(missing)}"
    if subnet.route.blackhole:
        yield fail(subject, f"leads to {target}, which is gone", "correct the route of 0.0.0.0/0")
    elif target.startswith("nat-"):
        yield fine(subject, f"through {target}")
    elif target.startswith("igw-") and public_ip:
        yield fine(subject, f"through {target}, with public addresses")
    elif missing and target.startswith("igw-"):
        said = f"leads to {target}, and tasks have no public address"
        yield fail(
            subject, said, f"set bridge.settings.assignPublicIp, take subnets with NAT, or {endpoints}"
        )
    elif missing and target:
        said = f"leads to {target}: whether that reaches AWS cannot be seen from here"
        yield warn(subject, said, f"make sure that it does, or {endpoints}")
    elif missing:
        said = f"there is no route out, and no VPC endpoint of {', '.join(missing)}"
        yield fail(subject, said, f"route 0.0.0.0/0 to a NAT gateway, or {endpoints}")
    else:
        yield from _by_endpoints(subject, subnet, vpc)


def _by_endpoints(subject: str, subnet: Subnet, vpc: Vpc) -> Iterator[Finding]:
    yield fine(subject, f"VPC endpoints of {', '.join(_NEEDED)}")
    for service, purpose in _USEFUL:
        if not subnet.route.target and not _reaches(service, vpc.endpoints, subnet):
            yield warn(subject, f"no VPC endpoint of {service}, for {purpose}", f"add one of {service}")


def _reaches(service: str, endpoints: Sequence[Endpoint], subnet: Subnet) -> bool:
    return any(
        each.service == service and (each.private_dns or subnet.table in each.tables) for each in endpoints
    )


def _group(network: Network, wish: Wish) -> Iterator[Finding]:
    group = network.group
    if group is None:
        yield warn(
            "security group",
            "we have none: tasks get what bridge.settings.securityGroups says",
            "run spillway aws init with --vpc, or see that nodes and tasks reach each other",
        )
        return
    subject, sources = f"ingress of {group.key.name}", _ingress(group)
    wanted = {*wish.node_security_groups, *wish.pod_cidrs}
    missing = sorted(wanted - sources) if ANYWHERE not in sources else []
    mend = "run spillway aws init with --node-security-group or --pod-cidr"
    if missing:
        yield fail(subject, f"does not let in {', '.join(missing)} on every port", mend)
    elif sources <= {SELF}:
        said = "lets no node in: probes, Services and port-forward do not reach overflow pods"
        yield warn(subject, said, mend)
    else:
        yield fine(subject, f"lets in {', '.join(sorted(sources))}")


def _ingress(group: Found) -> set[str]:
    return set(group.aspects.get(INGRESS) or ())


def _nodes(network: Network) -> Iterator[Finding]:
    group = network.group
    for nodes, sources in network.nodes.items():
        subject = f"nodes' group {nodes}"
        if group is None or any(each.startswith((group.identifier, ANYWHERE)) for each in sources):
            yield fine(subject, "lets the tasks in")
            continue
        mend = (
            f"aws ec2 authorize-security-group-ingress --group-id {nodes} --protocol=-1 "
            f"--source-group {group.identifier}"
        )
        said = "does not let the tasks in: they reach no pod and no cluster DNS on nodes"
        yield warn(subject, said, mend)
