import asyncio
from collections.abc import AsyncIterator

import pytest
import trustme
from prometheus_client import CollectorRegistry

from app.kubelet.access.access import Access, AccessConfig
from app.kubelet.connection import HttpLimits
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.server import KubeletConfig, KubeletServer
from app.tls.authority import Leaf
from app.tls.serving_context import ServingContext
from tests.fakes import VirtualClock
from tests.kubelet.access.fakes import FakeReviews
from tests.kubelet.clients import Node
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams
from tests.kubelet.whole import FakeContainers, resources


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serving(authority: trustme.CA) -> ServingContext:
    """A certificate for loopback; clients' certificates are of the same authority."""
    leaf = authority.issue_cert("127.0.0.1", common_name="node")
    context = ServingContext()
    context.present(Leaf(cert_pem=leaf.cert_chain_pems[0].bytes(), key_pem=leaf.private_key_pem.bytes()))
    context.trust(authority.cert_pem.bytes().decode())
    return context


@pytest.fixture
async def node(authority: trustme.CA, serving: ServingContext) -> AsyncIterator[Node]:
    """A server that lets the API server do everything, with a log of `shop/web-1`."""
    directory, streams, clock, reviews = FakeDirectory(), FakeLogStreams(), VirtualClock(), FakeReviews()
    containers = FakeContainers()
    directory.put()
    streams.write("pod/main/1", "one", "two")
    reviews.let("kube-apiserver")
    config = KubeletConfig(
        host="127.0.0.1",
        port=0,
        max_connections=3,
        max_uncertified=2,
        http=HttpLimits(
            header_bytes=4096, certified_header_bytes=8192, idle_seconds=1.0, newcomer_seconds=0.2
        ),
    )
    registry = CollectorRegistry()
    metrics = KubeletMetrics(registry)
    access = Access(
        reviews, node="fargate", clock=clock, config=AccessConfig(), metrics=metrics, pepper=b"pepper"
    )
    server = KubeletServer(
        resources(directory, streams, containers, clock=clock),
        access=access,
        clock=clock,
        config=config,
        metrics=metrics,
        tls=serving.listening,
    )
    await server.start()
    serve = asyncio.create_task(server.serve())
    yield Node(
        server=server,
        directory=directory,
        streams=streams,
        clock=clock,
        authority=authority,
        registry=registry,
        reviews=reviews,
        pods=containers.known,
        addresses=containers.addresses,
        tls=serving,
    )
    serve.cancel()
    await asyncio.gather(serve, return_exceptions=True)
