"""Addresses as configurations name them."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether the host, an address or a name, is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
