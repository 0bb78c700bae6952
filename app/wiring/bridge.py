"""`spillway bridge`, composed: the virtual kubelets of one process, their HTTPS API, and the probes."""

import asyncio
import socket
from typing import Final

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.bridge.metrics import BridgeMetrics
from app.bridge.task_news import TaskNews
from app.kubelet.metrics import KubeletMetrics
from app.model.setting import named
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Refused
from app.probing.probes import NetworkProbes
from app.serving.bodies import http_error
from app.serving.probes import probe_router
from app.serving.server import Listen, serve
from app.settings import BridgeSettings, SettingsError, nodes_of
from app.telemetry import logs
from app.tls.expiry import CertificateExpiry
from app.wiring import kubernetes
from app.wiring.aws import Aws
from app.wiring.clock import SystemClock
from app.wiring.kubelet import NodeApi
from app.wiring.listening import listening
from app.wiring.open_files import allow_many
from app.wiring.stopping import StartError
from app.wiring.virtual_node import Shared, VirtualNode

COMPONENT: Final = "spillway-bridge"
_RETRY: Final = 2.0
_log = logs.get(__name__)


async def run(settings: BridgeSettings) -> None:
    """Keep the virtual nodes until cancelled; tasks and Nodes stay behind for the next bridge to adopt.

    Raises:
        StartError: no cluster, no region or no credentials are configured; the message names the mend.
    """
    nodes = _nodes(settings)
    allow_many()
    clock, registry = SystemClock(), CollectorRegistry()
    kube = await kubernetes.connected(settings.kubeconfig, clock=clock, component="bridge")
    try:
        aws = await Aws.open(settings, clock=clock, registry=registry)
        try:
            parts = kubernetes.parts(kube, clock=clock, component=COMPONENT, registry=registry)
            await _run(settings, nodes, parts, aws, registry=registry)
        finally:
            await aws.close()
    finally:
        await kube.close()


def _nodes(settings: BridgeSettings) -> tuple[BridgeSettings, ...]:
    try:
        return nodes_of(settings)
    except SettingsError as error:
        raise StartError(str(error)) from error


async def _run(
    settings: BridgeSettings,
    each_node: tuple[BridgeSettings, ...],
    parts: kubernetes.Parts,
    aws: Aws,
    *,
    registry: CollectorRegistry,
) -> None:
    clock, metrics, probes = parts.clock, BridgeMetrics(registry), NetworkProbes()
    events = aws.events()
    cluster, version = await _identity(parts)
    shared = Shared(
        parts=parts,
        aws=aws,
        metrics=metrics,
        probes=probes,
        cluster=cluster,
        version=version,
        identity=settings.identity or socket.gethostname(),
        news=TaskNews(events, clock=clock, retry=_RETRY, metrics=metrics) if events is not None else None,
    )
    nodes = [VirtualNode(each, shared) for each in each_node]
    counted, expiry = KubeletMetrics(registry), CertificateExpiry(registry)
    apis = [
        NodeApi(
            each,
            node,
            parts=parts,
            aws=aws,
            metrics=counted,
            loaded=expiry.of("kubelet", node=each.node_name),
        )
        for each, node in zip(each_node, nodes, strict=True)
    ]
    for api in apis:
        await api.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shared.run())
            for api in apis:
                tasks.create_task(api.run())
            tasks.create_task(_serve_probes(_probes(nodes, metrics, registry), settings, clock))
            for each in nodes:
                tasks.create_task(each.run())
    finally:
        for each in nodes:
            await each.bridge.release()
        await probes.close()


async def _serve_probes(app: FastAPI, settings: BridgeSettings, clock: Clock) -> None:
    with listening(named("bridge", "probe_port"), f"{settings.probe_host}:{settings.probe_port}"):
        await serve(app, Listen(host=settings.probe_host, port=settings.probe_port), clock=clock)


async def _identity(parts: kubernetes.Parts) -> tuple[str, str]:
    """The cluster's uid and version; a bridge that starts before its API server waits for it."""
    while True:
        try:
            return await parts.connection.cluster_uid(), await parts.connection.server_version()
        except Refused as error:
            raise StartError(f"the API server refuses this bridge: {error}; check its RBAC") from error
        except PortFailure as error:
            _log.warning("the API server does not answer yet", error=str(error), again_in=_RETRY)
            await parts.clock.sleep(_RETRY)


def _probes(nodes: list[VirtualNode], metrics: BridgeMetrics, registry: CollectorRegistry) -> FastAPI:
    app = FastAPI(title="Spillway bridge", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, http_error)

    def missing() -> str | None:
        late = [each.name for each in nodes if not each.bridge.is_ready()]
        return f"the tasks in ECS are not listed yet for {', '.join(late)}" if late else None

    def refresh() -> None:
        metrics.observe(each.bridge.burden() for each in nodes)

    app.include_router(probe_router(registry, missing, refresh=refresh))
    return app
