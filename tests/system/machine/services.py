"""Services that lead to the machine's pods: what cluster DNS and kube-proxy do, as an HTTP proxy (CONNECT).

The API server and kube-scheduler find it by HTTPS_PROXY, as Go's programs do; loopback they reach without it.
So `https://NAME.NAMESPACE.svc:PORT` stays as it is written, and TLS is verified for that name.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from app.local.loopback import LOOPBACK
from app.ports.failures import NotFound
from app.timing.waiting import cancelled
from tests.system.machine.cluster import Cluster, Json


class Services:
    """The proxy; it has an address from the start, and leads somewhere once it knows a cluster."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self._turn = itertools.count()
        self._open: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The time in which it serves; its URL."""
        server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        try:
            yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await cancelled(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._tunnel(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the caller went away, or the pod did, which the caller is told by the close below
        finally:
            self._open.discard(task)
            writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        place = await self._place(target) if method == "CONNECT" else None
        if place is None:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection(*place)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, far_writer))
                group.create_task(_copy(far_reader, writer))
        finally:
            far_writer.close()

    async def _place(self, target: str) -> tuple[str, int] | None:
        """Address and port of one of the Ready pods behind `NAME.NAMESPACE.svc:PORT`."""
        host, _, port = target.rpartition(":")
        name, namespace, suffix = host.split(".", 2)
        if self.cluster is None or suffix != "svc":
            return None
        try:
            service = await self.cluster.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        except NotFound:
            return None
        selector = ",".join(f"{key}={value}" for key, value in service["spec"]["selector"].items())
        ready = [each for each in await self.cluster.pods(labelSelector=selector) if _is_ready(each)]
        wanted = [each["targetPort"] for each in service["spec"]["ports"] if each["port"] == int(port)]
        if not ready or not wanted:
            return None
        pod = ready[next(self._turn) % len(ready)]
        return pod["status"]["podIP"], _port(pod, wanted[0])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return  # the other end is told by the close below
    finally:
        writer.close()


def _is_ready(pod: Json) -> bool:
    said = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return said.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def _port(pod: Json, target: int | str) -> int:
    (container,) = pod["spec"]["containers"]
    named = {each.get("name"): each["containerPort"] for each in container["ports"]}
    return int(named.get(target, target))
