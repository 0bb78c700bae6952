"""A kubelet of the test's own: it records how it is asked to upgrade a connection, and answers as told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conformance.servers import ApiServer, Json, WallClock, a_node, unique

SPDY = "SPDY/3.1"
FEATURE = "ExtendWebSocketsToKubelet"


@dataclass(frozen=True, slots=True)
class Head:
    """A request or an answer without its body; header names are in lower case."""

    first: str
    headers: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        return ", ".join(self.all(name))


Answer = Callable[[ssl.SSLSocket, Head], None]


@dataclass(slots=True)
class StreamingKubelet:
    """What it was asked, and what it does after it has read a request's head."""

    answer: Answer
    port: int = 0
    heads: list[Head] = field(default_factory=list)
    conversations: list[threading.Thread] = field(default_factory=list)

    def finish(self) -> None:
        """Wait until it has answered everything that came."""
        for each in self.conversations:
            each.join(timeout=20)
            assert not each.is_alive()


def read_head(connection: ssl.SSLSocket) -> Head:
    """Read up to the empty line, and not a byte further."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, f"the connection ended after {data!r}"
        data += byte
    first, *lines = data.decode("latin-1").strip().split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Head(first, tuple((name.lower(), value.strip()) for name, _, value in pairs))


def switching(*headers: str, upgrade: str = SPDY) -> bytes:
    """The head of an answer that agrees to upgrade."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {upgrade}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def streaming_kubelet(
    api: ApiServer, node: str, answer: Answer, folder: Path, *, features: tuple[str, ...] = ()
) -> Iterator[StreamingKubelet]:
    """Register a node whose kubelet the API server trusts."""
    kubelet = StreamingKubelet(answer)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kubelet.port = listening.getsockname()[1]
        context = _certified(api, folder)
        serving = threading.Thread(target=_serve, args=(kubelet, listening, context), daemon=True)
        serving.start()
        register(api, node, kubelet.port, features=features)
        yield kubelet
        listening.shutdown(socket.SHUT_RDWR)
    serving.join()


def register(api: ApiServer, node: str, port: int, *, features: tuple[str, ...] = ()) -> None:
    """A node whose kubelet listens on a port of loopback."""
    status: Json = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    if features:
        status["declaredFeatures"] = list(features)
    made = api.post("/api/v1/nodes", a_node(node, status=status))
    assert made.status_code == 201, made.text


def _certified(api: ApiServer, folder: Path) -> ssl.SSLContext:
    if api.authority is None:
        pytest.skip("the authority of this API server's kubelets is not ours")
    leaf = api.authority.issue("kubelet", now=WallClock().now(), ips=("127.0.0.1",), server=True)
    path = folder / f"{unique('kubelet')}.pem"
    path.write_bytes(leaf.cert_pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _serve(kubelet: StreamingKubelet, listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return  # the test is over
        talking = threading.Thread(target=_converse, args=(kubelet, plain, context), daemon=True)
        kubelet.conversations.append(talking)
        talking.start()


def _converse(kubelet: StreamingKubelet, plain: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
        head = read_head(connection)
        kubelet.heads.append(head)
        kubelet.answer(connection, head)
