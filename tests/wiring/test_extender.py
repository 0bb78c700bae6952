"""`spillway extender` as two processes: one page for what both count, and neither goes on alone."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from app.local.http_client import HttpClient, HttpError
from app.local.loopback import LOOPBACK, free_ports


def a_kubeconfig(directory: Path) -> Path:
    """One that names a server which is not there."""
    (port,) = free_ports(1)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://{LOOPBACK}:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = directory / "kubeconfig"
    path.write_bytes(msgspec.json.encode(config))
    return path


class Program:
    """`python -m app extender` for a cluster that does not answer."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    @classmethod
    async def start(cls, directory: Path) -> "Program":
        """Started, and answering."""
        (port,) = free_ports(1)
        flags = [f"--kubeconfig={a_kubeconfig(directory)}", f"--port={port}", f"--host={LOOPBACK}"]
        log = directory / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", "extender", *flags),
                stderr=output,
                start_new_session=True,
            )
        program = cls(process, port, log)
        await program.page(containing="spillway_gate_leader")
        return program

    async def page(self, *, containing: str) -> str:
        """What /metrics shows, once that is on it."""
        client = HttpClient(f"http://{LOOPBACK}:{self.port}")
        try:
            for _ in range(900):
                text = await _metrics(client)
                if containing in text:
                    return text
                await asyncio.sleep(0.1)
        finally:
            await client.close()
        raise AssertionError(self.log.read_text())

    def child(self) -> int:
        """The process that leads."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        (pid,) = children.split()
        return int(pid)

    async def ended(self) -> int:
        """Its exit code; the test's own timeout bounds it."""
        return await self.process.wait()


async def _metrics(client: HttpClient) -> str:
    try:
        return (await client.request("GET", "/metrics")).body.decode()
    except HttpError:
        return ""  # not listening yet


async def gone(pid: int) -> bool:
    """Whether the process ends within half a minute."""
    for _ in range(600):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.05)
    return False


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex((LOOPBACK, port)) != 0


async def test_both_processes_count_on_one_page_and_a_signal_ends_both_in_good_order(tmp_path: Path) -> None:
    program = await Program.start(tmp_path)
    child = program.child()
    page = await program.page(containing='spillway_watch_failures_total{path="/api/v1/nodes"}')
    assert page.count("# TYPE spillway_watch_failures_total counter") == 1
    program.process.send_signal(signal.SIGTERM)
    assert await program.ended() == 0
    assert await gone(child)
    assert "Traceback" not in program.log.read_text()


async def test_a_signal_to_the_whole_group_ends_it_in_good_order_too(tmp_path: Path) -> None:
    program = await Program.start(tmp_path)
    os.killpg(program.process.pid, signal.SIGINT)
    assert await program.ended() == 0
    assert "Traceback" not in program.log.read_text()


async def test_when_it_is_killed_nobody_leads(tmp_path: Path) -> None:
    program = await Program.start(tmp_path)
    child = program.child()
    program.process.kill()
    await program.ended()
    assert await gone(child)
    assert is_free(program.port)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        pytest.param(signal.SIGKILL, "was ended by SIGKILL", id="killed"),
        pytest.param(signal.SIGTERM, "ended with exit code 0", id="stopped"),
    ],
)
async def test_when_the_one_that_leads_ends_nobody_answers(
    tmp_path: Path, number: signal.Signals, said: str
) -> None:
    program = await Program.start(tmp_path)
    os.kill(program.child(), number)
    assert await program.ended() == 1
    assert f"the process that leads {said}" in program.log.read_text()
    assert is_free(program.port)
