"""The leaf of webhook and extender changes under a stream of requests, and none of them fails."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from cryptography import x509
from prometheus_client import CollectorRegistry

from app.serving.server import Listen, serve
from app.timing.waiting import cancelled
from app.tls import reload
from app.tls.authority import Authority, Leaf, expires
from app.tls.expiry import METRIC, CertificateExpiry
from app.webhook.server import WebhookConfig, build_app
from app.wiring.clock import SystemClock
from tests.builders import VIRTUAL, a_node, wire
from tests.extender.fakes import POD, Extender
from tests.serving.mounts import as_data, swap
from tests.webhook.fakes import a_manifest, a_review

ROTATIONS = 8
CLOCK = SystemClock()


class Program(NamedTuple):
    """A program's application, and a request that it answers with 200."""

    app: Any
    path: str
    body: bytes


def the_webhook() -> Program:
    app = build_app(WebhookConfig(), clock=CLOCK, registry=CollectorRegistry())
    return Program(app, "/mutate/enabled", json.dumps(a_review(a_manifest())).encode())


def the_extender() -> Program:
    args = {"Pod": wire(POD), "Nodes": None, "NodeNames": ["a", VIRTUAL]}
    return Program(Extender([a_node("a")]).app, "/filter", json.dumps(args).encode())


class Server:
    """A program that serves, its mounted Secret, and two CAs that its clients trust."""

    def __init__(self, directory: Path, program: Program) -> None:
        self.directory = directory
        self.program = program
        self.authorities = [Authority.create(f"ca-{each}", now=CLOCK.now()) for each in range(2)]
        self.registry = CollectorRegistry()
        self.port = 0
        self._swaps = 0

    def rotate(self) -> Leaf:
        """Another leaf, of the other CA, in the mounted files."""
        self._swaps += 1
        authority = self.authorities[self._swaps % 2]
        days = 30 + self._swaps
        leaf = authority.issue("server", now=CLOCK.now(), ips=("127.0.0.1",), server=True, days=days)
        swap(self.directory, str(self._swaps), as_data(leaf))
        return leaf

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        listen = Listen(
            host="127.0.0.1", port=0, cert=self.directory / "tls.crt", key=self.directory / "tls.key"
        )
        loaded = CertificateExpiry(self.registry).of("it")
        serving = asyncio.create_task(
            serve(self.program.app, listen, clock=CLOCK, started=port.set_result, loaded=loaded)
        )
        self.port = await port
        try:
            yield
        finally:
            await cancelled(serving)

    def trust(self) -> ssl.SSLContext:
        pem = b"".join(each.cert_pem for each in self.authorities)
        return ssl.create_default_context(cadata=pem.decode())

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}", verify=self.trust(), trust_env=False
        )

    async def ask(self, client: httpx.AsyncClient) -> int:
        return (await client.post(self.program.path, content=self.program.body)).status_code

    async def shown(self) -> int:
        """The serial number of the leaf that a new handshake shows."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust())
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        await writer.wait_closed()
        return x509.load_der_x509_certificate(der).serial_number

    async def until_shown(self, leaf: Leaf) -> None:
        wanted = serial(leaf)
        async with asyncio.timeout(30):
            while await self.shown() != wanted:
                await CLOCK.sleep(0.005)


def serial(leaf: Leaf) -> int:
    return x509.load_pem_x509_certificate(leaf.cert_pem).serial_number


@pytest.fixture(params=[the_webhook, the_extender])
async def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    monkeypatch.setattr(reload, "RELOAD_EVERY", 0.01)
    program: Callable[[], Program] = request.param
    made = Server(tmp_path / "tls", program())
    made.rotate()
    async with made.running():
        yield made


async def test_no_request_fails_while_the_leaf_changes_and_new_handshakes_get_the_new_one(
    server: Server,
) -> None:
    kept, fresh = [], []

    async def keep_alive() -> None:
        async with server.client() as client:
            while True:
                kept.append(await server.ask(client))

    async def connect_anew() -> None:
        while True:
            async with server.client() as client:
                fresh.append(await server.ask(client))

    streams = [asyncio.create_task(each()) for each in (keep_alive, connect_anew, connect_anew)]
    for _ in range(ROTATIONS):
        await server.until_shown(server.rotate())
    ended = [each for each in streams if each.done()]
    await cancelled(*streams)
    assert ended == []
    assert (set(kept), set(fresh)) == ({200}, {200})
    assert min(len(kept), len(fresh)) >= ROTATIONS


async def test_a_connection_that_is_open_stays_open(server: Server) -> None:
    async with server.client() as client:
        assert await server.ask(client) == 200
        (before,) = client._transport._pool.connections  # type: ignore[attr-defined]
        await server.until_shown(server.rotate())
        assert await server.ask(client) == 200
        assert client._transport._pool.connections == [before]  # type: ignore[attr-defined]


async def test_files_that_change_one_after_the_other_do_no_harm(server: Server) -> None:
    first = await server.shown()
    leaf = server.authorities[0].issue("server", now=CLOCK.now(), ips=("127.0.0.1",), server=True)
    (server.directory / "tls.crt").write_bytes(leaf.cert_pem)
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert await server.shown() == first
    (server.directory / "tls.key").write_bytes(leaf.key_pem)
    await server.until_shown(leaf)


async def test_the_end_of_the_leaf_that_is_served_is_a_metric_that_follows(server: Server) -> None:
    leaf = server.rotate()
    await server.until_shown(leaf)
    told = server.registry.get_sample_value(METRIC, {"certificate": "it", "node": ""})
    assert told == expires(leaf.cert_pem).timestamp()
