"""Where a registry may send us: HTTPS, and this machine or its link only for registries that stand there.

An image's name is a tenant's, and a registry's redirects and realms are its owner's; neither may lead us to
the services that listen on our own loopback, or to the cloud's metadata.
"""

from ipaddress import IPv6Address, ip_address
from typing import Final

from yarl import URL

from app.model.address import is_loopback
from app.model.image_reference import DOCKER_HUB

_DOCKER_HUB_HOST: Final = "registry-1.docker.io"


def base_of(registry: str) -> URL:
    """The URL below which the registry's API stands.

    Args:
        registry: `HOST[:PORT]`, as in an image's name; loopback is asked in plain HTTP.
    """
    host = _DOCKER_HUB_HOST if registry == DOCKER_HUB else registry
    url = URL(f"https://{host}")
    return url.with_scheme("http").with_port(url.explicit_port) if is_loopback(url.host or "") else url


def refusal_of(target: URL, *, base: URL) -> str:
    """Why the registry at `base` may not send us to the target; empty where it may."""
    host = target.host or ""
    if not target.absolute or not host:
        return "it is no whole URL"
    host = _unmapped(host)
    if is_loopback(host):
        return "" if is_loopback(base.host or "") else "it is this machine itself"
    if _is_link_local(host):
        return "it is an address of this machine's link"
    return "" if target.scheme == "https" else "it is not HTTPS"


def _unmapped(host: str) -> str:
    """The IPv4 address within an IPv6 one, where the host is such a thing."""
    try:
        return str(IPv6Address(host).ipv4_mapped or host)
    except ValueError:
        return host


def _is_link_local(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_link_local or address.is_unspecified
