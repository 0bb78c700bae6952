"""`spillway explain POD` and `spillway status` against an embedded cluster: what they print, how they end."""

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
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
    assert result.exit_code == 1
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
    assert told(result.output)["why"].startswith("annotation spillway.dev/max-wait: ")


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


def test_a_name_that_is_wrong_hides_no_other_pod(
    run: CliRunner, installed: ClusterThread, tmp_path: Path
) -> None:
    installed.pod(a_pressing_pod("due"))
    (tmp_path / "it.yaml").write_text(MANIFEST)
    targets = ["shop/nobody", "shop/due", "deployment/web", str(tmp_path / "it.yaml")]
    result = run.invoke(cli, ["explain", *targets, "--kubeconfig", str(installed.kubeconfig)])
    assert result.exit_code == 2
    assert "Pod shop/due: may burst now" in result.stdout
    assert "can run on Fargate" in result.stdout
    assert "nobody" in result.stderr
    assert "deployment/web needs its namespace" in result.stderr


def test_without_a_cluster_manifests_are_explained_all_the_same(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text(MANIFEST)
    result = run.invoke(cli, ["explain", "shop/web-1", str(tmp_path / "it.yaml")])
    assert result.exit_code == 2
    assert "can run on Fargate" in result.stdout
    assert "give --kubeconfig, set KUBECONFIG" in result.stderr


def test_a_controller_stands_for_its_pods(run: CliRunner, installed: ClusterThread) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    installed.pod(a_pressing_pod("db-0", metadata={"ownerReferences": [owner]}))
    installed.pod(a_pressing_pod("other"))
    arguments = ["explain", "-n", "shop", "sts/db", "sts/none", "--kubeconfig", str(installed.kubeconfig)]
    result = run.invoke(cli, arguments)
    heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert (len(heads), heads[0].partition(":")[0]) == (1, "Pod shop/db-0")
    assert "StatefulSet shop/none has no pods; `kubectl get pods -n shop`" in result.stderr


def test_a_kubeconfig_that_is_not_there_is_said_to_be_not_there(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nope")
    result = run.invoke(cli, ["status"])
    assert result.exit_code == 2
    assert "kubeconfig /nope: there is no such file" in result.stderr


def test_who_reads_only_the_first_lines_ends_the_command_quietly(tmp_path: Path) -> None:
    file = tmp_path / "it.yaml"
    file.write_text("\n---\n".join([MANIFEST] * 3000))
    command = f"{sys.executable} -m app explain {file} | head -1; echo ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[1:] == ["141"]
    assert found.stderr == ""


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
