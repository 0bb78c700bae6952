"""WebSocket at work, as streams: numbered channels, or one long stream."""

from abc import abstractmethod
from collections.abc import Collection, Iterable
from typing import Final

from app.streaming.connections.allowance import Allowance
from app.streaming.connections.connection import LINGER_SECONDS, PIECE_BYTES, Connection
from app.streaming.connections.inbox import Inbox
from app.streaming.transport import ConnectionEnded, Duplex
from app.streaming.websocket import Piece, Side, WebSocketError, WebSocketSession

CLOSE_SIGNAL: Final = 255
"""In place of a channel's number: the byte behind it names a channel that its sender is done with."""


class WebSocketConnection(Connection):
    """What every use of a WebSocket has in common; subclasses know what messages mean."""

    def __init__(
        self,
        duplex: Duplex,
        side: Side,
        *,
        allowance: Allowance | None = None,
        linger: float = LINGER_SECONDS,
    ) -> None:
        super().__init__(duplex, allowance=allowance, linger=linger)
        self._session = WebSocketSession(side)

    async def send(self, message: bytes) -> None:
        """Send a binary message; returns when the peer keeps up. Raises ConnectionEnded."""
        await self._outbox.room()
        self._session.send(message)
        self._put()

    def _receive(self, data: bytes) -> bool:
        for piece in self._session.receive(data):
            self._take(piece)
        return not self._session.closed

    @abstractmethod
    def _take(self, piece: Piece) -> None:
        """Take what came in. Raises ProtocolViolation."""

    def _data_to_send(self) -> bytes:
        return self._session.data_to_send()

    def _ping(self) -> None:
        self._session.ping()

    def _finish(self) -> None:
        self._session.close()


class Channel:
    """A channel of a connection (`app.streaming.transport.Stream`)."""

    def __init__(self, connection: "ChannelConnection", number: int) -> None:
        self._connection = connection
        self._number = number
        self._open = True
        self.inbox = Inbox(connection.holding)

    async def read(self) -> bytes:
        """What the peer sends next; empty once it said that nothing more comes. Raises ConnectionEnded."""
        return await self.inbox.get()

    async def write(self, data: bytes) -> None:
        """Send, an empty message too; returns when the peer keeps up. Raises ConnectionEnded."""
        for start in range(0, max(len(data), 1), PIECE_BYTES):
            if self._open:
                await self._connection.send(bytes([self._number]) + data[start : start + PIECE_BYTES])

    async def close(self) -> None:
        """Send no more; a second time is nothing. Raises ConnectionEnded."""
        if self._open:
            self._open = False
            await self._connection.closed(self._number)


class ChannelConnection(WebSocketConnection):
    """Messages whose first byte is the number of a channel.

    https://pkg.go.dev/k8s.io/apimachinery/pkg/util/httpstream/wsstream
    """

    def __init__(
        self,
        duplex: Duplex,
        side: Side,
        *,
        reads: Collection[int],
        half_close: bool = False,
        allowance: Allowance | None = None,
        linger: float = LINGER_SECONDS,
    ) -> None:
        """`run` or `serve` has to run for anything to happen.

        Args:
            duplex: what it is spoken over, behind the handshake.
            side: clients tell when they close a channel.
            reads: the channels that are read; whatever comes on others is dropped.
            half_close: whether there is a signal for a channel that its sender is done with.
            allowance: for what is held of it, with others; one of its own where none is given.
            linger: seconds that a peer which has got everything may take to close.
        """
        super().__init__(duplex, side, allowance=allowance, linger=linger)
        self._reads = {number: Channel(self, number) for number in reads}
        self._others: dict[int, Channel] = {}
        self._half_close = half_close
        self._tells_close = half_close and side is Side.CLIENT
        self._current: int | None = None

    def channel(self, number: int) -> Channel:
        """The channel of that number."""
        return self._reads.get(number) or self._others.setdefault(number, Channel(self, number))

    async def closed(self, number: int) -> None:
        """Tell the peer, where it wants to know, that a channel is closed."""
        if self._tells_close:
            await self.send(bytes([CLOSE_SIGNAL, number]))

    def _take(self, piece: Piece) -> None:
        data = piece.data
        if piece.first:
            self._current = None
        if self._current is None:
            if not data:
                return
            self._current, data = data[0], data[1:]
        if self._half_close and self._current == CLOSE_SIGNAL:
            self._close(data)
        elif self._current in self._reads:
            self._reads[self._current].inbox.put(data)

    def _close(self, data: bytes) -> None:
        if len(data) != 1:
            raise WebSocketError("a signal to close names one channel")
        if data[0] in self._reads:
            self._reads[data[0]].inbox.end()

    def _inboxes(self) -> Iterable[Inbox]:
        return [channel.inbox for channel in self._reads.values()]


class Tunnel(WebSocketConnection):
    """Raw bytes in binary messages, wherever those begin and end (`app.streaming.transport.Duplex`)."""

    def __init__(
        self,
        duplex: Duplex,
        side: Side,
        *,
        allowance: Allowance | None = None,
        linger: float = LINGER_SECONDS,
    ) -> None:
        super().__init__(duplex, side, allowance=allowance, linger=linger)
        self._inbox = Inbox(self.holding)

    async def read(self) -> bytes:
        """What the peer sends next; empty at the end, however it came about."""
        try:
            return await self._inbox.get()
        except ConnectionEnded:
            return b""

    async def write(self, data: bytes) -> None:
        """Send; returns when the peer keeps up. Raises ConnectionEnded."""
        for start in range(0, len(data), PIECE_BYTES):
            await self.send(data[start : start + PIECE_BYTES])

    def _take(self, piece: Piece) -> None:
        self._inbox.put(piece.data)

    def _inboxes(self) -> Iterable[Inbox]:
        return [self._inbox]
