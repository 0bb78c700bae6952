"""How names resolve in a task: what a kubelet writes into /etc/hosts and /etc/resolv.conf.

ECS takes none of it on Fargate, where names go to the VPC's resolver. What can be said is said in variables
that the C library reads and, where the helper goes before the command as root, in those two files.
https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.bridge.config import TaskSettings
from app.model.pod import DnsConfig, HostAlias, Pod

_CLUSTER_POLICIES: Final = frozenset({"", "ClusterFirst", "ClusterFirstWithHostNet"})
_CLUSTER_OPTIONS: Final[Mapping[str, str]] = {"ndots": "5"}


class Resolver(msgspec.Struct, frozen=True):
    """What resolv.conf would hold; empty means what the task has anyway."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def resolver(pod: Pod, *, settings: TaskSettings) -> Resolver:
    """What the pod's dnsPolicy and dnsConfig come to in a task.

    The cluster's names are searched only where the VPC's resolver knows them (`settings.cluster_domain`).
    """
    config = pod.spec.dns_config or DnsConfig()
    in_cluster = settings.cluster_domain and pod.spec.dns_policy in _CLUSTER_POLICIES
    domain, namespace = settings.cluster_domain, pod.metadata.namespace
    cluster = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain) if in_cluster else ()
    options: dict[str, str] = dict(_CLUSTER_OPTIONS) if in_cluster else {}
    options.update({each.name: each.value or "" for each in config.options})
    return Resolver(
        servers=tuple(dict.fromkeys(config.nameservers)),
        searches=tuple(dict.fromkeys((*cluster, *config.searches))),
        options=tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def resolver_variables(wanted: Resolver) -> dict[str, str]:
    """The search list and options as glibc reads them (resolv.conf(5)); other C libraries do not."""
    variables = {"LOCALDOMAIN": " ".join(wanted.searches), "RES_OPTIONS": " ".join(wanted.options)}
    return {name: value for name, value in variables.items() if value}


def resolver_lines(wanted: Resolver) -> tuple[str, ...]:
    """The helper's `resolve` line; none where nothing is wanted."""
    if wanted == Resolver():
        return ()
    return (f"resolve {_list(wanted.servers)} {_list(wanted.searches)} {_list(wanted.options)}",)


def host_lines(aliases: Iterable[HostAlias]) -> tuple[str, ...]:
    """The helper's `host` lines: one for each alias, in the pod's order."""
    return tuple(" ".join(("host", each.ip, *each.hostnames)) for each in aliases)


def _list(words: tuple[str, ...]) -> str:
    return ",".join(words) or "-"
