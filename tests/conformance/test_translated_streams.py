"""WebSocket v5, which kubectl speaks first, to kubelets that have not declared that they take it."""

import json
import socket
import ssl
from pathlib import Path

import pytest

from tests.conformance.servers import Json, Space
from tests.conformance.spdy_kubelets import agreed
from tests.conformance.stream_clients import web_socket
from tests.conformance.streaming_kubelets import Head, register, streaming_kubelet

V5 = "v5.channel.k8s.io"
EXEC = "exec?command=cat&stdin=true&stdout=true&stderr=true"
SUCCESS: Json = {"metadata": {}, "status": "Success"}
EXITED: Json = {
    "metadata": {},
    "status": "Failure",
    "reason": "NonZeroExitCode",
    "message": "command terminated with non-zero exit code: exit status 7",
    "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
}


def shouting(connection: ssl.SSLSocket, head: Head) -> None:
    """Run a command that reads all of stdin, and writes it to stdout in capitals."""
    kubelet = agreed(connection, head)
    kubelet.accept(4)
    kubelet.send("stderr", b"wait\n", ended=True)
    kubelet.send("stdout", kubelet.until_ended("stdin").upper(), ended=True)
    kubelet.send("error", json.dumps(SUCCESS).encode(), ended=True)
    connection.recv(1)


def test_each_channel_becomes_a_stream(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, shouting, tmp_path) as kubelet,
        web_socket(space.api, f"{space.pods}/web/{EXEC}", V5) as client,
    ):
        client.send(b"\0hello ")
        client.send(b"\0world")
        client.send(b"\xff\0")
        messages = client.rest()

    asked = kubelet.heads[0]
    path = f"/exec/{space.name}/web/main?command=cat&error=1&input=1&output=1"
    assert asked.first == f"POST {path} HTTP/1.1"
    assert asked.all("x-stream-protocol-version") == [
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "v3.channel.k8s.io",
        "v2.channel.k8s.io",
        "channel.k8s.io",
    ]
    assert asked.one("upgrade") == "SPDY/3.1"
    assert asked.one("connection") == "Upgrade"
    assert asked.one("user-agent") == "Go-http-client/1.1"
    assert asked.one("content-length") == "0"
    assert asked.one("authorization") == ""
    assert messages[0] == b"\1"
    assert b"\2wait\n" in messages
    assert b"\1HELLO WORLD" in messages
    assert messages[-1][:1] == b"\3"
    assert json.loads(messages[-1][1:]) == SUCCESS


def test_a_client_that_goes_away_ends_the_kubelets_connection(
    space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)
    heard: list[bytes] = []

    def listening(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(4)
        kubelet.send("stdout", b"ready")
        heard.append(kubelet.until_closed("stdin"))

    with streaming_kubelet(space.api, node, listening, tmp_path) as kubelet:
        with web_socket(space.api, f"{space.pods}/web/{EXEC}", V5) as client:
            first = [client.receive(), client.receive()]
            client.send(b"\0hello")
        kubelet.finish()

    assert first == [b"\1", b"\1ready"]
    assert heard == [b"hello"]


def test_a_terminal_has_its_size_and_no_stderr(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)
    opened: list[set[str]] = []

    def sized(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(4)
        opened.append(set(kubelet.opened))
        kubelet.send("stdout", kubelet.until_received("resize", 25), ended=True)
        kubelet.send("error", json.dumps(SUCCESS).encode(), ended=True)
        connection.recv(1)

    with (
        streaming_kubelet(space.api, node, sized, tmp_path),
        web_socket(space.api, f"{space.pods}/web/{EXEC}&tty=true", V5) as client,
    ):
        client.send(b'\4{"Width":80, "Height":24}')
        messages = client.rest()

    assert opened == [{"error", "stdin", "stdout", "resize"}]
    assert b'\1{"Width":80,"Height":24}\n' in messages


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(json.dumps(SUCCESS), SUCCESS, id="success"),
        pytest.param("", SUCCESS, id="silence"),
        pytest.param(
            json.dumps(EXITED),
            {
                **EXITED,
                "message": "command terminated with non-zero exit code: command terminated with exit code 7",
            },
            id="exit code",
        ),
        pytest.param(
            json.dumps(
                {"metadata": {}, "status": "Failure", "reason": "InternalError", "message": "no shell"}
            ),
            {
                "metadata": {},
                "status": "Failure",
                "reason": "InternalError",
                "message": "Internal error occurred: no shell",
                "details": {"causes": [{"message": "no shell"}]},
                "code": 500,
            },
            id="failure",
        ),
    ],
)
def test_how_it_ended_is_told_last(space: Space, node: str, tmp_path: Path, said: str, told: Json) -> None:
    space.pod(nodeName=node)

    def end(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(2)
        kubelet.send("stdout", b"", ended=True)
        kubelet.send("error", said.encode(), ended=True)
        connection.recv(1)

    with (
        streaming_kubelet(space.api, node, end, tmp_path),
        web_socket(space.api, f"{space.pods}/web/exec?command=ls&stdout=true", V5) as client,
    ):
        messages = client.rest()

    assert messages[0] == b"\1"
    assert json.loads(messages[-1][1:]) == told


def test_without_output_the_sign_of_life_is_on_the_error_channel(
    space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)

    def end(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(1)
        kubelet.send("error", json.dumps(SUCCESS).encode(), ended=True)
        connection.recv(1)

    with (
        streaming_kubelet(space.api, node, end, tmp_path),
        web_socket(space.api, f"{space.pods}/web/exec?command=ls", V5) as client,
    ):
        messages = client.rest()

    assert messages == [b"\3", b"\3" + json.dumps(SUCCESS, separators=(",", ":")).encode()]


def test_a_kubelet_that_breaks_off_is_taken_for_success(space: Space, node: str, tmp_path: Path) -> None:
    """No status came, and the real API server takes silence for success."""
    space.pod(nodeName=node)

    def vanish(connection: ssl.SSLSocket, head: Head) -> None:
        agreed(connection, head).accept(2)

    with (
        streaming_kubelet(space.api, node, vanish, tmp_path),
        web_socket(space.api, f"{space.pods}/web/exec?command=ls&stdout=true", V5) as client,
    ):
        messages = client.rest()

    assert json.loads(messages[-1][1:]) == SUCCESS


def refuse(connection: ssl.SSLSocket, _head: Head) -> None:
    text = 'container not found ("main")\n'
    head = f"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall((head + text).encode())


def test_a_refusal_is_told_on_the_error_channel(space: Space, node: str, tmp_path: Path) -> None:
    space.pod(nodeName=node)

    with (
        streaming_kubelet(space.api, node, refuse, tmp_path),
        web_socket(space.api, f"{space.pods}/web/{EXEC}", V5) as client,
    ):
        status = json.loads(client.rest()[-1][1:])

    assert status["message"] == (
        'Internal error occurred: unable to upgrade connection: container not found ("main")'
    )
    assert status["code"] == 500


def test_a_kubelet_that_does_not_answer_is_told_on_the_error_channel(space: Space, node: str) -> None:
    space.pod(nodeName=node)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    register(space.api, node, port)

    with web_socket(space.api, f"{space.pods}/web/exec?command=ls&stdout=true", V5) as client:
        status = json.loads(client.rest()[-1][1:])

    path = f"/exec/{space.name}/web/main?command=ls&output=1"
    assert status["message"] == (
        f'Internal error occurred: error sending request: Post "https://127.0.0.1:{port}{path}": '
        f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    )
