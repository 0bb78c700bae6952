"""What the API server asks kubelets for, for each protocol that a client may speak."""

import json
import ssl
from pathlib import Path

import pytest
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.conformance.servers import ApiServer, Space
from tests.conformance.stream_clients import upgraded, web_socket
from tests.conformance.streaming_kubelets import (
    FEATURE,
    SPDY,
    Head,
    streaming_kubelet,
    switching,
)

SUBPROTOCOL = "sec-websocket-protocol"
V4 = "v4.channel.k8s.io"
EXEC = "exec?command=echo&command=a+b%26c&stdin=true&stdout=true&stderr=true&tty=false&container=main"
FORWARD = "portforward"
V5 = "v5.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"


def echo_shouting(connection: ssl.SSLSocket, head: Head) -> None:
    """Agree to SPDY, and send back what comes, in capitals."""
    chosen = head.all("x-stream-protocol-version")[0]
    connection.sendall(switching(f"X-Stream-Protocol-Version: {chosen}"))
    connection.sendall(connection.recv(100).upper())
    connection.recv(100)


def refuse(connection: ssl.SSLSocket, _head: Head) -> None:
    """Say no in the kubelet's way."""
    text = 'container not found ("main")'
    head = f"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall((head + text).encode())


def test_spdy_is_passed_through(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)
    versions = (
        "X-Stream-Protocol-Version: v5.channel.k8s.io",
        "X-Stream-Protocol-Version: v4.channel.k8s.io",
    )

    with (
        streaming_kubelet(space.api, node, echo_shouting, tmp_path) as kubelet,
        upgraded(space.api, f"{space.pods}/web/{EXEC}", *versions) as client,
    ):
        client.connection.sendall(b"hello")
        answer = client.connection.recv(5)

    asked = kubelet.heads[0]
    path = f"/exec/{space.name}/web/main?command=echo&command=a+b%26c&error=1&input=1&output=1"
    assert asked.first == f"POST {path} HTTP/1.1"
    assert asked.all("x-stream-protocol-version") == ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    assert asked.one("upgrade") == SPDY
    assert asked.one("user-agent") == "conformance/1"
    assert asked.one("authorization") == ""
    assert asked.one("x-forwarded-for") == "127.0.0.1"
    assert client.head.first == "HTTP/1.1 101 Switching Protocols"
    assert client.head.one("x-stream-protocol-version") == "v5.channel.k8s.io"
    assert answer == b"HELLO"


def test_attach_is_asked_for_its_streams(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)
    path = f"{space.pods}/web/attach?stdout=1&stderr=0&tty=1"

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path) as kubelet,
        upgraded(space.api, path, "X-Stream-Protocol-Version: v4.channel.k8s.io"),
    ):
        pass

    assert kubelet.heads[0].first == f"POST /attach/{space.name}/web/main?output=1&tty=1 HTTP/1.1"


def test_port_forward_is_asked_for_its_ports(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)
    path = f"{space.pods}/web/portforward?ports=80&ports=81"

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path) as kubelet,
        upgraded(space.api, path, "X-Stream-Protocol-Version: portforward.k8s.io"),
    ):
        pass

    assert kubelet.heads[0].first == f"POST /portForward/{space.name}/web?port=80%2C81 HTTP/1.1"


def test_a_get_stays_one(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path) as kubelet,
        upgraded(space.api, f"{space.pods}/web/{EXEC}", method="GET"),
    ):
        pass

    assert kubelet.heads[0].first.startswith("GET /exec/")


def test_the_kubelets_refusal_reaches_the_client(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path),
        upgraded(space.api, f"{space.pods}/web/{EXEC}") as client,
    ):
        body = client.body()

    assert client.head.first == "HTTP/1.1 404 Not Found"
    assert client.head.one("content-type") == "text/plain"
    assert body == b'container not found ("main")'


def test_an_answer_that_neither_agrees_nor_refuses_is_an_error(
    space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)

    def ignore(connection: ssl.SSLSocket, _head: Head) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with (
        streaming_kubelet(space.api, node, ignore, tmp_path),
        upgraded(space.api, f"{space.pods}/web/{EXEC}") as client,
    ):
        body = json.loads(client.body())

    assert body["code"] == 500
    assert body["message"] == "invalid upgrade response: status code 200"


