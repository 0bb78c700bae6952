"""Clients of the kubelet API over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trustme
from prometheus_client import CollectorRegistry

from app.kubelet.server import KubeletServer
from app.model.pod import Pod
from app.tls.serving_context import ServingContext
from tests.fakes import VirtualClock
from tests.kubelet.access.fakes import FakeReviews
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LOG = "/containerLogs/shop/web-1/main"


@dataclass(frozen=True)
class Node:
    """A running server and what it serves."""

    server: KubeletServer
    directory: FakeDirectory
    streams: FakeLogStreams
    clock: VirtualClock
    authority: trustme.CA
    registry: CollectorRegistry
    reviews: FakeReviews
    pods: list[Pod]
    addresses: list[str]
    tls: ServingContext

    def trusting(self, identity: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """A client's context that knows the server, and shows this certificate."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if identity is not None:
            identity.configure_cert(context)
        return context

    async def ask_as(
        self, context: ssl.SSLContext, target: str, *, method: str = "GET", token: str = ""
    ) -> str:
        """The whole answer to a client of this context, with this bearer token."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, ssl=context)
        shown = f"Authorization: Bearer {token}\r\n" if token else ""
        try:
            writer.write(
                f"{method} {target} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{shown}\r\n".encode()
            )
            return await rest(reader)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def health(self, context: ssl.SSLContext) -> str:
        """What the server says of its health to a client of this context."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, ssl=context)
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n")
            return await until(reader, "ok\n")
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def connected(self, common_name: str = "kube-apiserver") -> AsyncIterator[Streams]:
        """A connection with a client certificate of this name."""
        context = self.trusting(self.authority.issue_cert(common_name=common_name))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, ssl=context)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def ask(self, request: str, *, common_name: str = "kube-apiserver") -> str:
        """All that the server says to these bytes (Latin-1) before it closes."""
        async with self.connected(common_name) as (reader, writer):
            writer.write(request.encode("latin-1"))
            return await rest(reader)

    async def get(self, target: str, *, method: str = "GET", common_name: str = "kube-apiserver") -> str:
        """The whole answer to a request that asks to close."""
        request = f"{method} {target} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
        return await self.ask(request, common_name=common_name)


async def rest(reader: asyncio.StreamReader) -> str:
    """What comes until the end."""
    async with asyncio.timeout(30):
        return (await reader.read()).decode()


async def until(reader: asyncio.StreamReader, end: str) -> str:
    """What comes until these words."""
    async with asyncio.timeout(30):
        return (await reader.readuntil(end.encode())).decode()


def status_of(answer: str) -> int:
    """The status of the first answer."""
    return int(answer.split(" ", 2)[1])


async def comes_to_a_stand(count: Callable[[], int]) -> None:
    """Wait until it has not grown for a while; TimeoutError where it grows for ever."""
    async with asyncio.timeout(60):
        before = -1
        while count() != before:
            before = count()
            await asyncio.sleep(0.3)
