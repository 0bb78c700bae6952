"""Whether a task's packets get where they have to. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html
"""

from collections.abc import Iterator, Sequence
from typing import Final

from app.aws.account.checks.admission import admits, touches
from app.aws.account.checks.crossings import crossing_findings
from app.aws.account.checks.endpoints import NEEDED, SEALED, USEFUL, endpoint_findings, reaches
from app.aws.account.checks.facts import Nat, Network, Subnet, Vpc
from app.aws.account.checks.finding import Finding, Unknown, fail, fine, unexamined, warn
from app.aws.account.options import Options
from app.aws.account.plan import Found
from app.aws.account.wanted import ANYWHERE, INGRESS, SELF
from app.aws.account.wish import Wish

_FEW: Final = 16
"""Free addresses: each task takes one."""


def network_findings(network: Network | Unknown, wish: Wish, *, options: Options) -> Iterator[Finding]:
    """What is to be said of subnets, the ways out of them, endpoints and groups."""
    if isinstance(network, Unknown):
        yield unexamined("network", network)
        return
    yield from _subnets(network, wish)
    yield from crossing_findings(network, wish)
    yield from endpoint_findings(network, options)
    yield from _group(network, wish)
    yield from _nodes(network, wish)


def _subnets(network: Network, wish: Wish) -> Iterator[Finding]:
    if not wish.subnets:
        yield warn("subnets", "not examined: none are named", "give check --subnets, as the bridge has them")
        return
    there = {each.identifier for each in network.subnets}
    for missing in (each for each in wish.subnets if each not in there):
        yield fail(f"subnet {missing}", "is not there", "name subnets of this account and region")
    yield from _vpcs(network)
    for subnet in network.subnets:
        vpc = _vpc_of(subnet, network.vpcs)
        if not subnet.networks:
            said, mend = "has IPv6 alone: its way to AWS is not examined", "take a subnet that has IPv4, too"
            yield warn(f"subnet {subnet.identifier}", said, mend)
            continue
        yield _addresses(subnet)
        yield from _way_out(subnet, vpc, network.nats, wish)


def _vpcs(network: Network) -> Iterator[Finding]:
    several = {each.vpc for each in network.subnets}
    group = network.group
    if len(several) > 1:
        yield fail("subnets", f"are of several VPCs: {', '.join(sorted(several))}", "take subnets of one VPC")
    elif group is not None and several and group.key.place not in several:
        said = f"are of {several.pop()}, and security group {group.identifier} is of {group.key.place}"
        yield fail("subnets", said, "run spillway aws init with --vpc of the subnets")
    for vpc in network.vpcs:
        if vpc.resolvers:
            said = f"asks {', '.join(vpc.resolvers)} for names, not Amazon's DNS: AWS's must be answered, too"
            yield warn(f"VPC {vpc.identifier}", said, "see that they forward what they do not know")
        elif not vpc.resolves:
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


def _way_out(subnet: Subnet, vpc: Vpc, nats: Sequence[Nat], wish: Wish) -> Iterator[Finding]:
    subject, target = f"way out of {subnet.identifier}", subnet.route.target
    nat = next((each for each in nats if each.identifier == target), None)
    if subnet.route.blackhole:
        yield fail(subject, f"leads to {target}, which is gone", "correct the route of 0.0.0.0/0")
    elif nat is not None and _is_stuck(nat):
        yield _stuck(subject, nat)
    elif target.startswith("nat-") and (nat is None or nat.public):
        yield fine(subject, f"through {target}")
    elif target.startswith("igw-") and wish.public_ip:
        yield fine(subject, f"through {target}, with public addresses")
    elif missing := [each for each in NEEDED if not reaches(each, vpc.endpoints, subnet)]:
        yield _unreached(subject, target, missing)
    else:
        yield from _by_endpoints(subject, subnet, vpc, wish)


def _is_stuck(nat: Nat) -> bool:
    nowhere = nat.public and nat.route is not None and not nat.route.target.startswith("igw-")
    return nat.state != "available" or nowhere


def _stuck(subject: str, nat: Nat) -> Finding:
    if nat.state != "available":
        return fail(subject, f"leads to {nat.identifier}, which is {nat.state}", "make a NAT gateway anew")
    said = f"leads to {nat.identifier}, whose own subnet has no route to an internet gateway"
    return fail(subject, said, "put NAT gateways into public subnets")


def _unreached(subject: str, target: str, missing: Sequence[str]) -> Finding:
    endpoints = f"add VPC endpoints of {', '.join(missing)}"
    if target.startswith("igw-"):
        said = f"leads to {target}, and tasks have no public address"
        mend = f"set bridge.settings.assignPublicIp, take subnets with NAT, or {endpoints}"
        return fail(subject, said, mend)
    if target:
        said = f"leads to {target}: whether that reaches AWS cannot be seen from here"
        return warn(subject, said, f"make sure that it does, or {endpoints}")
    said = f"there is no route out, and no VPC endpoint of {', '.join(missing)}"
    return fail(subject, said, f"route 0.0.0.0/0 to a NAT gateway, or {endpoints}")


def _by_endpoints(subject: str, subnet: Subnet, vpc: Vpc, wish: Wish) -> Iterator[Finding]:
    is_alone = not subnet.route.target or subnet.route.target.startswith("igw-")
    alone = "; there is no other way, so that images are ECR's alone" if is_alone else ""
    yield fine(subject, f"VPC endpoints of {', '.join(NEEDED)}{alone}")
    for service, purpose in (*USEFUL, *(SEALED if wish.kms_key else ())):
        if is_alone and not reaches(service, vpc.endpoints, subnet):
            yield warn(subject, f"no VPC endpoint of {service}, for {purpose}", f"add one of {service}")


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
    missing = sorted(each for each in wanted if not admits(sources, groups={each, ANYWHERE}, networks=[each]))
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


def _nodes(network: Network, wish: Wish) -> Iterator[Finding]:
    for missing in (each for each in wish.node_security_groups if each not in network.nodes):
        mend = "name groups of this account and region"
        yield fail(f"nodes' group {missing}", "is not there", mend)
    group = network.group
    tasks = [each for subnet in network.subnets for each in subnet.networks]
    for nodes, sources in network.nodes.items():
        subject = f"nodes' group {nodes}"
        ours = {group.identifier} if group is not None else set()
        if group is None or admits(sources, groups=ours, networks=tasks):
            yield fine(subject, "lets the tasks in")
            continue
        some = touches(sources, groups=ours, networks=tasks)
        partly = f"lets the tasks in by {', '.join(some)} alone: they do not reach all pods and DNS on nodes"
        mend = (
            f"aws ec2 authorize-security-group-ingress --group-id {nodes} --protocol=-1 "
            f"--source-group {group.identifier}"
        )
        said = "does not let the tasks in: they reach no pod and no cluster DNS on nodes"
        yield warn(subject, partly if some else said, mend)
