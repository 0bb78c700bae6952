"""The routes that every serving program has."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.serving.probes import probe_router


def a_client(
    registry: CollectorRegistry, missing: list[str], *, refresh: Callable[[], None] | None = None
) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(probe_router(registry, lambda: next(iter(missing), None), refresh=refresh))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probe.test")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_ready_program_says_ok(path: str) -> None:
    async with a_client(CollectorRegistry(), []) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_a_program_that_is_not_ready_says_what_is_missing_and_is_alive() -> None:
    async with a_client(CollectorRegistry(), ["no listing of nodes yet"]) as client:
        ready = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert (ready.status_code, ready.text) == (503, "no listing of nodes yet")
    assert alive.status_code == 200


async def test_readiness_is_asked_anew_each_time() -> None:
    missing = ["no listing of nodes yet"]
    async with a_client(CollectorRegistry(), missing) as client:
        before = await client.get("/readyz")
        missing.clear()
        after = await client.get("/readyz")
    assert (before.status_code, after.status_code) == (503, 200)


async def test_metrics_are_those_of_the_registry_in_prometheus_text() -> None:
    registry = CollectorRegistry()
    Counter("spillway_test_things", "Things.", registry=registry).inc(3)
    async with a_client(registry, []) as client:
        answer = await client.get("/metrics")
    assert "spillway_test_things_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


async def test_what_is_counted_only_when_it_is_looked_at_is_fresh_in_each_answer() -> None:
    registry = CollectorRegistry()
    pods = Gauge("spillway_test_pods", "Pods.", registry=registry)
    async with a_client(registry, [], refresh=pods.inc) as client:
        await client.get("/readyz")
        first = await client.get("/metrics")
        second = await client.get("/metrics")
    assert "spillway_test_pods 1.0" in first.text
    assert "spillway_test_pods 2.0" in second.text
