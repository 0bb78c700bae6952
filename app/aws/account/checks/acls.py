"""What a network ACL lets through: of its rules, the lowest number that matches decides. Pure.

ACLs know no connections: answers need rules of their own. The VPC's own DNS is not subject to them.
https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
"""

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from app.aws.account.checks.facts import AclRule, Ports

HTTPS: Final = Ports(443, 443)

LINUX: Final = Ports(32768, 60999)
"""From which ports Linux asks, and tasks with it: `net.ipv4.ip_local_port_range` as it is unless set."""

NAT: Final = Ports(1024, 65535)
"""From which ports NAT gateways ask.

https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
"""

_TCP: Final = frozenset({"6", "-1"})


def closed_ports(rules: Sequence[AclRule], *, network: str, ports: Ports) -> tuple[Ports, ...]:
    """Those of the ports that TCP does not pass through, to or from the network as a whole.

    Args:
        rules: of one direction, in any order.
        network: the other side, as 0.0.0.0/0. A rule about a part of it decides nothing.
        ports: what should pass.
    """
    ordered = sorted((each for each in rules if each.protocol in _TCP), key=lambda each: each.number)
    edges = {edge for each in ordered for edge in (each.ports.first, each.ports.last + 1)}
    cuts = sorted(
        {ports.first, ports.last + 1, *(each for each in edges if ports.first < each <= ports.last)}
    )
    closed = (
        Ports(first, after - 1)
        for first, after in pairwise(cuts)
        if not _passes(ordered, network, port=first)
    )
    return tuple(_joined(closed))


def _passes(ordered: Sequence[AclRule], network: str, *, port: int) -> bool:
    for rule in ordered:
        if rule.ports.first <= port <= rule.ports.last and _contains(rule.network, network):
            return rule.allows
    return False


def _joined(parts: Iterator[Ports]) -> Iterator[Ports]:
    """Neighbours as one."""
    last: Ports | None = None
    for each in parts:
        if last is not None and last.last + 1 == each.first:
            last = Ports(last.first, each.last)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def openings(rules: Sequence[AclRule], *, network: str, ports: Ports) -> tuple[str, ...]:
    """Parts of a network that all of the ports are open to, as rules name them."""
    parts = dict.fromkeys(
        each.network
        for each in rules
        if each.allows and each.network != network and _contains(network, each.network)
    )
    return tuple(each for each in parts if not closed_ports(rules, network=each, ports=ports))


def _contains(outer: str, inner: str) -> bool:
    return ipaddress.IPv4Network(inner).subnet_of(ipaddress.IPv4Network(outer))
