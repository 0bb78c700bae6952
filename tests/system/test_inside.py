"""What people do inside overflow pods: exec, cp, port-forward, attach, over WebSocket and over SPDY."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import termios
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import pytest
import pytest_asyncio
from kubernetes import client
from kubernetes.config import new_client_from_config
from kubernetes.stream import stream

from app.local.loopback import LOOPBACK, free_ports
from app.wiring.clock import SystemClock
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.pods import create, python

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH"),
]

WAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "websocket": {},
    "spdy": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"},
}
EACH_WAY = pytest.mark.parametrize("way", WAYS)
MIB: Final = 1024 * 1024
WITHIN: Final = 90.0

SERVER: Final = """
import os, signal, socketserver, sys
signal.signal(15, lambda *_: sys.exit(0))
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while chunk := self.request.recv(65536):
            self.request.sendall(chunk)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
print("ready")
Server((os.environ["POD_IP"], 8080), Echo).serve_forever()
"""
POD_IP: Final = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


@dataclass(frozen=True)
class Pod:
    """A pod that runs on Fargate, and a kubectl that speaks about it."""

    actors: Actors
    space: str
    name: str = "inside"

    async def kubectl(
        self, verb: str, *arguments: str, way: str = "websocket", typed: bytes = b""
    ) -> tuple[int, bytes, str]:
        """Exit code, output, complaints; what is typed ends with the end of the input."""
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            f"--kubeconfig={self.actors.stack.kubeconfig}",
            f"--namespace={self.space}",
            verb,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **WAYS[way]},
        )
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate(typed)
        return process.returncode or 0, out, err.decode()

    async def execute(self, *command: str, way: str, typed: bytes | None = None) -> tuple[int, bytes, str]:
        """`kubectl exec`, with `-i` where something is typed."""
        flags = () if typed is None else ("-i",)
        return await self.kubectl("exec", *flags, self.name, "--", *command, way=way, typed=typed or b"")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def inside(stack: LocalStack) -> AsyncIterator[Pod]:
    """One pod for all tests here: what they do inside leaves no trace. It is gone before others are tried."""
    actors = Actors(stack, clock=SystemClock())
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "inside", python(SERVER, env=[POD_IP]))
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    yield Pod(actors, space)
    await actors.leave()


@EACH_WAY
async def test_a_command_gives_its_output_and_its_exit_code(inside: Pod, way: str) -> None:
    code, out, err = await inside.execute("sh", "-c", "echo out; exit 7", way=way)
    assert (code, out) == (7, b"out\n"), err


@EACH_WAY
async def test_output_and_complaints_come_apart_where_the_helper_is(inside: Pod, way: str) -> None:
    code, out, err = await inside.execute("sh", "-c", "echo out; echo oops >&2", way=way)
    assert (code, out, err) == (0, b"out\n", "oops\n")


@EACH_WAY
async def test_a_mebibyte_of_random_bytes_comes_back_as_it_went(inside: Pod, way: str) -> None:
    sent = os.urandom(MIB)
    code, out, err = await inside.execute("cat", way=way, typed=sent)
    assert (code, hashlib.sha256(out).digest()) == (0, hashlib.sha256(sent).digest()), err


@EACH_WAY
async def test_a_command_that_is_not_there_says_so(inside: Pod, way: str) -> None:
    code, _, err = await inside.execute("no-such-program", way=way)
    assert code != 0
    assert "no-such-program" in err


@EACH_WAY
async def test_words_arrive_as_they_were_written(inside: Pod, way: str) -> None:
    words = ["a b", "", "'quoted'", '"', "$HOME", "x\ny", "häm", "\\", "*"]
    script = "import sys; sys.stdout.buffer.write('|'.join(sys.argv[1:]).encode())"
    code, out, err = await inside.execute("python3", "-c", script, *words, way=way)
    assert (code, out.decode()) == (0, "|".join(words)), err


@EACH_WAY
async def test_a_long_lived_shell_takes_commands_as_jenkins_types_them(inside: Pod, way: str) -> None:
    typed = b'cd "/tmp"\nexport GREETING="good day"\nprintf "%s" "$GREETING" >&1\nexit 3\n'
    code, out, err = await inside.execute("sh", way=way, typed=typed)
    assert (code, out) == (3, b"good day"), err


@EACH_WAY
async def test_a_terminal_has_our_terminals_size_and_follows_it(inside: Pod, way: str) -> None:
    script = "while read _; do stty size; done"
    with Terminal(rows=40, columns=100) as terminal:
        kubectl = await asyncio.create_subprocess_exec(
            "kubectl",
            f"--kubeconfig={inside.actors.stack.kubeconfig}",
            f"--namespace={inside.space}",
            "exec",
            "-it",
            inside.name,
            "--",
            "sh",
            "-c",
            script,
            stdin=terminal.theirs,
            stdout=terminal.theirs,
            stderr=terminal.theirs,
            env={**os.environ, **WAYS[way]},
        )
        try:
            await terminal.until("40 100")
            termios.tcsetwinsize(terminal.ours, (50, 120))
            kubectl.send_signal(signal.SIGWINCH)
            await terminal.until("50 120")
        finally:
            kubectl.kill()
            await kubectl.wait()


class Terminal:
    """A terminal of this host: what somebody sees who types into kubectl."""

    def __init__(self, *, rows: int, columns: int) -> None:
        self.ours, self.theirs = os.openpty()
        termios.tcsetwinsize(self.ours, (rows, columns))
        os.set_blocking(self.ours, False)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.ours)
        os.close(self.theirs)

    async def until(self, words: str) -> None:
        """Press Enter until the words are shown."""
        async with asyncio.timeout(WITHIN):
            while words not in self._seen:
                os.write(self.ours, b"\r")
                await asyncio.sleep(0.2)
                with contextlib.suppress(BlockingIOError):  # nothing new is shown
                    self._seen += os.read(self.ours, 65536).decode(errors="replace")


@EACH_WAY
async def test_files_are_copied_in_and_out_again(inside: Pod, way: str, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(os.urandom(300_000))
    there = f"{inside.name}:/tmp/copied"
    code, _, err = await inside.kubectl("cp", str(tmp_path / "sent"), there, way=way)
    assert code == 0, err
    code, _, err = await inside.kubectl("cp", there, str(tmp_path / "back"), way=way)
    assert code == 0, err
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()


@EACH_WAY
async def test_ten_mebibytes_go_through_a_forwarded_port_and_back(inside: Pod, way: str) -> None:
    (port,) = free_ports(1)
    forward = await asyncio.create_subprocess_exec(
        "kubectl",
        f"--kubeconfig={inside.actors.stack.kubeconfig}",
        f"--namespace={inside.space}",
        "port-forward",
        inside.name,
        f"{port}:8080",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **WAYS[way]},
    )
    assert forward.stdout is not None
    try:
        async with asyncio.timeout(WITHIN):
            await forward.stdout.readuntil(b"\n")
            assert await echoed(port, sent := os.urandom(10 * MIB)) == sent
    finally:
        forward.terminate()
        await forward.wait()


async def echoed(port: int, data: bytes) -> bytes:
    """What the far side sends back."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writing = asyncio.create_task(drained(writer, data))
    back = await reader.readexactly(len(data))
    await writing
    writer.close()
    return back


async def drained(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send, no faster than it is taken."""
    writer.write(data)
    await writer.drain()


async def test_the_official_python_client_gets_output_and_exit_code(inside: Pod) -> None:
    def ask() -> tuple[str, str, int]:
        path = str(inside.actors.stack.kubeconfig)
        api = client.CoreV1Api(new_client_from_config(path))  # type: ignore[no-untyped-call]  # it has none
        answer = stream(
            api.connect_get_namespaced_pod_exec,
            inside.name,
            inside.space,
            command=["sh", "-c", "echo out; exit 7"],
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        answer.run_forever(timeout=WITHIN)
        return answer.read_stdout(), answer.read_stderr(), int(answer.returncode)

    assert (await asyncio.to_thread(ask))[::2] == ("out\n", 7)


@EACH_WAY
async def test_attach_follows_what_the_container_prints_and_refuses_input(inside: Pod, way: str) -> None:
    code, _, err = await inside.kubectl("attach", "-i", inside.name, way=way, typed=b"x\n")
    assert code != 0
    assert "stdin" in err
