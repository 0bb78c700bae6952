"""A pod's host name, as a kubelet makes it.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-hostname-and-subdomain-field
"""

from typing import Final

from app.model.pod import Pod
from app.model.reason import Reason

HOSTNAME: Final = "HOSTNAME"
"""The variable that carries it: in a task, ECS names the kernel's host itself."""

_MOST: Final = 63
_MOST_QUALIFIED: Final = 64
_USUAL_DOMAIN: Final = "cluster.local"


def hostname_of(pod: Pod, *, cluster_domain: str) -> str | Reason:
    """The pod's name for itself, or why the full one that it asks for is none."""
    spec = pod.spec
    if spec.hostname_override:
        return _cut(spec.hostname_override)
    short = _cut(spec.hostname or pod.metadata.name)
    if not spec.set_hostname_as_fqdn or not spec.subdomain:
        return short
    domain = cluster_domain or _USUAL_DOMAIN
    full = f"{short}.{spec.subdomain}.{pod.metadata.namespace}.svc.{domain}"
    if len(full) <= _MOST_QUALIFIED:
        return full
    return Reason(
        "HostnameTooLong",
        f"the full name {full} has {len(full)} characters, and a host name at most {_MOST_QUALIFIED}; "
        "shorten the names or remove setHostnameAsFQDN",
        "spec.setHostnameAsFQDN",
    )


def _cut(name: str) -> str:
    return name if len(name) <= _MOST else name[:_MOST].rstrip("-.")
