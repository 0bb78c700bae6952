"""Whether network ACLs let the packets of tasks through, out and back, at every subnet on their way. Pure.

Traffic inside of a subnet crosses no ACL:
https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.aws.account.checks.acls import HTTPS, LINUX, NAT, closed_ports, openings
from app.aws.account.checks.endpoints import is_by_gateway
from app.aws.account.checks.facts import Acl, Network, Place, Ports, Subnet
from app.aws.account.checks.finding import Finding, Level, Unknown, fine, unexamined, warn
from app.aws.account.wanted import ANYWHERE
from app.aws.account.wish import Wish

_FEW: Final = 64
"""Closed ports that nobody misses: RDP's and the like are often denied, and NAT has thousands."""


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """Packets of TCP at the edge of a subnet.

    Attributes:
        subnet: whose ACL they meet.
        is_out: whether they leave it.
        network: of the other side.
        ports: their destinations.
    """

    subnet: str
    is_out: bool
    network: str
    ports: Ports


class _Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What an ACL does to crossings, in words before and after the names of subnets and networks."""

    level: Level
    acl: str
    is_out: bool
    before: str
    after: str
    mend: str


def crossing_findings(network: Network, wish: Wish) -> Iterator[Finding]:
    """What is to be said of the ACLs on the tasks' ways to AWS."""
    crossings = list(dict.fromkeys(_crossings(network, wish)))
    if not crossings:
        return
    if isinstance(network.acls, Unknown):
        yield unexamined("network ACLs", network.acls)
        return
    acls = {subnet: acl for acl in network.acls for subnet in acl.subnets}
    bad = [*_unseen(crossings, acls), *_told(crossings, acls)]
    yield from bad
    if not bad:
        yield fine("network ACLs", "let https out, and its answers in")


def _crossings(network: Network, wish: Wish) -> Iterator[Crossing]:
    vpcs = {each.identifier: each for each in network.vpcs}
    for subnet in network.subnets:
        endpoints = vpcs[subnet.vpc].endpoints
        if _has_way_out(subnet, wish) or any(is_by_gateway(each, subnet) for each in endpoints):
            yield from _asking(subnet.identifier, ANYWHERE, answered=LINUX)
        yield from _through_nat(subnet, network)
        for place in dict.fromkeys(place for each in endpoints if each.private_dns for place in each.places):
            yield from _between(subnet, place)


def _has_way_out(subnet: Subnet, wish: Wish) -> bool:
    """Whether the subnet's route leads tasks out of the VPC."""
    route = subnet.route
    is_useless = route.target.startswith("igw-") and not wish.public_ip
    return bool(route.target and subnet.networks) and not route.blackhole and not is_useless


def _through_nat(subnet: Subnet, network: Network) -> Iterator[Crossing]:
    for nat in network.nats:
        if nat.identifier == subnet.route.target and nat.subnet and nat.subnet != subnet.identifier:
            yield from _asked(nat.subnet, subnet)
            yield from _asking(nat.subnet, ANYWHERE, answered=NAT)


def _between(subnet: Subnet, place: Place) -> Iterator[Crossing]:
    if place.subnet != subnet.identifier and subnet.networks:
        yield from _asking(subnet.identifier, place.network, answered=LINUX)
        yield from _asked(place.subnet, subnet)


def _asking(subnet: str, network: str, *, answered: Ports) -> Iterator[Crossing]:
    yield Crossing(subnet=subnet, is_out=True, network=network, ports=HTTPS)
    yield Crossing(subnet=subnet, is_out=False, network=network, ports=answered)


def _asked(place: str, tasks: Subnet) -> Iterator[Crossing]:
    for network in tasks.networks:
        yield Crossing(subnet=place, is_out=False, network=network, ports=HTTPS)
        yield Crossing(subnet=place, is_out=True, network=network, ports=LINUX)


def _unseen(crossings: Iterable[Crossing], acls: Mapping[str, Acl]) -> Iterator[Finding]:
    for subnet in dict.fromkeys(each.subnet for each in crossings if each.subnet not in acls):
        said = "is not shown to this account: a shared subnet's is its owner's"
        yield warn(
            f"network ACL of {subnet}", said, "let the owner see that it lets https out, and answers in"
        )


def _told(crossings: Iterable[Crossing], acls: Mapping[str, Acl]) -> Iterator[Finding]:
    """One line for all crossings that the same ACL does the same to."""
    together: dict[_Fault, list[tuple[str, str]]] = {}
    for each in crossings:
        for fault, networks in _faults(each, acls.get(each.subnet)):
            together.setdefault(fault, []).extend((each.subnet, network) for network in networks)
    for fault, where in together.items():
        yield _finding(fault, where)


def _finding(fault: _Fault, where: Sequence[tuple[str, str]]) -> Finding:
    subnets = ", ".join(dict.fromkeys(subnet for subnet, _ in where))
    networks = ", ".join(dict.fromkeys(network for _, network in where))
    edge = f"out of {subnets} to {networks}" if fault.is_out else f"into {subnets} from {networks}"
    return Finding(
        level=fault.level,
        subject=f"network ACL {fault.acl}",
        said=f"{fault.before} {edge}{fault.after}",
        mend=fault.mend,
    )


def _faults(crossing: Crossing, acl: Acl | None) -> Iterator[tuple[_Fault, tuple[str, ...]]]:
    """What is wrong with a crossing, and with which networks; nothing where the packets pass."""
    if acl is None:
        return
    rules, direction = (acl.outbound, "outbound") if crossing.is_out else (acl.inbound, "inbound")
    network, ports = crossing.network, crossing.ports
    closed = closed_ports(rules, network=network, ports=ports)
    if sum(map(len, closed)) < min(_FEW, len(ports)):
        return
    answers = "" if ports == HTTPS else "the answers, "
    fault = _Fault(
        level=Level.FAIL,
        acl=acl.identifier,
        is_out=crossing.is_out,
        before=f"denies {answers}tcp {ports}",
        after=": tasks do not reach AWS",
        mend=f"allow tcp {ports} {direction}, in a rule with a lower number than those that deny it",
    )
    if parts := openings(rules, network=network, ports=ports):
        mend = "see that AWS, the registries and whatever pods need are among these"
        changed = {
            "level": Level.WARN,
            "before": f"lets {answers}tcp {ports}",
            "after": " alone",
            "mend": mend,
        }
        yield msgspec.structs.replace(fault, **changed), parts
    elif closed != (ports,):
        before = f"denies a part of {answers}tcp {', '.join(map(str, closed))}"
        changed = {"level": Level.WARN, "before": before, "after": ": some connections hang"}
        yield msgspec.structs.replace(fault, **changed), (network,)
    else:
        yield fault, (network,)
