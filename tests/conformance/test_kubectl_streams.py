"""`kubectl exec` and `port-forward` by the real kubectl, to a kubelet that has declared nothing.

What kubectl complains of begins, before 1.33, now and then with "Unknown stream id 1, discarding message": it
may get the empty first message before it has made its streams.
"""

import json
import socket
import ssl
import subprocess
from pathlib import Path

from tests.conformance.servers import Json, Space
from tests.conformance.spdy_kubelets import agreed
from tests.conformance.streaming_kubelets import Head, StreamingKubelet, streaming_kubelet

SUCCESS: Json = {"metadata": {}, "status": "Success"}


def exited(code: int) -> Json:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"exit status {code}",
        "details": {"causes": causes},
    }


def run(
    command: list[str], environment: dict[str, str], *arguments: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*command, *arguments], env=environment, input=stdin, capture_output=True, timeout=60, check=False
    )


def test_exec_carries_a_mebibyte_there_and_back(
    command: list[str], environment: dict[str, str], space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)
    content = bytes(range(256)) * 4096

    def echo(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(4)
        kubelet.send("stderr", b"", ended=True)
        kubelet.send("stdout", kubelet.until_ended("stdin"), ended=True)
        kubelet.send("error", json.dumps(SUCCESS).encode(), ended=True)
        connection.recv(1)

    with streaming_kubelet(space.api, node, echo, tmp_path):
        done = run(command, environment, "exec", "-i", "web", "--", "cat", stdin=content)

    assert done.stdout == content
    assert done.returncode == 0


def test_exec_ends_as_the_command_ended(
    command: list[str], environment: dict[str, str], space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)

    def end(connection: ssl.SSLSocket, head: Head) -> None:
        kubelet = agreed(connection, head)
        kubelet.accept(3)
        kubelet.send("stdout", b"out\n", ended=True)
        kubelet.send("stderr", b"err\n", ended=True)
        kubelet.send("error", json.dumps(exited(7)).encode(), ended=True)
        connection.recv(1)

    with streaming_kubelet(space.api, node, end, tmp_path):
        done = run(command, environment, "exec", "web", "--", "false")

    assert done.returncode == 7
    assert done.stdout == b"out\n"
    assert done.stderr.endswith(b"err\ncommand terminated with exit code 7\n")


def test_exec_says_what_the_api_server_says(
    command: list[str], environment: dict[str, str], space: Space
) -> None:
    space.pod()

    done = run(command, environment, "exec", "web", "--", "ls")

    assert done.returncode == 1
    assert b"pod web does not have a host assigned" in done.stderr


def forwarding(connection: ssl.SSLSocket, head: Head) -> None:
    """Answer one connection to the pod's port, in capitals."""
    kubelet = agreed(connection, head)
    kubelet.accept(2)
    kubelet.send("data", kubelet.until_received("data", 5).upper(), ended=True)
    kubelet.send("error", b"", ended=True)
    connection.recv(1)


def forwarded_port(running: "subprocess.Popen[bytes]") -> int:
    """The local port that kubectl says it has taken."""
    assert running.stdout is not None
    line = running.stdout.readline().decode()
    assert line.startswith("Forwarding from 127.0.0.1:"), line
    return int(line.split(":")[1].split(" ")[0])


def test_port_forward_carries_a_connection(
    command: list[str],
    environment: dict[str, str],
    space: Space,
    node: str,
    tmp_path: Path,
) -> None:
    space.pod(nodeName=node)
    running_status = {"status": {"phase": "Running"}}
    space.api.patch(f"{space.pods}/web/status", running_status)
    forward = [*command, "port-forward", "--address=127.0.0.1", "web", ":80"]

    with (
        streaming_kubelet(space.api, node, forwarding, tmp_path) as kubelet,
        subprocess.Popen(forward, env=environment, stdout=subprocess.PIPE) as running,
    ):
        try:
            with socket.create_connection(("127.0.0.1", forwarded_port(running)), timeout=20) as client:
                client.sendall(b"hello")
                answer = client.recv(5)
        finally:
            running.terminate()

    assert answer == b"HELLO"
    assert asked_of(kubelet) == f"POST /portForward/{space.name}/web HTTP/1.1"


def asked_of(kubelet: StreamingKubelet) -> str:
    return kubelet.heads[0].first
