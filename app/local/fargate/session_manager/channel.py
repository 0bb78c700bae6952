"""Data channels: the WebSockets over which clients reach their sessions."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.local.fargate.session_manager import messages
from app.local.fargate.session_manager.manager import PATH, ROLE, SessionManager
from app.local.fargate.session_manager.session import POLICY_VIOLATION, Session
from app.local.fargate.session_manager.violation import Violation

_MOST_WAITING: Final = 512
"""Messages that may wait for a client that does not read, before nothing more is read of it."""

_LONGEST_REASON: Final = 120
"""A close frame holds 123 bytes of it (RFC 6455, 5.5)."""


@dataclass(frozen=True, kw_only=True)
class DataChannels:
    """The route; `hang_up` breaks a client's connection off, given by its address."""

    manager: SessionManager
    hang_up: Callable[[tuple[str, int]], None]

    def routes(self) -> tuple[WebSocketRoute, ...]:
        """The path below the server's."""
        return (WebSocketRoute(PATH + "/{session}", self.serve),)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its first message, which says whose it is."""
        if socket.query_params.get("role") != ROLE:
            await socket.close()  # before it was accepted: 403
            return
        await socket.accept()
        line = _Line(socket, self.hang_up)
        sending = asyncio.get_running_loop().create_task(line.run())
        try:
            session = await self._session(socket, line)
            if session is not None:
                await _pass_on(socket, session, line)
        finally:
            if not line.is_closing:
                sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending

    async def _session(self, socket: WebSocket, line: "_Line") -> Session | None:
        message = await socket.receive()
        try:
            if message["type"] == "websocket.disconnect":
                return None
            opening = messages.opening_of(message.get("text"))
            return self.manager.connect(socket.path_params["session"], opening.token_value)
        except Violation as violation:
            line.close(POLICY_VIOLATION, str(violation))
            return None


async def _pass_on(socket: WebSocket, session: Session, line: "_Line") -> None:
    session.attach(line)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:
                session.violate("a message after the first one is text")
            elif not line.is_closing:
                session.received(data)
            await line.room()
    finally:
        session.detach(line)


class _Line:
    """What is sent over one connection, in order (`correspondence.Line`)."""

    def __init__(self, socket: WebSocket, hang_up: Callable[[tuple[str, int]], None]) -> None:
        self._socket = socket
        self._hang_up = hang_up
        self._waiting: asyncio.Queue[bytes | tuple[int, str] | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self.is_closing = False

    def send(self, data: bytes) -> None:
        if not self.is_closing:
            self._waiting.put_nowait(data)
            if self._waiting.qsize() >= _MOST_WAITING:
                self._room.clear()

    def close(self, code: int, reason: str) -> None:
        if not self.is_closing:
            self.is_closing = True
            self._room.set()
            self._waiting.put_nowait((code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore")))

    def hang_up(self) -> None:
        self.is_closing = True
        self._room.set()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)
        client = self._socket.client
        if client is not None:
            self._hang_up((client.host, client.port))

    async def room(self) -> None:
        """Wait while too much waits."""
        await self._room.wait()

    async def run(self) -> None:
        """Send until it is closed, by either side."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client has gone away
            while True:
                match await self._waiting.get():
                    case bytes() as data:
                        await self._socket.send_bytes(data)
                    case (code, reason):
                        await self._socket.close(code, reason)
                        return
                    case None:
                        return
                if self._waiting.empty():
                    self._room.set()
        self.is_closing = True
        self._room.set()
