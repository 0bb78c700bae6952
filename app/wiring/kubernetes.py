"""The Kubernetes adapters over one connection, as the shells' ports."""

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry

from app.kube import paths
from app.kube.configuration import ConnectionSettingsError
from app.kube.connection import Connection, connect
from app.kube.events import Events
from app.kube.leases import Leases
from app.kube.listing import whole
from app.kube.metrics import WatchMetrics
from app.kube.nodes import Nodes
from app.kube.optional import OptionalWatch, Wanted
from app.kube.pods import Pods
from app.kube.reflector import Reflector
from app.kube.sources import Sources
from app.kube.watch_events import W
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.node_claim import NodeClaim
from app.model.objects import ConfigMap, NetworkPolicy, Service
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

    def watch_pods(self, *, node: str = "", keep: Callable[[Pod], Pod] = whole) -> Reflector[Pod]:
        """All pods, or those bound to one node; `keep` says what is kept of each."""
        selector = f"spec.nodeName={node}" if node else ""
        return self._watch(paths.PODS, Pod, field_selector=selector, keep=keep)

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

    def watch_node_claims(self) -> OptionalWatch[NodeClaim]:
        """Karpenter's NodeClaims, where there is a Karpenter."""
        wanted = Wanted(
            path=paths.NODE_CLAIMS,
            group=paths.KARPENTER,
            mend="give the extender get, list and watch on nodeclaims.karpenter.sh, or it does not wait for "
            "the nodes that Karpenter has ordered",
        )
        return self._optional(wanted, lambda: self._watch(wanted.path, NodeClaim))

    def watch_autoscaler_status(self) -> OptionalWatch[ConfigMap]:
        """The ConfigMap in which cluster-autoscaler says what it does, where there is one."""
        selector = "metadata.name=cluster-autoscaler-status"
        wanted = Wanted(
            path=paths.config_maps("kube-system"),
            query={"fieldSelector": selector},
            mend="give the extender get, list and watch on the ConfigMap cluster-autoscaler-status of "
            "kube-system, or it does not see which node groups grow",
        )
        return self._optional(wanted, lambda: self._watch(wanted.path, ConfigMap, field_selector=selector))

    def _optional(self, wanted: Wanted, make: Callable[[], Reflector[W]]) -> OptionalWatch[W]:
        return OptionalWatch(self.connection, wanted, make=make, clock=self.clock)

    def _watch(
        self, path: str, kind: type[W], *, field_selector: str = "", keep: Callable[[W], W] = whole
    ) -> Reflector[W]:
        return Reflector(
            self.connection,
            path=path,
            decode=kind,
            clock=self.clock,
            jitter=random.random,
            metrics=self.watch_metrics,
            field_selector=field_selector,
            keep=keep,
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
