"""The node's HTTPS server: who may connect, how many, and which part answers."""

import asyncio
import contextlib
import socket
import ssl
from http import HTTPStatus
from typing import Final, assert_never

import msgspec

from app.kubelet.access.access import Access
from app.kubelet.client_certificate import is_certified
from app.kubelet.connection import HttpConnection, HttpLimits
from app.kubelet.doorway import BUFFER_BYTES, DoorConfig, Doorway, Seldom
from app.kubelet.messages import Answer, Request, StreamedAnswer, Upgrade
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.resources import Resources
from app.kubelet.routing import Route, name_of, route
from app.ports.clock import Clock
from app.telemetry import logs

_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds until the first probe and between probes, and how many; where the system has such options."""

log = logs.get(__name__)


class KubeletConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the node's API is served.

    Attributes:
        host: the address to listen on.
        port: the port, which the Node's `daemonEndpoints` names; 0 takes a free one.
        max_connections: further ones are closed at once.
        max_uncertified: of clients without a certificate, which show a token or nothing: they leave room for
            the API server.
        max_uncertified_of_one: of those, of one address.
        door: limits before TLS is spoken.
        http: limits of one connection.
    """

    host: str = "0.0.0.0"
    port: int = 10250
    max_connections: int = 1000
    max_uncertified: int = 200
    max_uncertified_of_one: int = 50
    door: DoorConfig = DoorConfig()
    http: HttpLimits = HttpLimits()


class KubeletServer:
    """One node's API over TLS: everybody proves who they are, and the cluster says what they may."""

    def __init__(
        self,
        resources: Resources,
        *,
        access: Access,
        clock: Clock,
        config: KubeletConfig,
        metrics: KubeletMetrics,
        tls: ssl.SSLContext,
    ) -> None:
        """Nothing listens before `start`.

        Args:
            resources: what is served.
            access: who may; asked before anything is looked for.
            clock: time.
            config: where to listen, and how much.
            metrics: what is counted.
            tls: a server-side context that verifies the client certificates that it is shown, as
                `app.tls.serving_context.ServingContext.listening` does.
        """
        self._config = config
        self._requests = metrics.requests
        self._access = access
        self._resources = resources
        self._doorway = Doorway(self._connected, tls=tls, clock=clock, config=config.door)
        self._seldom = Seldom(clock=clock)
        self._connections: set[asyncio.Task[None]] = set()
        self._uncertified: dict[asyncio.Task[None], str] = {}

    @property
    def port(self) -> int:
        """The port that is listened on. Raises RuntimeError before `start`."""
        return self._doorway.port

    async def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        self._doorway.open(self._config.host, self._config.port)
        log.info("kubelet API listens", host=self._config.host, port=self.port)

    async def serve(self) -> None:
        """Serve until cancelled, then close every connection; `start` comes first."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Listen no more, and end every answer under way."""
        await self._doorway.close()
        open_now = list(self._connections)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certified, address = is_certified(writer), _address(writer)
        if self._is_full(address, certified=certified):
            self._seldom.warn(
                "kubelet API is full",
                connections=len(self._connections),
                certified=certified,
                address=address,
            )
            writer.transport.abort()
            return
        # A task of our own: asyncio's would report our cancelling it as an error.
        task = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(task)
        if not certified:
            self._uncertified[task] = address
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._uncertified.pop(task, None)

    def _is_full(self, address: str, *, certified: bool) -> bool:
        if len(self._connections) >= self._config.max_connections:
            return True
        if certified:
            return False
        of_one = sum(each == address for each in self._uncertified.values())
        return (
            len(self._uncertified) >= self._config.max_uncertified
            or of_one >= self._config.max_uncertified_of_one
        )

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep_alive(writer)
        # TLS would hold half a megabyte for a client that reads slowly.
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        connection = HttpConnection(reader, writer, handler=self._answer, limits=self._config.http)
        try:
            await connection.serve()
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            log.debug("connection broke while closing", reason=repr(error))
        finally:
            cut_off(writer.transport)

    async def _answer(self, request: Request) -> Answer | StreamedAnswer | Upgrade:
        found = route(request.method, request.target)
        answer = await self._answer_to(found, request)
        self._requests.labels(name_of(found), str(_status(answer))).inc()
        return answer

    async def _answer_to(self, found: Route | Answer, request: Request) -> Answer | StreamedAnswer | Upgrade:
        # As the kubelet: who may not does not hear what there is, either.
        refusal = await self._access.refusal(request)
        if refusal is not None:
            return refusal
        return found if isinstance(found, Answer) else await self._resources.answer(found, request)


def _status(answer: Answer | StreamedAnswer | Upgrade) -> int:
    match answer:
        case Answer():
            return int(answer.status)
        case StreamedAnswer():
            return int(HTTPStatus.OK)
        case Upgrade():
            return int(HTTPStatus.SWITCHING_PROTOCOLS)
        case _:
            assert_never(answer)


def _address(writer: asyncio.StreamWriter) -> str:
    # None of a connection that its peer has broken already.
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    # A follower of a silent log is heard of again only by this.
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def cut_off(transport: asyncio.BaseTransport) -> None:
    """Abort the connection, whatever is left of it.

    In early releases of CPython 3.11 (Debian 12 has 3.11.2) a TLS transport that has lost its connection
    raises AttributeError instead: there is nothing left to abort.
    """
    if isinstance(transport, asyncio.WriteTransport):
        with contextlib.suppress(AttributeError):
            transport.abort()
