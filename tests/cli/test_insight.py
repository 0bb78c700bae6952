"""`spillway explain POD` and `spillway status` against an embedded cluster: what they print, how they end."""

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.status import Options, Screen
from app.model import names
from tests.builders import a_node, a_pod
from tests.cli.clusters import ClusterThread
from tests.extender.fakes import a_pressing_pod

MANIFEST = "{kind: Pod, spec: {containers: [{name: a, image: b}]}}"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A terminal wide enough that no word is broken, with no cluster of its own."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "SPILLWAY_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterThread]:
    """An empty cluster."""
    running = ClusterThread(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def installed(cluster: ClusterThread) -> ClusterThread:
    """A cluster with a virtual node that somebody minds."""
    cluster.install()
    return cluster


def told(output: str) -> dict[str, str]:
    """The rows of a text by their labels, the first of each."""
    rows: dict[str, str] = {}
    for line in output.splitlines():
        label, _, text = line.strip().partition(" ")
        rows.setdefault(label, text.strip())
    return rows


def test_a_healthy_cluster_is_well_and_ends_with_0(run: CliRunner, installed: ClusterThread) -> None:
    result = run.invoke(cli, ["status", "--kubeconfig", str(installed.kubeconfig)])
    assert result.exit_code == 0
    rows = told(result.output)
    assert rows["well"] == "a leader decides, and a virtual node takes pods"
    assert rows["gate"] == f"holder-of-{names.GATE_LEASE} leads"
    assert rows["overflow"] == "no pod is on Fargate"
    assert rows["note"] == "no extender has published its settings: judged by the defaults"


def test_a_cluster_without_spillway_ends_with_1_and_the_mend(run: CliRunner, cluster: ClusterThread) -> None:
    result = run.invoke(cli, ["status", "--kubeconfig", str(cluster.kubeconfig)])
    assert result.exit_code == 1
    troubles = [line for line in result.output.splitlines() if line.startswith("TROUBLE")]
    assert ["no extender leads" in troubles[0], "install `spillway bridge`" in troubles[1]] == [True, True]


def test_the_namespace_of_the_leases_can_be_named(run: CliRunner, installed: ClusterThread) -> None:
    arguments = ["status", "--kubeconfig", str(installed.kubeconfig), "--spillway-namespace", "elsewhere"]
    result = run.invoke(cli, arguments)
    assert result.exit_code == 1
    assert "no extender leads (there is no Lease)" in result.output


def test_status_is_one_json_object(run: CliRunner, installed: ClusterThread) -> None:
    installed.pod(a_pressing_pod("waits", annotations={names.MAX_WAIT: "8000h"}))
    result = run.invoke(cli, ["status", "--json", "--kubeconfig", str(installed.kubeconfig)])
    found = json.loads(result.output)
    assert [(each["code"], each["oldest"]) for each in found["waiting"]] == [("MaxWait", "shop/waits")]
    assert found["gates"][0]["bridge"] == "holder-of-fargate"


def test_pods_are_explained_each_by_itself(run: CliRunner, installed: ClusterThread) -> None:
    installed.node(a_node("ec2-0"))
    installed.pod(a_pressing_pod("waits", annotations={names.MAX_WAIT: "8000h"}))
    installed.pod(a_pod("there", node="ec2-0"))
    arguments = ["explain", "-n", "shop", "waits", "there", "--kubeconfig", str(installed.kubeconfig)]
    result = run.invoke(cli, arguments)
    assert result.exit_code == 0
    heads = [line for line in result.output.splitlines() if not line.startswith(" ")]
    assert heads == [
        "Pod shop/waits: waits",
        "Pod shop/there: runs on a real node: it did not need Fargate (ec2-0)",
    ]
    assert told(result.output)["why"] == "waits for a real node first, as its max-wait says"


def test_a_pod_that_is_refused_ends_with_1(run: CliRunner, installed: ClusterThread) -> None:
    installed.pod(a_pressing_pod("odd", annotations={names.MAX_WAIT: "soon"}))
    result = run.invoke(cli, ["explain", "shop/odd", "--kubeconfig", str(installed.kubeconfig)])
    assert result.exit_code == 1
    assert told(result.output)["why"].startswith("metadata.annotations[spillway.dev/max-wait]: ")


def test_pods_and_manifests_go_together_in_json(
    run: CliRunner, installed: ClusterThread, tmp_path: Path
) -> None:
    installed.pod(a_pressing_pod("due"))
    file = tmp_path / "it.yaml"
    file.write_text(MANIFEST)
    arguments = ["explain", "--json", "shop/due", str(file), "--kubeconfig", str(installed.kubeconfig)]
    found = json.loads(run.invoke(cli, arguments).output)
    assert [each["state"] for each in found["live"]] == ["due"]
    assert [each["eligible"] for each in found["pods"]] == [True]


def test_a_pod_that_is_not_there_ends_with_2(run: CliRunner, installed: ClusterThread) -> None:
    result = run.invoke(cli, ["explain", "shop/nobody", "--kubeconfig", str(installed.kubeconfig)])
    assert result.exit_code == 2
    assert "`kubectl get pods` shows the names" in result.output


@pytest.mark.parametrize("command", [["status"], ["explain", "shop/web-1"]])
def test_without_a_cluster_the_mend_is_named(run: CliRunner, command: list[str]) -> None:
    result = run.invoke(cli, command)
    assert result.exit_code == 2
    assert "give --kubeconfig, set KUBECONFIG" in result.output


@pytest.mark.parametrize("command", [["status"], ["explain", "shop/web-1"]])
def test_a_cluster_that_does_not_answer_is_named(
    run: CliRunner, cluster: ClusterThread, tmp_path: Path, command: list[str]
) -> None:
    config = json.loads(cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    dead = tmp_path / "dead"
    dead.write_text(json.dumps(config))
    result = run.invoke(cli, [*command, "--kubeconfig", str(dead)])
    assert result.exit_code == 2
    assert "no answer from https://127.0.0.1:1" in result.output
    assert "--kubeconfig or KUBECONFIG names another" in result.output


def test_a_manifest_alone_asks_no_cluster(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert run.invoke(cli, ["explain", "-"], input=MANIFEST).exit_code == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [pytest.param(["--json"], b'"troubles":[]', id="json"), pytest.param([], b"Spillway at", id="text")],
)
async def test_watching_ends_cleanly_with_the_last_looks_code(
    installed: ClusterThread, more: list[str], said: bytes
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "status", "--watch", "--every", "0.5", *more),
        *("--kubeconfig", str(installed.kubeconfig)),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(2):
        await process.stdout.readuntil(said)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


def test_watching_goes_on_where_the_cluster_does_not_answer_for_once(run: CliRunner) -> None:
    console, other = Console(file=io.StringIO()), io.StringIO()
    options = Options(kubeconfig="", spillway_namespace="", as_json=False, watch=True, every=1)
    with contextlib.redirect_stderr(other), Screen(options, console) as screen:
        screen.complain("no answer")
    assert other.getvalue() == "no answer; asked again\n"
