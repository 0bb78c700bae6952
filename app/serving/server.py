"""Serving an ASGI application over HTTP or HTTPS with uvicorn, and reloading its certificate in place."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import uvicorn

from app.ports.clock import Clock
from app.serving.bounded import BoundedHttp, bounded
from app.telemetry import logs
from app.tls.expiry import Loaded, unheard
from app.tls.reload import FilePair, into

KEEP_ALIVE: Final = 120
"""Seconds. Go clients (the scheduler, the API server) reuse idle connections for 90 s; closing earlier makes
their next request fail with EOF."""

_BACKLOG: Final = 2048

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen; HTTPS where a certificate is named.

    A client that asked within the last `linger` seconds may ask once more while the server stops.
    """

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None
    linger: float = 0.0


class QuietServer(uvicorn.Server):
    """uvicorn without signal handlers: the program's own decide when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


async def serve(
    app: Any,
    listen: Listen,
    *,
    clock: Clock,
    started: Callable[[int], None] | None = None,
    protocol: type[BoundedHttp] = BoundedHttp,
    loaded: Loaded = unheard,
) -> None:
    """Serve until cancelled, then finish the requests under way.

    Args:
        app: an ASGI application.
        listen: where; port 0 takes a free one.
        clock: paces the looks at the certificate.
        started: called once with the port when connections are accepted.
        protocol: how a connection is read, for a server that takes some of them over itself.
        loaded: hears of each certificate that is taken into service.

    Raises:
        OSError: the address cannot be listened on, or the certificate cannot be read.
    """
    config = uvicorn.Config(
        app,
        host=listen.host,
        port=listen.port,
        ssl_certfile=listen.cert,
        ssl_keyfile=listen.key,
        http=bounded(clock, silence=KEEP_ALIVE, protocol=protocol, linger=listen.linger),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        lifespan="auto",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    pair = _load(config, listen, loaded, now=clock.now())
    server = QuietServer(config)
    sockets = [listening_socket(listen.host, listen.port)]
    serving = asyncio.create_task(server.serve(sockets=sockets))
    reloading = asyncio.create_task(pair.run(clock)) if pair is not None else None
    try:
        _log.info("listening", host=listen.host, port=listen.port, https=listen.cert is not None)
        if started is not None:
            started(sockets[0].getsockname()[1])
        await asyncio.shield(serving)
    finally:
        if reloading is not None:
            reloading.cancel()
        server.should_exit = True
        await serving
        sockets[0].close()


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket. It names TCP, since asyncio turns Nagle's delay off only for those that do.

    uvicorn writes headers and body apart: with the delay, each answer on a kept connection takes 40 ms.

    Raises:
        OSError: the address cannot be listened on; it keeps its `errno`, and says which address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno, f"cannot listen on {host}:{port}: {error.strerror}; choose another"
        ) from error
    return listening


def _load(config: uvicorn.Config, listen: Listen, loaded: Loaded, *, now: datetime) -> FilePair | None:
    try:
        config.load()
        if config.ssl is None or listen.cert is None or listen.key is None:
            return None
        pair = FilePair(cert=listen.cert, key=listen.key, take_up=into(config.ssl, loaded=loaded))
        pair.look(now=now)
    except ssl.SSLError as error:
        files = f"{config.ssl_certfile} and {config.ssl_keyfile}"
        raise OSError(f"{files} are no certificate and its key in PEM form: {error}") from error
    return pair
