"""`spillway extender`, composed: this process answers kube-scheduler, and starts the one that leads.

Two, since Python runs one thing at a time: an answer waited for each decision that was made beside it.
"""

import asyncio
import gc
import pickle
import sys

from prometheus_client import CollectorRegistry

from app.extender.answer.preemption import Preemption, reduced
from app.extender.answer.server import ExtenderConfig, build_app
from app.fargate.eligibility import refusals
from app.lifeline.companion import Companion
from app.model.node import Node
from app.ports.watched import Watched
from app.serving.leaving import LINGER
from app.serving.server import Listen, serve
from app.settings import ExtenderSettings
from app.telemetry import families, logs
from app.tls.expiry import CertificateExpiry
from app.wiring import kubernetes, leading
from app.wiring.clock import SystemClock

_log = logs.get(__name__)

LEADING = "the process that leads"
_SCRAPE_SECONDS = 3.0
"""How long /metrics waits for the other process; Prometheus waits for 10 s."""


async def run(settings: ExtenderSettings) -> None:
    """Serve, and have it led, until cancelled; the other process has cleaned up and ended when this returns.

    Raises:
        Parted: the process that leads is gone, or hangs.
    """
    clock = SystemClock()
    registry = CollectorRegistry()
    connection = await kubernetes.connected(settings.kubeconfig, clock=clock, component="extender")
    companion = Companion(
        LEADING,
        [sys.executable, "-m", leading.__name__],
        greeting=pickle.dumps(settings),
        clock=clock,
    )

    async def metrics() -> bytes:
        return await _metrics(companion, registry)

    try:
        parts = kubernetes.parts(connection, clock=clock, component=leading.COMPONENT, registry=registry)
        nodes = parts.watch_nodes()
        namespaces, pods = parts.watch_namespaces(), parts.watch_pods(keep=reduced)
        preemption = Preemption(
            leading.gate_config(settings), namespaces=namespaces, pods=pods, refusals=refusals
        )
        app = build_app(
            ExtenderConfig(),
            nodes=nodes,
            consistent=parts.nodes,
            clock=clock,
            registry=registry,
            preemption=preemption if preemption.matters else None,
            metrics=metrics,
        )
        listen = Listen(
            host=settings.host,
            port=settings.port,
            cert=settings.tls_cert,
            key=settings.tls_key,
            linger=LINGER,
        )
        loaded = CertificateExpiry(registry).of("extender")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(companion.run())
            for watched in (nodes, namespaces, pods) if preemption.matters else (nodes,):
                tasks.create_task(watched.run())
            tasks.create_task(_unburden(nodes))
            # Not a task: while it takes leave of its clients, all that it answers from goes on.
            await serve(app, listen, clock=clock, loaded=loaded)
    finally:
        await connection.close()


async def _unburden(nodes: Watched[Node]) -> None:
    """Take our modules and the nodes from the garbage collector's rounds: they stay."""
    await nodes.synced()
    gc.collect()
    gc.freeze()


async def _metrics(companion: Companion, registry: CollectorRegistry) -> bytes:
    """What both counted; the other process puts it together, since nobody waits for it."""
    page = await companion.ask(families.sent(registry), seconds=_SCRAPE_SECONDS)
    if page is None:
        _log.warning("no answer, /metrics shows half", asked=LEADING)
        return families.page(registry)
    return page
