"""Watches of what a cluster may not have: Karpenter's claims, and cluster-autoscaler's status."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from app.kube.connection import connect
from app.kube.optional import OptionalWatch
from app.kube.watch_events import W
from app.wiring import kubernetes
from tests.conformance.servers import ApiServer, Json, WallClock, a_config_map
from tests.extender.cluster.bodies import CLAIM, PROVIDER, YAML

STATUSES = "/api/v1/namespaces/kube-system/configmaps"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "cluster-autoscaler-status"

DEFINITION: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "nodeclaims.karpenter.sh"},
    "spec": {
        "group": "karpenter.sh",
        "names": {
            "kind": "NodeClaim",
            "listKind": "NodeClaimList",
            "plural": "nodeclaims",
            "singular": "nodeclaim",
        },
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


@asynccontextmanager
async def parts(api: ApiServer) -> AsyncIterator[kubernetes.Parts]:
    clock = WallClock()
    connection = await connect(kubeconfig=str(api.kubeconfig), clock=clock, environ={})
    try:
        yield kubernetes.parts(connection, clock=clock, component="test")
    finally:
        await connection.close()


@asynccontextmanager
async def running(watch: OptionalWatch[W]) -> AsyncIterator[asyncio.Queue[tuple[W | None, W | None]]]:
    """The watch at work, its first look over; what it tells."""
    heard: asyncio.Queue[tuple[W | None, W | None]] = asyncio.Queue()
    watch.on_change(lambda before, after: heard.put_nowait((before, after)))
    task = asyncio.create_task(watch.run())
    await asyncio.wait_for(watch.synced(), 60)
    yield heard
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
def karpenter(api: ApiServer) -> Iterator[ApiServer]:
    """A server that has NodeClaims."""
    if api.get(DEFINITIONS).status_code == 404:
        pytest.skip("the embedded API server has no custom resources")
    assert api.post(DEFINITIONS, DEFINITION).status_code == 201
    api.until(CLAIMS)
    yield api
    api.delete(f"{DEFINITIONS}/nodeclaims.karpenter.sh")
    api.until(CLAIMS, status=404)


@pytest.fixture
def status(api: ApiServer) -> Iterator[ApiServer]:
    yield api
    api.delete(f"{STATUSES}/{NAME}")
    api.delete(f"{STATUSES}/another")


def test_a_cluster_without_karpenter_has_no_claims(api: ApiServer) -> None:
    async def look() -> None:
        async with parts(api) as made, running(made.watch_node_claims()) as heard:
            assert heard.empty()

    asyncio.run(look())


def test_claims_are_followed_as_karpenter_writes_them(karpenter: ApiServer) -> None:
    async def look() -> None:
        async with parts(karpenter) as made, running(made.watch_node_claims()) as heard:
            metadata = {"name": CLAIM["metadata"]["name"], "labels": CLAIM["metadata"]["labels"]}
            body = {**CLAIM, "metadata": metadata}
            posted = await asyncio.to_thread(karpenter.post, CLAIMS, body)
            assert posted.status_code == 201, posted.text
            _, made_now = await asyncio.wait_for(heard.get(), 60)
            path = f"{CLAIMS}/{metadata['name']}/status"
            await asyncio.to_thread(karpenter.patch, path, {"status": CLAIM["status"]})
            _, launched = await asyncio.wait_for(heard.get(), 60)
            await asyncio.to_thread(karpenter.delete, f"{CLAIMS}/{metadata['name']}")
            before, gone = await asyncio.wait_for(heard.get(), 60)
        assert made_now is not None
        assert made_now.metadata.creation_timestamp is not None
        assert (made_now.status.provider_id, made_now.stands("Launched")) == ("", "Unknown")
        assert launched is not None
        assert (launched.status.provider_id, launched.stands("Launched")) == (PROVIDER, "True")
        assert (before, gone) == (launched, None)

    asyncio.run(look())


def test_the_autoscalers_status_is_followed_and_no_other_configmap(status: ApiServer) -> None:
    async def look() -> None:
        async with parts(status) as made, running(made.watch_autoscaler_status()) as heard:
            assert heard.empty()
            await asyncio.to_thread(status.post, STATUSES, a_config_map("another", {"status": YAML}))
            await asyncio.to_thread(status.post, STATUSES, a_config_map(NAME, {"status": YAML}))
            _, found = await asyncio.wait_for(heard.get(), 60)
            assert heard.empty()
        assert found is not None
        assert (found.metadata.name, found.data["status"]) == (NAME, YAML)

    asyncio.run(look())
