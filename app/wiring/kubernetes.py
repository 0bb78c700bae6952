"""The Kubernetes adapters over one connection, as the shells' ports."""

import os
import random
import socket
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry

from app.kube import paths
from app.kube.configuration import ConnectionSettingsError
from app.kube.connection import Connection, connect
from app.kube.events import Events
from app.kube.leases import Leases
from app.kube.metrics import WatchMetrics
from app.kube.nodes import Nodes
from app.kube.pods import Pods
from app.kube.reflector import Reflector
from app.kube.sources import Sources
from app.kube.watch_events import W
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.objects import NetworkPolicy, Service
from app.model.pod import Pod
from app.ports.clock import Clock
from app.wiring.stopping import StartError


@dataclass(frozen=True, slots=True)
class Parts:
    """What a program may do with one cluster."""

    connection: Connection
    clock: Clock
    pods: Pods
    nodes: Nodes
    leases: Leases
    events: Events
    sources: Sources
    watch_metrics: WatchMetrics

    def watch_pods(self, *, node: str = "") -> Reflector[Pod]:
        """All pods, or those bound to one node."""
        selector = f"spec.nodeName={node}" if node else ""
        return self._watch(paths.PODS, Pod, field_selector=selector)

    def watch_nodes(self) -> Reflector[Node]:
        """All nodes."""
        return self._watch(paths.NODES, Node)

    def watch_namespaces(self) -> Reflector[Namespace]:
        """All namespaces."""
        return self._watch(paths.NAMESPACES, Namespace)

    def watch_services(self) -> Reflector[Service]:
        """All Services."""
        return self._watch(paths.SERVICES, Service)

    def watch_network_policies(self) -> Reflector[NetworkPolicy]:
        """All NetworkPolicies."""
        return self._watch(paths.NETWORK_POLICIES, NetworkPolicy)

    def _watch(self, path: str, kind: type[W], *, field_selector: str = "") -> Reflector[W]:
        return Reflector(
            self.connection,
            path=path,
            decode=kind,
            clock=self.clock,
            jitter=random.random,
            metrics=self.watch_metrics,
            field_selector=field_selector,
        )


async def connected(kubeconfig: str, *, clock: Clock, component: str) -> Connection:
    """A connection in the component's name.

    Raises:
        StartError: no cluster is configured, or its configuration cannot be used; the message names the mend.
    """
    agent = f"spillway/{own_version()} ({component})"
    try:
        return await connect(kubeconfig=kubeconfig or None, clock=clock, agent=agent, environ=os.environ)
    except ConnectionSettingsError as error:
        raise StartError(str(error)) from error


def parts(
    connection: Connection, *, clock: Clock, component: str, registry: CollectorRegistry | None = None
) -> Parts:
    """The adapters; Events are written as `component`, and watches count in the registry, if there is one."""
    return Parts(
        connection=connection,
        clock=clock,
        pods=Pods(connection),
        nodes=Nodes(connection),
        leases=Leases(connection, clock=clock),
        sources=Sources(connection),
        events=Events(connection, clock=clock, component=component, host=socket.gethostname()),
        watch_metrics=WatchMetrics(registry or CollectorRegistry()),
    )


def own_version() -> str:
    """The installed distribution's version; `source` where it runs uninstalled."""
    try:
        return version("spillway-fargate")
    except PackageNotFoundError:
        return "source"
