"""Schedulers' configurations, as ConfigMaps hold them.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import yaml

from app.doctor.seen import Unread, known
from app.model.names import MARKER
from app.model.objects import ConfigMap
from app.model.wire import Json, Wire

_SAYS_SO: Final = re.compile(
    r"""(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?KubeSchedulerConfiguration\b""", re.MULTILINE
)
"""A text, in YAML or JSON, that is one; a page that only speaks of one is none."""

DEFAULT_LEASE: Final = "kube-system/kube-scheduler"


class TlsConfig(Wire, frozen=True):
    """By what a scheduler judges the extender's certificate."""

    insecure: bool = False
    server_name: str = ""
    ca_file: str = ""
    ca_data: bytes = b""


class ManagedResource(Wire, frozen=True):
    """Pods that name this extended resource are asked about."""

    name: str = ""


class Extender(Wire, frozen=True, rename={"enable_https": "enableHTTPS"}):
    """One extender of a scheduler."""

    url_prefix: str = msgspec.field(name="urlPrefix", default="")
    filter_verb: str = msgspec.field(name="filterVerb", default="")
    preempt_verb: str = msgspec.field(name="preemptVerb", default="")
    prioritize_verb: str = msgspec.field(name="prioritizeVerb", default="")
    weight: int = 0
    enable_https: bool = False
    tls_config: TlsConfig | None = msgspec.field(name="tlsConfig", default=None)
    http_timeout: Json = msgspec.field(name="httpTimeout", default=None)
    node_cache_capable: bool = msgspec.field(name="nodeCacheCapable", default=False)
    managed_resources: tuple[ManagedResource, ...] = msgspec.field(name="managedResources", default=())
    ignorable: bool = False

    @property
    def is_marked_only(self) -> bool:
        """Whether it is asked about marked pods alone."""
        return any(each.name == MARKER for each in self.managed_resources)


class Profile(Wire, frozen=True):
    """One name that pods choose a scheduler by."""

    scheduler_name: str = "default-scheduler"


class LeaderElection(Wire, frozen=True):
    """The Lease that the running replica holds."""

    leader_elect: bool = True
    resource_namespace: str = "kube-system"
    resource_name: str = "kube-scheduler"


class Configuration(Wire, frozen=True):
    """A scheduler's configuration."""

    kind: str = ""
    leader_election: LeaderElection = LeaderElection()
    profiles: tuple[Profile, ...] = (Profile(),)
    extenders: tuple[Extender, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The schedulers' names that pods may choose."""
        return frozenset(each.scheduler_name for each in self.profiles)

    @property
    def lease(self) -> str:
        """The key of its Lease; empty where it elects nobody."""
        election = self.leader_election
        return f"{election.resource_namespace}/{election.resource_name}" if election.leader_elect else ""


class Held(msgspec.Struct, frozen=True):
    """What a ConfigMap holds under one key: a configuration, or why it is none."""

    where: str
    configuration: Configuration | str


def held(config_maps: Mapping[str, tuple[ConfigMap, ...] | Unread]) -> tuple[Held, ...]:
    """Every scheduler's configuration in these namespaces' ConfigMaps, as far as they can be read."""
    return tuple(
        Held(f"ConfigMap {namespace}/{each.metadata.name}, {key}", _read(text))
        for namespace, found in config_maps.items()
        for each in known(found)
        for key, text in sorted(each.data.items())
        if _SAYS_SO.search(text)
    )


def is_ours(extender: Extender, *, namespace: str) -> bool:
    """Whether this extender is Spillway's, by what it is asked about, or by its address."""
    url = extender.url_prefix
    return extender.is_marked_only or "spillway" in url or f".{namespace}.svc" in url


def _read(text: str) -> Configuration | str:
    try:
        return msgspec.convert(yaml.safe_load(text), Configuration)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        return str(error)
