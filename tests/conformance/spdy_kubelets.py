"""A kubelet's side of exec over SPDY, one step after the other."""

import ssl
from dataclasses import dataclass, field

from app.streaming.spdy.events import Event, Opened, Received
from app.streaming.spdy.session import Role, SpdySession
from tests.conformance.streaming_kubelets import Head, switching


@dataclass(slots=True)
class SpdyKubelet:
    """One connection after 101."""

    connection: ssl.SSLSocket
    session: SpdySession = field(default_factory=lambda: SpdySession(Role.SERVER))
    opened: dict[str, int] = field(default_factory=dict)
    received: dict[str, bytes] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def accept(self, count: int) -> None:
        """Accept this many streams."""
        while len(self.opened) < count:
            self._step()

    def until_ended(self, name: str) -> bytes:
        """Everything that comes on a stream."""
        while name not in self.ended:
            self._step()
        return self.received.get(name, b"")

    def until_closed(self, name: str) -> bytes:
        """Everything that comes on a stream until the API server closes the connection."""
        while self.step():
            pass
        return self.received.get(name, b"")

    def until_received(self, name: str, count: int) -> bytes:
        """What came on a stream, once it is so many bytes."""
        while len(self.received.get(name, b"")) < count:
            self._step()
        return self.received[name]

    def send(self, name: str, data: bytes, *, ended: bool = False) -> None:
        self.session.send(self.opened[name], data, ended=ended)
        self.flush()

    def step(self) -> bool:
        """Take what comes next; whether anything came."""
        data = self.connection.recv(65_536)
        for event in self.session.receive(data):
            self._hear(event)
        self.flush()
        return bool(data)

    def flush(self) -> None:
        self.connection.sendall(self.session.data_to_send())

    def _step(self) -> None:
        assert self.step(), "the API server closed the connection"

    def _hear(self, event: Event) -> None:
        if isinstance(event, Opened):
            self.opened[dict(event.headers)["streamtype"]] = event.stream
            self.session.reply(event.stream)
        if isinstance(event, Received):
            name = next(name for name, stream in self.opened.items() if stream == event.stream)
            self.received[name] = self.received.get(name, b"") + event.data
            self.ended |= {name} if event.ended else set()


def agreed(connection: ssl.SSLSocket, head: Head) -> SpdyKubelet:
    """Agree to the first version of the protocol that is offered."""
    chosen = head.all("x-stream-protocol-version")[0]
    connection.sendall(switching(f"X-Stream-Protocol-Version: {chosen}"))
    return SpdyKubelet(connection)
