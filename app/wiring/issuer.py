"""`spillway issuer`, composed: the certificates of an installation, and the probes."""

import asyncio
import ipaddress

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.issuer.config import IssuerConfig, service_names
from app.issuer.issuer import Issuer, mend
from app.issuer.metrics import IssuerMetrics
from app.kube.connection import Connection
from app.kube.server_time import ServerTime
from app.kube.tls_secrets import TlsSecrets
from app.kube.webhook_bundles import WebhookBundles
from app.model.setting import named
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Refused
from app.serving.bodies import http_error
from app.serving.probes import probe_router
from app.serving.server import Listen, serve
from app.settings import IssuerSettings
from app.telemetry import logs
from app.tls.expiry import CertificateExpiry
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.listening import listening
from app.wiring.stopping import StartError

_log = logs.get(__name__)


async def run(settings: IssuerSettings) -> None:
    """Keep the certificates until cancelled; with `once`, until they are in order.

    Raises:
        StartError: no cluster is configured; with `once` also where the API server refuses or says nothing.
    """
    clock, registry = SystemClock(), CollectorRegistry()
    connection = await kubernetes.connected(settings.kubeconfig, clock=clock, component="issuer")
    try:
        issuer = _issuer(settings, connection, clock, registry)
        if settings.once:
            await _once(issuer, settings)
        else:
            await _keep(settings, issuer, clock, registry)
    finally:
        await connection.close()


async def _once(issuer: Issuer, settings: IssuerSettings) -> None:
    try:
        await issuer.once()
    except Refused as refused:
        raise StartError(
            f"the certificates are not in order: {refused}; {mend(config_of(settings))}"
        ) from refused
    except PortFailure as failure:
        raise StartError(f"the certificates are not in order: {failure}") from failure
    _log.info("the certificates are in order")


async def _keep(settings: IssuerSettings, issuer: Issuer, clock: Clock, registry: CollectorRegistry) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(issuer.run())
        with listening(named("issuer", "probe_port"), f"{settings.probe_host}:{settings.probe_port}"):
            listen = Listen(host=settings.probe_host, port=settings.probe_port)
            await serve(_probes(issuer, registry), listen, clock=clock)


def _issuer(
    settings: IssuerSettings, connection: Connection, clock: Clock, registry: CollectorRegistry
) -> Issuer:
    time = ServerTime(clock)
    connection.tell_time(time.heard)
    return Issuer(
        TlsSecrets(connection, namespace=settings.namespace),
        WebhookBundles(connection, name=settings.webhook_configuration),
        clock=time,
        config=config_of(settings),
        metrics=IssuerMetrics(registry),
        expiry=CertificateExpiry(registry),
    )


def config_of(settings: IssuerSettings) -> IssuerConfig:
    """What is kept, by what the settings say."""
    services = (name for each in settings.services for name in service_names(each, settings.namespace))
    dns, ips = [*services], []
    for each in settings.extra_names:
        try:
            ips.append(str(ipaddress.ip_address(each)))
        except ValueError:
            dns.append(each)
    return IssuerConfig(
        ca_secret=settings.ca_secret,
        tls_secret=settings.tls_secret,
        registration=settings.webhook_configuration,
        dns=tuple(dict.fromkeys(dns)),
        ips=tuple(dict.fromkeys(ips)),
        leaf_validity=settings.leaf_validity,
        renew_before=settings.renew_before,
        ca_validity=settings.ca_validity,
        propagation=settings.propagation,
    )


def _probes(issuer: Issuer, registry: CollectorRegistry) -> FastAPI:
    app = FastAPI(title="Spillway issuer", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, http_error)
    app.include_router(probe_router(registry, issuer.missing))
    return app
