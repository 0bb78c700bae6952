"""Port-forward's tunnel: SPDY inside the binary messages of a WebSocket, unwrapped for the kubelet.

https://kubernetes.io/blog/2024/08/20/websockets-transition/
"""

import re
import ssl
from typing import Final

from app.local.cluster.streams.kubelets import SWITCHING
from app.local.cluster.streams.locations import Location
from app.local.cluster.streams.passing import forwarded, upgraded
from app.local.cluster.streams.pipes import Pipe, relay
from app.local.cluster.streams.upgrading import UpgradeRequest
from app.local.cluster.streams.web_sockets import WebSocket, accepted

SPDY: Final = "SPDY/3.1"
TUNNEL: Final = re.compile(r"SPDY/3\.1\+(.*\.k8s\.io)")
VERSION: Final = "x-stream-protocol-version"
_WEB_SOCKET: Final = frozenset(
    {"sec-websocket-protocol", "sec-websocket-key", "sec-websocket-version", "upgrade", VERSION}
)


class _Messages:
    """A WebSocket as bytes: each write is a message."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._pieces = socket.pieces()

    async def read(self) -> bytes:
        async for piece in self._pieces:
            if piece.data:
                return piece.data
        return b""

    async def write(self, data: bytes) -> None:
        await self._socket.send(data)


async def tunnel(request: UpgradeRequest, client: Pipe, location: Location, tls: ssl.SSLContext) -> None:
    """Ask the kubelet for SPDY; only where it agrees, the client gets its WebSocket.

    Raises:
        ApiError: 500 where the kubelet cannot be reached, or answers with neither an upgrade nor an error.
    """
    reply, kubelet = await upgraded(location, tls, method="POST", headers=_as_spdy(request))
    try:
        if reply.status != SWITCHING:
            await client.write(reply.encoded())
            return
        socket = await accepted(request, client, protocol=f"{SPDY}+{reply.header(VERSION)}")
        if socket is not None:
            await relay(_Messages(socket), kubelet)
            await socket.close()
    finally:
        kubelet.close()


def _as_spdy(request: UpgradeRequest) -> list[tuple[str, str]]:
    found = [TUNNEL.fullmatch(each) for each in request.words("sec-websocket-protocol")]
    headers = [pair for pair in forwarded(request) if pair[0] not in _WEB_SOCKET]
    return [*headers, ("upgrade", SPDY), *((VERSION, match[1]) for match in found if match)]
