"""`spillway webhook`, composed."""

from prometheus_client import CollectorRegistry

from app.serving.leaving import LINGER
from app.serving.server import Listen, serve
from app.settings import WebhookSettings
from app.tls.expiry import CertificateExpiry
from app.webhook.mutation import How
from app.webhook.server import WebhookConfig, build_app
from app.wiring.clock import SystemClock


async def run(settings: WebhookSettings) -> None:
    """Serve until cancelled."""
    clock, registry = SystemClock(), CollectorRegistry()
    app = build_app(
        WebhookConfig(how=How(actuator=settings.actuator, scheduler_name=settings.scheduler_name)),
        clock=clock,
        registry=registry,
    )
    listen = Listen(
        host=settings.host, port=settings.port, cert=settings.tls_cert, key=settings.tls_key, linger=LINGER
    )
    await serve(app, listen, clock=clock, loaded=CertificateExpiry(registry).of("webhook"))
