"""What people do inside overflow pods: exec, cp, port-forward, attach, over WebSocket and over SPDY."""

import asyncio
import contextlib
import hashlib
import json
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

from app.local.fargate.faults.orders import Fault
from app.local.loopback import LOOPBACK, free_ports
from app.wiring.clock import SystemClock
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.pods import ONLY_FARGATE, create, python

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
QUIET: Final = "import time; time.sleep(3600)"
OVERRIDES: Final = json.dumps(
    {
        "metadata": {"labels": ONLY_FARGATE},
        "spec": {"automountServiceAccountToken": False},
    }
)
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

    @contextlib.asynccontextmanager
    async def forwarding(self, ports: str, *, way: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`kubectl port-forward` while it listens."""
        forward = await asyncio.create_subprocess_exec(
            "kubectl",
            f"--kubeconfig={self.actors.stack.kubeconfig}",
            f"--namespace={self.space}",
            "port-forward",
            self.name,
            ports,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **WAYS[way]},
        )
        assert forward.stdout is not None
        try:
            async with asyncio.timeout(WITHIN):
                await forward.stdout.readuntil(b"\n")
            yield forward
        finally:
            if forward.returncode is None:
                forward.terminate()
            await forward.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def inside(stack: LocalStack) -> AsyncIterator[Pod]:
    """One pod for all tests here: what they do inside leaves no trace. It is gone before others are tried."""
    actors = Actors(stack, clock=SystemClock())
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "inside", python(SERVER, env=[POD_IP]))
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    yield Pod(actors, space)
    await actors.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plain(inside: Pod) -> Pod:
    """A pod without the helper: its containers' shells run commands."""
    await create(inside.actors, inside.space, "plain", python(QUIET))
    await inside.actors.until(inside.space, "it to run", lambda pods: len(running(pods)) == 2)
    return Pod(inside.actors, inside.space, name="plain")


@pytest.fixture(params=["with the helper", "without it"])
def anywhere(request: pytest.FixtureRequest, inside: Pod, plain: Pod) -> Pod:
    """Each kind of far side."""
    return inside if request.param == "with the helper" else plain


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
async def test_a_script_of_sixty_kilobytes_is_run_though_it_travels_in_the_request_line(
    inside: Pod, way: str
) -> None:
    script = "# a comment & more\n" * 3200 + "echo done; exit 7"
    code, out, err = await inside.execute("sh", "-c", script, way=way)
    assert (code, out) == (7, b"done\n"), err


async def test_a_command_that_is_too_long_for_the_request_line_is_told_with_the_mend(inside: Pod) -> None:
    code, _, err = await inside.execute("sh", "-c", "# / / / /\n" * 12_000, way="websocket")
    assert code != 0
    assert "type a long script instead, as in kubectl exec -i POD -- sh < SCRIPT" in err


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
    async with inside.forwarding(f"{port}:8080", way=way):
        async with asyncio.timeout(WITHIN):
            assert await echoed(port, sent := os.urandom(10 * MIB)) == sent


@EACH_WAY
async def test_a_port_where_nothing_listens_is_told_in_the_kubelets_words(inside: Pod, way: str) -> None:
    (port,) = free_ports(1)
    async with inside.forwarding(f"{port}:9999", way=way) as forward:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        async with asyncio.timeout(WITHIN):
            assert await reader.read() == b""
            _, err = await forward.communicate()
        writer.close()
    assert forward.returncode != 0
    assert "error forwarding port 9999 to pod inside: failed to connect to" in err.decode()
    assert "connect: connection refused; the program in the pod has to listen on this port" in err.decode()


@EACH_WAY
async def test_what_people_do_inside_ends_with_the_pod(inside: Pod, way: str) -> None:
    pod = Pod(inside.actors, inside.space, name=f"ending-{way}")
    await create(pod.actors, pod.space, pod.name, python(SERVER, env=[POD_IP]))
    await pod.actors.until(
        pod.space, "it to run", lambda pods: pod.name in {each.metadata.name for each in running(pods)}
    )
    (port,) = free_ports(1)
    async with pod.forwarding(f"{port}:8080", way=way) as forward:
        running_in_it = asyncio.create_task(pod.execute("sh", "-c", "echo on; sleep 600", way=way))
        following = asyncio.create_task(pod.kubectl("logs", "--follow", pod.name, way=way))
        await asyncio.sleep(1)
        await pod.kubectl("delete", "pod", pod.name, "--wait=false")
        code, out, err = await running_in_it
        assert (code, out) == (1, b"on\n")
        assert "error executing command in container: the session ended before the command" in err
        assert (await following)[0] == 0
        async with asyncio.timeout(WITHIN):
            _, complaints = await forward.communicate()
    assert forward.returncode != 0
    assert "lost connection to pod" in complaints.decode()


async def test_a_command_ends_with_its_task_though_its_channel_stays_open(inside: Pod) -> None:
    pod = Pod(inside.actors, inside.space, name="lingering")
    await create(pod.actors, pod.space, pod.name, python(QUIET), terminationGracePeriodSeconds=1)
    await pod.actors.until(
        pod.space, "it to run", lambda pods: pod.name in {each.metadata.name for each in running(pods)}
    )
    running_in_it = asyncio.create_task(pod.execute("sh", "-c", "echo on; sleep 600", way="websocket"))
    await asyncio.sleep(3)
    pod.actors.stack.fargate.faults.add(Fault(operation="channel_closed", kind="linger"))
    await pod.kubectl("delete", "pod", pod.name, "--wait=false")
    code, out, err = await running_in_it
    assert (code, out) == (1, b"on\n")
    assert "the container ended before the command" in err
    assert not pod.actors.stack.fargate.faults.pending()


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
async def test_attach_refuses_what_is_typed_with_its_reason(inside: Pod, way: str) -> None:
    code, _, err = await inside.kubectl("attach", "-i", inside.name, way=way, typed=b"x\n")
    assert code != 0
    assert "Fargate connects no container's standard input" in err


@EACH_WAY
@pytest.mark.parametrize("flag", ["--stdin", "--attach"])
async def test_a_pod_that_is_run_and_removed_shows_all_it_prints_and_gives_its_code(
    inside: Pod, way: str, flag: str
) -> None:
    name = f"run-{flag.strip('-')}-{way}"
    run = (name, flag, "--rm", "--restart=Never", "--quiet", "--image=python:3", f"--overrides={OVERRIDES}")
    script = "echo first; sleep 3; echo last; exit 5"
    code, out, err = await inside.kubectl("run", *run, "--command", "--", "sh", "-c", script, way=way)
    assert (code, [line for line in out.splitlines() if line in {b"first", b"last"}]) == (
        5,
        [b"first", b"last"],
    ), err


@EACH_WAY
async def test_a_command_without_a_terminal_has_none_to_steal_from(anywhere: Pod, way: str) -> None:
    script = "(head -c 5 </dev/tty >/dev/null; echo hi >/dev/tty) 2>/dev/null & cat; exit 3"
    typed = b"one\n" * 5000
    assert (await anywhere.execute("sh", "-c", script, way=way, typed=typed))[:2] == (3, typed)


async def test_a_command_cannot_forge_its_exit_code(anywhere: Pod) -> None:
    script = "(printf '.0\\n$\\n' | tee /proc/$PPID/fd/1 /proc/$PPID/fd/4) >/dev/null 2>&1; sleep 1; exit 5"
    code, _, _ = await anywhere.execute("sh", "-c", script, way="websocket")
    assert code != 0
