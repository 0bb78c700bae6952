"""uvicorn's HTTP protocol, taught to give a connection away when its client asks to upgrade it.

uvicorn knows one upgrade, WebSocket into ASGI; it ignores SPDY, and hands nobody the raw connection.
https://datatracker.ietf.org/doc/html/rfc9110#name-upgrade
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from app.local.cluster.streams.pipes import Pipe
from app.serving.bounded import BoundedHttp


class UpgradeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request with `Connection: Upgrade`.

    `target` is path and query as they came; header names are in lower case; `client` is the peer's address.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    client: str = ""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """The first header of this name (in lower case); "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def words(self, name: str) -> tuple[str, ...]:
        """The comma-separated values of all headers of this name."""
        found = [word.strip() for key, value in self.headers if key == name for word in value.split(",")]
        return tuple(word for word in found if word)


Take = Callable[[UpgradeRequest, Pipe], None]
"""Called in the event loop with the head and the connection, whose owner the callee is from then on."""


class UpgradingHttp(BoundedHttp):
    """One connection, which is given away when a request wants to upgrade it and `wants` says so.

    A client must wait for the answer before it sends anything more, as SPDY's and WebSocket's clients do.
    """

    most_head = 1024 * 1024
    """As the API server, which is Go's: the command of an exec is in the request line."""

    wants: Callable[[str], bool]
    take: Take

    def _should_upgrade(self) -> bool:
        """What uvicorn asks once it has the head of a request with `Connection: Upgrade`."""
        path = self.url.partition(b"?")[0].decode("ascii", errors="replace")
        return self._get_upgrade() is not None and self.wants(path)

    def handle_websocket_upgrade(self) -> None:
        """What uvicorn calls then, whatever is upgraded to."""
        self._unset_alarm()
        self._arriving = False
        self.connections.discard(self)
        reader = asyncio.StreamReader(loop=self.loop)
        streams = asyncio.StreamReaderProtocol(reader, loop=self.loop)
        self.transport.set_protocol(streams)
        streams.connection_made(self.transport)
        writer = asyncio.StreamWriter(self.transport, streams, reader, self.loop)
        self.take(self._head(), Pipe(reader, writer))

    def _head(self) -> UpgradeRequest:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers)
        return UpgradeRequest(
            method=self.scope["method"],
            target=self.url.decode("latin-1"),
            headers=headers,
            client=self.client[0] if self.client else "",
        )


def upgrading(wants: Callable[[str], bool], take: Take) -> type[BoundedHttp]:
    """The protocol that gives connections for paths that `wants` accepts to `take`."""
    members: dict[str, Any] = {"wants": staticmethod(wants), "take": staticmethod(take)}
    return type("TakingHttp", (UpgradingHttp,), members)
