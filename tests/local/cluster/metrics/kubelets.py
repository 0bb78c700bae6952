"""A kubelet that answers /metrics/resource, over TLS on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.log_proxy import KubeletTls
from app.local.http_client import loopback_tls
from app.local.leaves import write_leaf
from app.tls.authority import Authority
from tests.fakes import VirtualClock


class Measured:
    """What the kubelet says; the test changes it."""

    def __init__(self) -> None:
        self.text = ""
        self.status = "200 OK"
        self.port = 0
        self.rounds = asyncio.Semaphore(0)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.text)}\r\nConnection: close\r\n\r\n"
        writer.write((head + self.text).encode())
        await writer.drain()
        writer.close()
        self.rounds.release()


@asynccontextmanager
async def measuring(authority: Authority, clock: VirtualClock, folder: Path) -> AsyncIterator[Measured]:
    leaf = authority.issue("kubelet", now=clock.now(), ips=("127.0.0.1",), server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_leaf(folder, "kubelet", leaf))
    measured = Measured()
    server = await asyncio.start_server(measured.answer, "127.0.0.1", 0, ssl=context)
    measured.port = server.sockets[0].getsockname()[1]
    try:
        yield measured
    finally:
        server.close()
        await server.wait_closed()


def said(seconds: float, *, cpu: float, pod: str = "web") -> str:
    """A node and a pod, so many seconds after some moment."""
    labels = f'{{container="main",namespace="default",pod="{pod}"}}'
    at = int(1_700_000_000_000 + seconds * 1000)
    return (
        f"node_cpu_usage_seconds_total {cpu} {at}\nnode_memory_working_set_bytes 2097152 {at}\n"
        f"container_start_time_seconds{labels} 1600000000\n"
        f"container_cpu_usage_seconds_total{labels} {cpu} {at}\n"
        f"container_memory_working_set_bytes{labels} 1000 {at}\n"
    )


async def add_node(api: Api, name: str, port: int) -> None:
    """A node; without a port it has no kubelet."""
    status: dict[str, Any] = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "allocatable": {"cpu": "1", "memory": "8Mi"},
    }
    if port:
        status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": port}}
    await api.create("nodes", "", {"metadata": {"name": name}, "status": status})


async def add_pod(api: Api, name: str = "web", phase: str = "Running") -> None:
    """A pod on the node `virtual`."""
    spec = {"nodeName": "virtual", "containers": [{"name": "main", "image": "app:1"}]}
    await api.create("pods", "default", {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
    await api.patch("pods", "default", name, {"status": {"phase": phase}}, kind="merge", subresource="status")


def trusting(authority: Authority) -> KubeletTls:
    tls = loopback_tls(authority.cert_pem)
    return KubeletTls(verified=tls, unverified=tls)
