"""The three probes behind one port, each bounded in time (app.ports.probes.Probes)."""

import asyncio
from collections.abc import Mapping

import aiohttp

from app.ports.probes import Answer, Probes
from app.probing import grpc, http, tcp


class NetworkProbes(Probes):
    """Probes over this machine's network; each on a connection of its own, as a kubelet's."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Give back what is held."""
        if self._session is not None:
            await self._session.close()

    async def http(self, url: str, *, headers: Mapping[str, str], within: float) -> Answer:
        """GET; a status from 200 to 399 is a success, certificates are not checked."""
        try:
            async with asyncio.timeout(within):
                return await http.get(self._open(), url, headers)
        except TimeoutError:
            return http.late(url)

    async def tcp(self, host: str, port: int, *, within: float) -> Answer:
        """A connection that stands is a success."""
        try:
            async with asyncio.timeout(within):
                return await tcp.connect(host, port)
        except TimeoutError:
            return tcp.late(host, port)

    async def grpc(self, host: str, port: int, *, service: str, within: float) -> Answer:
        """grpc.health.v1.Health/Check without TLS; SERVING is a success."""
        try:
            async with asyncio.timeout(within):
                return await grpc.check(host, port, service)
        except TimeoutError:
            return grpc.late(host, port, within)

    def _open(self) -> aiohttp.ClientSession:
        """The session, opened in the loop that uses it; no proxy stands between us and a task."""
        if self._session is None:
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        return self._session
