"""Which proxy of the environment a server is asked through, by the rules that kubectl follows.

The HTTP library's own look at the environment knows no address ranges in NO_PROXY, and mixes `~/.netrc` in.

https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from app.model.address import is_loopback


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy's URL, or None to go straight; this machine's loopback has no proxy.

    Args:
        url: the server.
        environ: the process's environment; of `https_proxy` and `HTTPS_PROXY` the first counts.
    """
    server = urlsplit(url)
    host = server.hostname or ""
    if is_loopback(host) or any(_excepts(rule, host) for rule in _setting("no_proxy", environ).split(",")):
        return None
    return _setting(f"{server.scheme}_proxy", environ) or None


def _setting(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _excepts(rule: str, host: str) -> bool:
    """Whether an entry of NO_PROXY names the host: `*`, an address, a range, or a domain."""
    rule = rule.strip().lower()
    if not rule or rule == "*":
        return rule == "*"
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        domain = rule.partition(":")[0].lstrip("*").lstrip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
