"""The server's side of a WebSocket on a connection that was taken over.

https://datatracker.ietf.org/doc/html/rfc6455
"""

from collections.abc import AsyncIterator
from http import HTTPStatus

from app.local.cluster.streams.kubelets import SWITCHING, Reply
from app.local.cluster.streams.pipes import Pipe
from app.local.cluster.streams.upgrading import UpgradeRequest
from app.streaming.websocket import Piece, Side, WebSocketError, WebSocketSession, accept


class WebSocket:
    """An open WebSocket; `pieces` are one task's, `send` is anybody's."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._session = WebSocketSession(Side.SERVER)

    async def pieces(self) -> AsyncIterator[Piece]:
        """What the client sends, until it says farewell, goes away, or breaks the protocol."""
        while not self._session.closed and (data := await self._pipe.read()):
            try:
                found = self._session.receive(data)
            except WebSocketError:
                await self._flush()
                return
            await self._flush()
            for piece in found:
                yield piece

    async def send(self, message: bytes) -> None:
        """Send one binary message. Raises OSError where the client is gone, or has said farewell."""
        if self._session.closed:
            raise BrokenPipeError("the WebSocket is closed")
        self._session.send(message)
        await self._flush()

    async def close(self) -> None:
        """Say farewell, where that has not happened yet."""
        self._session.close()
        await self._flush()

    async def _flush(self) -> None:
        data = self._session.data_to_send()
        if data:
            await self._pipe.write(data)


async def accepted(request: UpgradeRequest, pipe: Pipe, *, protocol: str) -> WebSocket | None:
    """Finish the handshake with this subprotocol; None where the request is no WebSocket's, which is told."""
    answer = accept(request.method, request.target, request.headers, subprotocol=protocol)
    is_one = answer.status == SWITCHING
    reply = Reply(
        status=answer.status,
        reason=HTTPStatus(answer.status).phrase,
        headers=answer.headers,
        body=answer.text.encode(),
    )
    await pipe.write(reply.encoded())
    return WebSocket(pipe) if is_one else None
