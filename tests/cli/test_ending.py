"""How the commands that read a cluster end where they cannot: words, JSON, exit codes, and no traceback."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from tests.cli.clusters import ClusterThread

READING = [["status"], ["doctor"], ["drain", "--skip-aws"], ["explain", "shop/web-1"]]
COMMANDS = [pytest.param(each, id=each[0]) for each in READING]


def kubeconfig_of(server: str, directory: Path) -> Path:
    written = directory / "elsewhere"
    body = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }
    written.write_text(json.dumps(body))
    return written


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A terminal with no cluster of its own."""
    for name in ("KUBECONFIG", "SPILLWAY_KUBECONFIG", "KUBERNETES_SERVICE_HOST", "SPILLWAY_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return CliRunner()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterThread]:
    """A cluster with a virtual node that somebody minds."""
    running = ClusterThread(tmp_path)
    running.install()
    yield running
    running.stop()


@pytest.mark.parametrize("command", COMMANDS)
def test_programs_hear_of_a_cluster_that_cannot_be_read(
    run: CliRunner, tmp_path: Path, command: list[str]
) -> None:
    config = kubeconfig_of("https://127.0.0.1:1", tmp_path)
    answer = run.invoke(cli, [*command, "--json", "--kubeconfig", str(config)])
    assert answer.exit_code == 2
    assert "127.0.0.1:1" in json.loads(answer.stdout)["error"]
    assert "127.0.0.1:1" in answer.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_programs_hear_of_a_kubeconfig_that_is_not_there(
    run: CliRunner, tmp_path: Path, command: list[str]
) -> None:
    answer = run.invoke(cli, [*command, "--json", "--kubeconfig", str(tmp_path / "none")])
    assert answer.exit_code == 2
    assert "there is no such file" in json.loads(answer.stdout)["error"]


async def interrupted(command: list[str], directory: Path) -> tuple[int | None, str, str]:
    """How the command ends that is interrupted while it waits for an answer."""
    connected = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        writer.close()

    listening = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    config = kubeconfig_of(f"http://127.0.0.1:{port}", directory)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *command, "--kubeconfig", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await asyncio.wait_for(connected.wait(), 60)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    listening.close()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("command", COMMANDS)
async def test_ctrl_c_ends_it_with_130_and_without_a_traceback(command: list[str], tmp_path: Path) -> None:
    code, out, err = await interrupted([*command, "--json"], tmp_path)
    assert (code, list(json.loads(out)), "Traceback" in err) == (130, ["error"], False)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("doctor", id="doctor"),
        pytest.param("status", id="status"),
        pytest.param("drain --skip-aws", id="drain"),
    ],
)
def test_who_closes_the_pipe_ends_the_command_quietly(cluster: ClusterThread, command: str) -> None:
    piped = f"{sys.executable} -m app {command} --kubeconfig {cluster.kubeconfig} | true"
    shown = f"{piped}; echo ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", shown], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("141\n", "")


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_what_is_piped_has_no_colours(cluster: ClusterThread, command: str) -> None:
    arguments = [sys.executable, "-m", "app", *command.split(), "--kubeconfig", str(cluster.kubeconfig)]
    found = subprocess.run(
        arguments, capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm-256color"}
    )
    assert found.stdout
    assert "\x1b" not in found.stdout + found.stderr