def a_web_socket(connection: ssl.SSLSocket, head: Head) -> ServerProtocol:
    """Agree to the first subprotocol."""
    server = ServerProtocol()
    kept = [(name, value) for name, value in head.headers if name != SUBPROTOCOL]
    lines = [head.first, *(f"{name}: {value}" for name, value in kept), "", ""]
    server.receive_data("\r\n".join(lines).encode())
    request = server.events_received()[0]
    assert isinstance(request, Request)
    response = server.accept(request)
    response.headers[SUBPROTOCOL] = head.one(SUBPROTOCOL)
    server.send_response(response)
    connection.sendall(b"".join(server.data_to_send()))
    return server


def echo_messages(connection: ssl.SSLSocket, head: Head) -> None:
    """Agree to the WebSocket, and send back the first message, in capitals."""
    server = a_web_socket(connection, head)
    server.receive_data(connection.recv(100))
    frame = server.events_received()[0]
    assert isinstance(frame, Frame)
    server.send_binary(bytes(frame.data).upper())
    connection.sendall(b"".join(server.data_to_send()))
    connection.recv(100)


@pytest.mark.parametrize(
    ("subresource", "protocol", "features"),
    [
        pytest.param(EXEC, V4, (), id="v4"),
        pytest.param(EXEC, V4, (FEATURE,), id="v4, declared"),
        pytest.param(EXEC, V5, (FEATURE,), id="v5, declared"),
        pytest.param(FORWARD, TUNNEL, (FEATURE,), id="tunnel, declared"),
        pytest.param(f"{FORWARD}?ports=80", V4, (), id="port-forward v4"),
    ],
)
def test_a_web_socket_is_passed_through(
    space: Space, node: str, tmp_path: Path, subresource: str, protocol: str, features: tuple[str, ...]
) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, echo_messages, tmp_path, features=features) as kubelet,
        web_socket(space.api, f"{space.pods}/web/{subresource}", protocol) as client,
    ):
        client.send(b"\0hello")
        answer = client.receive()

    asked = kubelet.heads[0]
    assert asked.first.startswith("GET /")
    assert asked.one("upgrade") == "websocket"
    assert asked.one("sec-websocket-protocol") == protocol
    assert client.raw.head.one(SUBPROTOCOL) == protocol
    assert answer == b"\0HELLO"


def test_a_tunnel_is_unwrapped(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, echo_shouting, tmp_path) as kubelet,
        web_socket(space.api, f"{space.pods}/web/{FORWARD}", TUNNEL) as client,
    ):
        client.send(b"hello")
        answer = client.receive()

    asked = kubelet.heads[0]
    assert asked.first == f"POST /portForward/{space.name}/web HTTP/1.1"
    assert asked.one("upgrade") == SPDY
    assert asked.all("x-stream-protocol-version") == ["portforward.k8s.io"]
    assert asked.one("sec-websocket-protocol") == ""
    assert asked.one("sec-websocket-key") == ""
    assert client.raw.head.one(SUBPROTOCOL) == TUNNEL
    assert answer == b"HELLO"


def test_a_tunnel_that_the_kubelet_refuses_never_opens(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path),
        web_socket(space.api, f"{space.pods}/web/{FORWARD}", TUNNEL) as client,
    ):
        body = client.raw.body()

    assert client.raw.head.first == "HTTP/1.1 404 Not Found"
    assert body == b'container not found ("main")'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("pods/exec", "PodExecOptions", id="exec"),
        pytest.param("pods/attach", "PodAttachOptions", id="attach"),
        pytest.param("pods/portforward", "PodPortForwardOptions", id="portforward"),
    ],
)
def test_discovery_knows_streams(api: ApiServer, name: str, kind: str) -> None:
    entries = api.get("/api/v1").json()["resources"]

    entry = next(each for each in entries if each["name"] == name)

    assert entry == {
        "name": name,
        "singularName": "",
        "namespaced": True,
        "kind": kind,
        "verbs": ["create", "get"],
    }
