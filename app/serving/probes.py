"""The three routes that every serving program has: alive, ready, and what it counted."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

Ready = Callable[[], str | None]
"""Why the program cannot serve yet, in words for people; None where it can."""

Metrics = Callable[[], Awaitable[bytes]]
"""What was counted, as text for Prometheus."""

_TEXT: Final = "text/plain; charset=utf-8"


def probe_router(
    registry: CollectorRegistry,
    ready: Ready,
    *,
    refresh: Callable[[], None] | None = None,
    metrics: Metrics | None = None,
) -> APIRouter:
    """`GET /healthz` (200 while the process turns), `/readyz` (200, or 503 with the reason), `/metrics`.

    https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ and
    https://prometheus.io/docs/instrumenting/exposition_formats/

    Args:
        registry: what `/metrics` shows.
        ready: asked anew each time.
        refresh: brings up to date what is only worth knowing when it is looked at; called before `/metrics`.
        metrics: gives what `/metrics` shows, where that is not the registry alone.
    """
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> Response:
        return Response("ok", media_type=_TEXT)

    @router.get("/readyz")
    async def readyz() -> Response:
        missing = ready()
        if missing is None:
            return Response("ok", media_type=_TEXT)
        return Response(missing, status_code=503, media_type=_TEXT)

    @router.get("/metrics")
    async def counted() -> Response:
        if refresh is not None:
            refresh()
        text = generate_latest(registry) if metrics is None else await metrics()
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router
