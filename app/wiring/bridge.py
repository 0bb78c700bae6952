"""`spillway bridge`, composed: the virtual kubelet, its HTTPS API, and its probes."""

import asyncio
import random
import socket
import ssl
from pathlib import Path
from typing import Final

import msgspec
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.aws.connection import Connection, ConnectionConfig
from app.aws.definitions import EcsDefinitions
from app.aws.limiter import Limiter, Quotas
from app.aws.log_streams import CloudWatchLogStreams
from app.aws.metrics import AwsMetrics
from app.aws.tasks import EcsTasks, TaskPlacement
from app.aws.throttle import Quota
from app.bridge.bridge import Bridge
from app.bridge.config import BridgeConfig, NodeConfig, TaskSettings
from app.bridge.metrics import BridgeMetrics
from app.bridge.outside import Outside
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.server import KubeletConfig, KubeletServer
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Refused
from app.serving.bodies import http_error
from app.serving.probes import probe_router
from app.serving.server import Listen, serve
from app.settings import BridgeSettings
from app.telemetry import logs
from app.tls.reload import keep_current
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.listening import listening
from app.wiring.stopping import StartError

COMPONENT: Final = "spillway-bridge"
_RETRY: Final = 2.0
_log = logs.get(__name__)


async def run(settings: BridgeSettings) -> None:
    """Keep the virtual node until cancelled; tasks and Node stay behind for the next bridge to adopt.

    Raises:
        StartError: no cluster, no region or no credentials are configured; the message names the mend.
    """
    clock = SystemClock()
    kube = await kubernetes.connected(settings.kubeconfig, clock=clock, component="bridge")
    try:
        aws = await _aws(settings)
        try:
            registry = CollectorRegistry()
            parts = kubernetes.parts(kube, clock=clock, component=COMPONENT, registry=registry)
            await _run(settings, parts, aws, registry=registry)
        finally:
            aws.close()
    finally:
        await kube.close()


async def _run(
    settings: BridgeSettings, parts: kubernetes.Parts, aws: Connection, *, registry: CollectorRegistry
) -> None:
    clock = parts.clock
    limiter = Limiter(_quotas(settings, aws.region), clock=clock, metrics=AwsMetrics(registry))
    pods, namespaces = parts.watch_pods(node=settings.node_name), parts.watch_namespaces()
    outside = Outside(
        watched=pods,
        namespaces=namespaces,
        pods=parts.pods,
        nodes=parts.nodes,
        leases=parts.leases,
        events=parts.events,
        tasks=EcsTasks(aws, limiter=limiter, placement=_placement(settings)),
        definitions=EcsDefinitions(aws, limiter=limiter),
        clock=clock,
    )
    config = _config(settings, aws.region, *await _identity(parts))
    bridge = Bridge(config, outside=outside, jitter=random.random, metrics=BridgeMetrics(registry))
    tls = _serving_context(settings)
    kubelet = KubeletServer(
        bridge.logs,
        CloudWatchLogStreams(aws, limiter=limiter, group=settings.log_group),
        clock=clock,
        config=_kubelet_config(settings),
        metrics=KubeletMetrics(registry),
        tls=tls,
    )
    await _listen(kubelet, settings)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pods.run())
            tasks.create_task(namespaces.run())
            tasks.create_task(kubelet.serve())
            tasks.create_task(_renew(tls, settings, clock))
            tasks.create_task(_serve_probes(_probes(bridge, registry), settings, clock))
            tasks.create_task(bridge.run())
    finally:
        await bridge.release()


async def _listen(kubelet: KubeletServer, settings: BridgeSettings) -> None:
    try:
        with listening("kubelet-port", f"{settings.kubelet_host}:{settings.kubelet_port}"):
            await kubelet.start()
    except ssl.SSLError as error:
        raise StartError(
            f"kubelet-client-ca {settings.kubelet_client_ca} holds no certificate in PEM form: {error}"
        ) from error


async def _serve_probes(app: FastAPI, settings: BridgeSettings, clock: Clock) -> None:
    with listening("probe-port", f"{settings.probe_host}:{settings.probe_port}"):
        await serve(app, Listen(host=settings.probe_host, port=settings.probe_port), clock=clock)


async def _aws(settings: BridgeSettings) -> Connection:
    try:
        return await Connection.open(ConnectionConfig(region=settings.region))
    except Refused as error:
        raise StartError(str(error)) from error


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


def _quotas(settings: BridgeSettings, region: str) -> Quotas:
    published = Quotas.of_region(region)
    rate = settings.logs_per_second
    return msgspec.structs.replace(published, logs=Quota(rate, rate)) if rate else published


def _placement(settings: BridgeSettings) -> TaskPlacement:
    return TaskPlacement(
        cluster=settings.ecs_cluster,
        subnets=settings.subnets,
        security_groups=settings.security_groups,
        assign_public_ip=settings.assign_public_ip,
    )


def _config(settings: BridgeSettings, region: str, cluster: str, version: str) -> BridgeConfig:
    node = NodeConfig(
        name=settings.node_name,
        zone=settings.zone,
        region=region,
        internal_ip=settings.internal_ip,
        kubelet_port=settings.kubelet_port,
        kubelet_version=version,
        provider_id=settings.provider_id,
        identity=settings.identity or socket.gethostname(),
        gate_namespace=settings.namespace,
        capacity={
            "cpu": settings.capacity_cpu,
            "memory": settings.capacity_memory,
            "pods": settings.capacity_pods,
            "ephemeral-storage": "1Pi",
        },
    )
    task = TaskSettings(
        region=region,
        log_group=settings.log_group,
        log_mode=settings.log_mode,
        execution_role_arn=settings.execution_role,
        task_role_arn=settings.task_role,
    )
    return BridgeConfig(cluster=cluster, node=node, task=task)


def _kubelet_config(settings: BridgeSettings) -> KubeletConfig:
    authority = settings.kubelet_client_ca
    return KubeletConfig(
        host=settings.kubelet_host,
        port=settings.kubelet_port,
        client_ca=authority.read_text() if authority else "",
        client_names=settings.kubelet_client_names,
    )


def _serving_context(settings: BridgeSettings) -> ssl.SSLContext:
    cert, key = _pair(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:
        raise StartError(f"kubelet-cert {cert} and kubelet-key {key} cannot be used: {error}") from error
    return context


async def _renew(context: ssl.SSLContext, settings: BridgeSettings, clock: Clock) -> None:
    cert, key = _pair(settings)
    await keep_current(context, cert=cert, key=key, clock=clock)


def _pair(settings: BridgeSettings) -> tuple[Path, Path]:
    if settings.kubelet_cert is None or settings.kubelet_key is None:
        raise StartError("the kubelet API needs kubelet-cert and kubelet-key")
    return settings.kubelet_cert, settings.kubelet_key


def _probes(bridge: Bridge, registry: CollectorRegistry) -> FastAPI:
    app = FastAPI(title="Spillway bridge", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, http_error)

    def missing() -> str | None:
        return None if bridge.is_ready() else "the tasks in ECS are not listed yet"

    app.include_router(probe_router(registry, missing, refresh=bridge.observe))
    return app
