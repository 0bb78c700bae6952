"""A WebSocket as a session sees it, over the library `websockets`."""

from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from app.model.address import is_loopback
from app.ports.failures import Unavailable

_MOST_MESSAGE: Final = 1 << 20
_OPEN_WITHIN: Final = 10.0
_CLOSE_WITHIN: Final = 2.0


class LostError(Exception):
    """The connection is gone; the session may go on over another."""


class Socket(Protocol):
    """One connection."""

    async def receive(self) -> str | bytes:
        """The next message. Raises LostError at the connection's end."""
        ...

    async def send(self, message: str | bytes) -> None:
        """Returns when the peer keeps up. Raises LostError."""
        ...

    async def ping(self) -> None:
        """Returns once the peer has answered. Raises LostError."""
        ...

    async def close(self) -> None:
        """Raises nothing."""
        ...


class WebSocket(Socket):
    """`Socket` over one client connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes:
        """As the port."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise LostError(str(error)) from error

    async def send(self, message: str | bytes) -> None:
        """As the port."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise LostError(str(error)) from error

    async def ping(self) -> None:
        """As the port."""
        try:
            await (await self._connection.ping())
        except ConnectionClosed as error:
            raise LostError(str(error)) from error

    async def close(self) -> None:
        """As the port."""
        await self._connection.close()


async def dial(url: str) -> Socket:
    """Connect to a stream's URL, through the environment's proxy where there is one.

    Raises:
        Unavailable: nobody answers there, or it is no place that a session's content may go to in the clear.
    """
    parts = urlsplit(url)
    is_local = is_loopback(parts.hostname or "")
    if parts.scheme != "wss" and not is_local:
        raise Unavailable(f"the session's stream at {parts.hostname} is not encrypted; it is not opened")
    try:
        connection = await connect(
            url,
            # A proxy that the environment names cannot reach this machine's own loopback.
            proxy=None if is_local else True,
            compression=None,
            # The session pings, by its own clock.
            ping_interval=None,
            max_size=_MOST_MESSAGE,
            open_timeout=_OPEN_WITHIN,
            close_timeout=_CLOSE_WITHIN,
        )
    except (OSError, InvalidHandshake, InvalidURI) as error:
        message = (
            f"Session Manager does not answer at {parts.hostname} ({type(error).__name__}: {error}); "
            "let the bridge reach ssmmessages, through NAT or a VPC endpoint"
        )
        raise Unavailable(message) from error
    return WebSocket(connection)
