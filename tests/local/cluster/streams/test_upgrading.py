"""Connections that uvicorn gives away: the names of its methods that this rests on, and what follows them."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.local.cluster.apiserver.access import Denial
from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.local.leaves import write_leaf
from app.serving.bounded import ARRIVAL
from app.tls.authority import Authority
from tests.fakes import VirtualClock

EXEC = "/api/v1/namespaces/default/pods/web/exec?command=ls"


@pytest.fixture
def clock() -> VirtualClock:
    """Begins now: TLS compares certificates with the machine's own time."""
    return VirtualClock(datetime.now(tz=UTC))  # noqa: TID251  (see above)


@pytest.fixture
def authority(clock: VirtualClock) -> Authority:
    return Authority.create("tests", now=clock.now())


@pytest.fixture
async def cluster(clock: VirtualClock, authority: Authority) -> AsyncIterator[EmbeddedCluster]:
    numbers = itertools.count(1)
    made = EmbeddedCluster(
        ClusterConfig(token="secret", users={"other": {"username": "somebody", "groups": []}}),
        clock=clock,
        ids=lambda: f"uid-{next(numbers)}",
        authority=authority,
    )
    await made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def asked(
    cluster: EmbeddedCluster, path: str, *, method: str = "POST", by: str = "secret"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = cluster.kubeconfig()["clusters"][0]["cluster"]
    host, port = config["server"].removeprefix("https://").split(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {by}\r\n"
    writer.write(f"{head}Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n".encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_an_upgrade_that_nobody_wants_is_ignored(cluster: EmbeddedCluster) -> None:
    async with asked(cluster, "/healthz", method="GET") as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(2)

    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == b"ok"


async def test_a_refusal_closes_the_connection(cluster: EmbeddedCluster) -> None:
    async with asked(cluster, EXEC) as (reader, _):
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b'pods \\"web\\" not found' in answer


async def test_who_was_denied_gets_no_stream(cluster: EmbeddedCluster) -> None:
    cluster.access.deny(Denial(user="somebody", resource="pods/exec"))

    async with asked(cluster, EXEC, by="other") as (reader, _):
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b'cannot create resource \\"pods/exec\\"' in answer


async def test_a_method_that_streams_do_not_have_is_refused(cluster: EmbeddedCluster) -> None:
    async with asked(cluster, EXEC, method="PUT") as (reader, _):
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")


async def run_on(cluster: EmbeddedCluster, port: int) -> None:
    """A pod on a node whose kubelet listens there."""
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await cluster.api.create("nodes", "", {"metadata": {"name": "virtual"}, "status": status})
    spec = {"nodeName": "virtual", "containers": [{"name": "main", "image": "app:1"}]}
    await cluster.api.create("pods", "default", {"metadata": {"name": "web"}, "spec": spec})


async def echo(kubelet: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agree to whatever is asked, and send back what comes."""
    await kubelet.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
    while data := await kubelet.read(100):
        writer.write(data)
    writer.close()


async def test_a_stream_outlives_the_time_that_a_request_may_take(
    cluster: EmbeddedCluster, clock: VirtualClock, authority: Authority, tmp_path: Path
) -> None:
    leaf = authority.issue("kubelet", now=clock.now(), ips=("127.0.0.1",), server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_leaf(tmp_path, "kubelet", leaf))
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    await run_on(cluster, server.sockets[0].getsockname()[1])

    async with asked(cluster, EXEC) as (reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        await clock.advance(2 * ARRIVAL)
        writer.write(b"still here")
        answer = await reader.readexactly(10)

    server.close()
    await server.wait_closed()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert answer == b"still here"


async def test_a_stopping_cluster_ends_its_streams(cluster: EmbeddedCluster) -> None:
    asking = asyncio.Event()

    async def silent(kubelet: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asking.set()
        await kubelet.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    await run_on(cluster, server.sockets[0].getsockname()[1])

    async with asked(cluster, EXEC) as (reader, _):
        await asking.wait()
        await cluster.stop()
        answer = await reader.read()

    server.close()
    await server.wait_closed()
    assert answer == b""


def test_uvicorn_still_has_the_methods_that_are_replaced() -> None:
    assert callable(HttpToolsProtocol._should_upgrade)
    assert callable(HttpToolsProtocol._get_upgrade)
    assert callable(HttpToolsProtocol.handle_websocket_upgrade)
