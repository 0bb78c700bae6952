"""The node's HTTPS server: who may connect, how many, and which part answers."""

import asyncio
import contextlib
import socket
import ssl
from http import HTTPStatus
from typing import Final, assert_never

import msgspec

from app.kubelet.connection import HttpConnection, HttpLimits
from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.messages import Answer, Request, StreamedAnswer
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.routing import ContainerLogsRoute, HealthzRoute, Route, name_of, route
from app.model.address import is_loopback
from app.ports.clock import Clock
from app.ports.logs import LogDirectory, LogStreams
from app.telemetry import logs

HANDSHAKE_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 2.0
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds until the first probe and between probes, and how many; where the system has such options."""

log = logs.get(__name__)


class KubeletConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the node's API is served.

    Attributes:
        host: the address to listen on.
        port: the port, which the Node's `daemonEndpoints` names; 0 takes a free one.
        client_ca: PEM of the authorities whose client certificates are let in (the API server's
            `--kubelet-client-certificate`; `client-ca-file` in the ConfigMap
            `kube-system/extension-apiserver-authentication`).
        client_names: common names that are let in; any that the authorities signed where empty.
        anonymous_loopback_only: without `client_ca`, serve anybody on this machine's loopback.
        max_connections: further ones are closed at once.
        http: limits of one connection.
        logs: how logs are followed.
    """

    host: str = "0.0.0.0"
    port: int = 10250
    client_ca: str = ""
    client_names: tuple[str, ...] = ()
    anonymous_loopback_only: bool = False
    max_connections: int = 1000
    http: HttpLimits = HttpLimits()
    logs: LogConfig = LogConfig()


class OpenToAnybody(ValueError):
    """The configuration would serve logs to whoever connects."""


class KubeletServer:
    """`/containerLogs` and `/healthz` over TLS."""

    def __init__(
        self,
        directory: LogDirectory,
        streams: LogStreams,
        *,
        clock: Clock,
        config: KubeletConfig,
        metrics: KubeletMetrics,
        tls: ssl.SSLContext,
    ) -> None:
        """Nothing listens before `start`.

        Args:
            directory: finds containers' logs.
            streams: reads them.
            clock: time.
            config: where to listen, and to whom.
            metrics: what is counted.
            tls: a server-side context with the serving certificate; load a renewed chain into the same one.

        Raises:
            OpenToAnybody: neither client certificates nor the loopback alone were asked for.
        """
        _check(config)
        self._config = config
        self._requests = metrics.requests
        self._tls = tls
        self._logs = ContainerLogs(directory, streams, clock=clock, config=config.logs)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        if self._server is None:
            raise RuntimeError("the kubelet API has no port before it is started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises OSError where the address is taken, ssl.SSLError where `client_ca` is no PEM."""
        if self._config.client_ca:
            self._tls.load_verify_locations(cadata=self._config.client_ca)
            self._tls.verify_mode = ssl.CERT_REQUIRED
        self._server = await asyncio.start_server(
            self._connected,
            self._config.host,
            self._config.port,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=GOODBYE_SECONDS,
        )
        log.info("kubelet API listens", host=self._config.host, port=self.port)

    async def serve(self) -> None:
        """Serve until cancelled, then close every connection; starts first where nobody did."""
        if self._server is None:
            await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Listen no more, and end every answer under way."""
        if self._server is None:
            return
        self._server.close()
        open_now = list(self._connections)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self._config.max_connections:
            log.warning("kubelet API is full", connections=len(self._connections))
            writer.transport.abort()
            return
        # A task of our own: asyncio's would report our cancelling it as an error.
        task = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep_alive(writer)
        connection = HttpConnection(reader, writer, handler=self._answer, limits=self._config.http)
        try:
            await connection.serve()
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            log.debug("connection broke while closing", reason=repr(error))
        finally:
            cut_off(writer.transport)

    async def _answer(self, request: Request) -> Answer | StreamedAnswer:
        found = route(request.method, request.target)
        answer = await self._answer_to(found, request)
        status = answer.status if isinstance(answer, Answer) else HTTPStatus.OK
        self._requests.labels(name_of(found), str(int(status))).inc()
        return answer

    async def _answer_to(self, found: Route | Answer, request: Request) -> Answer | StreamedAnswer:
        allowed = self._config.client_names
        if allowed and request.client not in allowed:
            text = f'client "{request.client}" may not use this API; the API server\'s certificate may'
            return Answer(status=HTTPStatus.FORBIDDEN, text=text)
        match found:
            case Answer():
                return found
            case HealthzRoute():
                return Answer(status=HTTPStatus.OK, text="ok")
            case ContainerLogsRoute():
                return await self._logs.answer(found)
            case _:
                assert_never(found)


def _check(config: KubeletConfig) -> None:
    if config.client_ca:
        return
    if not config.anonymous_loopback_only:
        raise OpenToAnybody(
            "the kubelet API would serve logs to anybody: set client_ca to the authority of the API server's "
            "kubelet client certificate"
        )
    if not is_loopback(config.host):
        raise OpenToAnybody(f"anonymous_loopback_only needs a loopback address, not {config.host}")


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
