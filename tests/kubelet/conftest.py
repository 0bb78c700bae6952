import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from prometheus_client import CollectorRegistry

from app.kubelet.connection import HttpLimits
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.server import KubeletConfig, KubeletServer
from tests.fakes import VirtualClock
from tests.kubelet.clients import Node
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serving(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def node(authority: trustme.CA, serving: ssl.SSLContext) -> AsyncIterator[Node]:
    """A server that lets in the API server's certificate, with a log of `shop/web-1`."""
    directory, streams, clock = FakeDirectory(), FakeLogStreams(), VirtualClock()
    directory.put()
    streams.write("pod/main/1", "one", "two")
    config = KubeletConfig(
        host="127.0.0.1",
        port=0,
        client_ca=authority.cert_pem.bytes().decode(),
        client_names=("kube-apiserver",),
        max_connections=3,
        http=HttpLimits(header_bytes=4096, idle_seconds=1.0),
    )
    registry = CollectorRegistry()
    server = KubeletServer(
        directory, streams, clock=clock, config=config, metrics=KubeletMetrics(registry), tls=serving
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
    )
    serve.cancel()
    await asyncio.gather(serve, return_exceptions=True)
