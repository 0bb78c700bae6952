"""Network interfaces of tasks: one private address each, from the subnet that RunTask named."""

import ipaddress
import itertools
from collections.abc import Callable, Iterator, Sequence

import msgspec

from app.local.fargate.config import Subnet

_RESERVED = 4
"""AWS keeps the first four addresses of a subnet, and the last."""


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """An elastic network interface with its address."""

    id: str
    subnet: str
    zone: str
    ip: str
    mac: str
    private_dns: str


class Network:
    """Hands out addresses; one that was given back is used again only after all others."""

    def __init__(self, subnets: Sequence[Subnet], *, region: str, ids: Callable[[], str]) -> None:
        self._subnets = {subnet.id: subnet for subnet in subnets}
        self._next = {subnet.id: _addresses(subnet) for subnet in subnets}
        self._taken: set[str] = set()
        self._ids = ids
        self._domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"

    def zone_of(self, subnet: str) -> str | None:
        """The subnet's availability zone; None where there is no such subnet."""
        found = self._subnets.get(subnet)
        return found.zone if found is not None else None

    def attach(self, subnet: str) -> Interface | None:
        """A new interface, or None where the subnet has no address left."""
        size = ipaddress.ip_network(self._subnets[subnet].cidr).num_addresses
        candidates = itertools.islice(self._next[subnet], size)
        ip = next((each for each in candidates if each not in self._taken), None)
        if ip is None:
            return None
        self._taken.add(ip)
        return Interface(
            id=f"eni-{self._ids()[:17]}",
            subnet=subnet,
            zone=self._subnets[subnet].zone,
            ip=ip,
            mac="0a:58:" + ":".join(f"{int(part):02x}" for part in ip.split(".")),
            private_dns=f"ip-{ip.replace('.', '-')}.{self._domain}",
        )

    def release(self, interface: Interface) -> None:
        """Give the address back."""
        self._taken.discard(interface.ip)


def _addresses(subnet: Subnet) -> Iterator[str]:
    block = ipaddress.IPv4Network(subnet.cidr)
    usable = range(int(block.network_address) + _RESERVED, int(block.broadcast_address))
    while usable:
        yield from (str(ipaddress.IPv4Address(each)) for each in usable)
