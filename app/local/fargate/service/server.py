"""A uvicorn server inside somebody else's event loop, which can also hang up on a client."""

import asyncio
import socket
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from app.serving.server import QuietServer, listening_socket

_KEEP_ALIVE: Final = 120
"""Seconds; botocore keeps idle connections and takes one that was closed under it for a lost answer."""

_LARGEST_MESSAGE: Final = 1 << 20
"""Bytes of one WebSocket message."""


class LoopbackServer:
    """Serves plain HTTP and WebSockets on one address; port 0 means any free one."""

    def __init__(self, *, host: str, port: int) -> None:
        self._address = (host, port)
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp) -> str:
        """Listen, and return the URL.

        Raises:
            OSError: the address is taken.
        """
        listener = listening_socket(*self._address)
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_level="warning",
            log_config=None,
            ws="websockets-sansio",
            ws_ping_interval=None,
            ws_max_size=_LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=[listener]))
        await self._server.ready.wait()
        host, port = listener.getsockname()[:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every connection and return when all is closed."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close the connection of the client with this address, whatever it waits for."""
        connections: set[Any] = self._server.server_state.connections if self._server else set()
        for connection in list(connections):
            if connection.client == client:
                connection.transport.close()


class _Server(QuietServer):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
