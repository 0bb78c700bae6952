"""Whom the rules of a security group let in, and on which ports. Pure.

Rules are told as `makers.group_rules.sources` tells them: a group or a range, and the ports where these
are not all, as `10.0.0.0/16 tcp 443-443`.
"""

import ipaddress
from collections.abc import Collection, Iterable, Sequence

HTTPS = 443


def admits(
    sources: Iterable[str], *, groups: Collection[str], networks: Sequence[str], port: int | None = None
) -> bool:
    """Whether rules let in all that has one of these groups and these addresses.

    Args:
        sources: the rules.
        groups: security groups of who comes.
        networks: ranges of the addresses of who comes, as 10.0.0.0/16; none where they are not known.
        port: of TCP; None means every port and protocol.
    """
    whom = [each.partition(" ")[0] for each in sources if _covers(each.partition(" ")[2], port)]
    return any(each in groups for each in whom) or (
        bool(networks) and all(any(_contains(each, network) for each in whom) for network in networks)
    )


def may_admit(sources: Iterable[str], *, groups_known: bool, port: int) -> bool:
    """Whether rules may let tasks in by what is not known: a prefix list's ranges, or the tasks' groups.

    Args:
        sources: the rules.
        groups_known: whether the tasks' security groups are.
        port: of TCP.
    """
    open_to = [each.partition(" ")[0] for each in sources if _covers(each.partition(" ")[2], port)]
    unknown = ("pl-",) if groups_known else ("pl-", "sg-")
    return any(each.startswith(unknown) for each in open_to)


def touches(sources: Iterable[str], *, groups: Collection[str], networks: Sequence[str]) -> list[str]:
    """The rules that let in some of it, on whichever ports."""
    return [
        each
        for each in sources
        if each.partition(" ")[0] in groups
        or any(_contains(each.partition(" ")[0], network) for network in networks)
    ]


def _covers(ports: str, port: int | None) -> bool:
    if not ports or port is None:
        return not ports
    protocol, _, both = ports.partition(" ")
    first, _, last = both.partition("-")
    return protocol == "tcp" and first.isdigit() and last.isdigit() and int(first) <= port <= int(last)


def _contains(source: str, network: str) -> bool:
    try:
        outer, inner = ipaddress.ip_network(source), ipaddress.ip_network(network)
    except ValueError:  # a group, a prefix list
        return False
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
