"""Clients of streams: raw ones that say each header, and WebSockets."""

import base64
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.conformance.servers import ApiServer
from tests.conformance.streaming_kubelets import SPDY, Head, read_head


@dataclass(frozen=True, slots=True)
class Way:
    """Where the API server is, whom to trust, and who asks."""

    host: str
    port: int
    trust: ssl.SSLContext
    authorization: str


def way_to(api: ApiServer) -> Way:
    config = json.loads(api.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    url = urlsplit(cluster["server"])
    assert url.hostname is not None
    assert url.port is not None
    token = config["users"][0]["user"]["token"]
    return Way(url.hostname, url.port, ssl.create_default_context(cadata=authority), f"Bearer {token}")


@dataclass(frozen=True, slots=True)
class Raw:
    """A connection, and the head of the answer on it."""

    connection: ssl.SSLSocket
    head: Head

    def body(self) -> bytes:
        length = int(self.head.one("content-length"))
        data = b""
        while len(data) < length:
            data += self.connection.recv(length - len(data))
        return data


@dataclass(slots=True)
class Messages:
    """A WebSocket, and the answer that its handshake got."""

    raw: Raw
    protocol: ClientProtocol
    frames: list[Frame] = field(default_factory=list)

    def send(self, message: bytes) -> None:
        self.protocol.send_binary(message)
        self.raw.connection.sendall(b"".join(self.protocol.data_to_send()))

    def receive(self) -> bytes:
        """The next message; where the server says farewell, an assertion fails."""
        while not self.frames:
            data = self.raw.connection.recv(65_536)
            assert data, "the connection ended"
            self.protocol.receive_data(data)
            self.frames += [each for each in self.protocol.events_received() if isinstance(each, Frame)]
        frame = self.frames.pop(0)
        assert frame.opcode is Opcode.BINARY, frame
        return bytes(frame.data)

    def rest(self) -> list[bytes]:
        """Every message until the server says farewell, or closes the connection."""
        found = []
        while data := self.raw.connection.recv(65_536):
            self.protocol.receive_data(data)
            frames = [each for each in self.protocol.events_received() if isinstance(each, Frame)]
            found += [bytes(each.data) for each in frames if each.opcode is Opcode.BINARY]
            if any(each.opcode is Opcode.CLOSE for each in frames):
                break
        return found


@contextmanager
def upgraded(
    api: ApiServer, path: str, *headers: str, method: str = "POST", token: str = "", to: str = SPDY
) -> Iterator[Raw]:
    """Ask for an upgrade, as the header lines say."""
    way = way_to(api)
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {way.host}:{way.port}",
        f"Authorization: {'Bearer ' + token if token else way.authorization}",
        "Connection: Upgrade",
        f"Upgrade: {to}",
        "User-Agent: conformance/1",
        *headers,
        "",
        "",
    ]
    with (
        socket.create_connection((way.host, way.port), timeout=20) as plain,
        way.trust.wrap_socket(plain, server_hostname=way.host) as connection,
    ):
        connection.sendall("\r\n".join(lines).encode())
        yield Raw(connection, read_head(connection))


@contextmanager
def web_socket(api: ApiServer, path: str, subprotocol: str) -> Iterator[Messages]:
    """Open a WebSocket with one subprotocol, which may be one that is no token, as Kubernetes' tunnel is."""
    headers = (
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Sec-WebSocket-Protocol: {subprotocol}",
    )
    protocol = ClientProtocol(parse_uri("wss://localhost"), state=State.OPEN, max_size=None)
    with upgraded(api, path, *headers, method="GET", to="websocket") as raw:
        yield Messages(raw, protocol)
