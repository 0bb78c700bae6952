"""`spillway extender`, composed: HTTP answers on every replica, the pressure loop on the one that leads."""

import asyncio
import os
import socket
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from app.extender.hindrance import GateConfig
from app.extender.leader import Cluster, Leader, LeaderConfig
from app.extender.metrics import GateMetrics
from app.extender.server import ExtenderConfig, build_app
from app.fargate.eligibility import refusals
from app.kube.leadership import Leadership
from app.model.names import GATE_LEASE
from app.serving.server import Listen, serve
from app.settings import ExtenderSettings
from app.wiring import kubernetes
from app.wiring.clock import SystemClock

COMPONENT = "spillway-extender"


async def run(settings: ExtenderSettings) -> None:
    """Serve, and lead when elected, until cancelled; the Lease is released on the way out."""
    clock = SystemClock()
    registry = CollectorRegistry()
    connection = await kubernetes.connected(settings.kubeconfig, clock=clock, component="extender")
    try:
        parts = kubernetes.parts(connection, clock=clock, component=COMPONENT, registry=registry)
        cluster = Cluster(
            pods=parts.watch_pods(), nodes=parts.watch_nodes(), namespaces=parts.watch_namespaces()
        )
        leadership = _leadership(settings, parts)
        leader = _leader(settings, parts, cluster, registry=registry, leads=leadership.is_leader)
        app = build_app(
            ExtenderConfig(), nodes=cluster.nodes, consistent=parts.nodes, clock=clock, registry=registry
        )
        listen = Listen(host=settings.host, port=settings.port, cert=settings.tls_cert, key=settings.tls_key)
        async with asyncio.TaskGroup() as tasks:
            for watched in (cluster.pods, cluster.nodes, cluster.namespaces):
                tasks.create_task(watched.run())
            tasks.create_task(serve(app, listen, clock=clock))
            tasks.create_task(leadership.lead(leader.run))
    finally:
        await connection.close()


def _leader(
    settings: ExtenderSettings,
    parts: kubernetes.Parts,
    cluster: Cluster,
    *,
    registry: CollectorRegistry,
    leads: Callable[[], bool],
) -> Leader:
    gate = GateConfig(max_wait=settings.max_wait, grant_ttl=settings.grant_ttl)
    return Leader(
        LeaderConfig(gate=gate),
        cluster=cluster,
        nodes=parts.nodes,
        events=parts.events,
        clock=parts.clock,
        metrics=GateMetrics(registry),
        refusals=refusals,
        leads=leads,
    )


def _leadership(settings: ExtenderSettings, parts: kubernetes.Parts) -> Leadership:
    """The Lease is also what the bridge looks at: when it goes stale, the bridge closes the node."""
    seconds = settings.lease_duration.total_seconds()
    return Leadership(
        parts.connection,
        namespace=settings.namespace,
        name=GATE_LEASE,
        identity=settings.identity or f"{socket.gethostname()}-{os.getpid()}",
        clock=parts.clock,
        lease_seconds=seconds,
        renew_deadline=seconds * 2 / 3,
        retry_period=seconds * 2 / 15,
    )
