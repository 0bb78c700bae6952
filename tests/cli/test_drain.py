"""`spillway drain` against an embedded cluster without a bridge: what it prints, and how it ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.kube.departures import Departures
from app.model.names import GATE
from app.ports.failures import Refused
from app.wiring.local.programs import NODE
from tests.builders import a_node, a_pod
from tests.cli.clusters import ClusterThread

GENTLE = ("--skip-aws", "--timeout=1s")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A terminal wide enough that no word is broken, with neither cluster nor credentials of its own."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "SPILLWAY_NAMESPACE", "SPILLWAY_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterThread]:
    """A cluster with a virtual node that somebody minds."""
    running = ClusterThread(tmp_path)
    running.install()
    yield running
    running.stop()


def asked(cluster: ClusterThread, *flags: str) -> list[str]:
    return ["drain", f"--kubeconfig={cluster.kubeconfig}", *flags]


def test_where_nothing_overflows_it_closes_the_gate_and_is_done(
    run: CliRunner, cluster: ClusterThread
) -> None:
    answer = run.invoke(cli, asked(cluster, "--skip-aws"))
    assert answer.exit_code == 0, answer.output
    assert f"node {NODE}: gate closed, cordoned" in answer.stdout
    assert "nothing is left: no overflow pod, and ECS was not asked (--skip-aws)" in answer.stdout
    assert f"to undo: kubectl annotate node {NODE} {GATE}- && kubectl uncordon {NODE}" in answer.stdout


def test_without_a_region_it_is_said_what_is_not_proven(run: CliRunner, cluster: ClusterThread) -> None:
    answer = run.invoke(cli, asked(cluster, "--dry-run"))
    assert answer.exit_code == 1, answer.output
    assert "unproven  whether tasks are left: " in answer.stdout
    assert "give credentials and --region, or say --skip-aws" in answer.stdout


def test_what_is_left_is_named_with_the_mend(run: CliRunner, cluster: ClusterThread) -> None:
    cluster.pod(a_pod("bare", node=NODE))
    answer = run.invoke(cli, asked(cluster, *GENTLE))
    assert answer.exit_code == 1, answer.output
    assert "left      pod shop/bare: no controller would make it anew; say --stop-bare-pods" in answer.stdout


def test_of_much_that_is_left_the_first_is_named(run: CliRunner, cluster: ClusterThread) -> None:
    for number in range(60):
        cluster.pod(a_pod(f"bare-{number}", node=NODE))
    answer = run.invoke(cli, asked(cluster, *GENTLE))
    lines = [line for line in answer.stdout.splitlines() if line.startswith("left ")]
    assert (len(lines), lines[-1]) == (51, "left      and 10 more; --json has all")


def test_no_object_is_removed_while_something_is_left(run: CliRunner, cluster: ClusterThread) -> None:
    cluster.pod(a_pod("bare", node=NODE))
    answer = run.invoke(cli, asked(cluster, *GENTLE, "--delete-nodes", "--json"))
    assert json.loads(answer.stdout)["removed"] is None
    assert run.invoke(cli, asked(cluster, *GENTLE, "--dry-run")).exit_code == 1


@pytest.mark.parametrize(
    ("flags", "method", "needs"),
    [
        pytest.param((), "close", "list and patch on nodes", id="to-drain"),
        pytest.param(("--delete-nodes",), "claim", "delete on nodes and pods", id="to-remove-nodes"),
    ],
)
def test_a_right_that_is_missing_ends_it_with_2_and_is_named(
    run: CliRunner,
    cluster: ClusterThread,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    method: str,
    needs: str,
) -> None:
    async def refused(*_args: object, **_fields: object) -> None:
        raise Refused("it is forbidden")

    monkeypatch.setattr(Departures, method, refused)
    answer = run.invoke(cli, asked(cluster, "--skip-aws", *flags))
    assert answer.exit_code == 2, answer.output
    assert "it is forbidden; your account needs get on namespaces" in answer.stderr
    assert needs in answer.stderr


def test_json_is_one_object_and_progress_goes_to_standard_error(
    run: CliRunner, cluster: ClusterThread
) -> None:
    answer = run.invoke(cli, asked(cluster, "--skip-aws", "--json", "--delete-nodes"))
    told = json.loads(answer.stdout)
    assert (told["nothingLeft"], told["proven"], told["removed"]["nodes"]) == (True, False, [NODE])
    assert f"node {NODE}: removed" in answer.stderr


def test_a_dry_run_shows_what_would_go_and_changes_nothing(run: CliRunner, cluster: ClusterThread) -> None:
    flags = ("--skip-aws", "--dry-run", "--delete-nodes")
    first = run.invoke(cli, asked(cluster, *flags))
    again = run.invoke(cli, asked(cluster, *flags))
    assert (first.exit_code, first.stdout) == (1, again.stdout)
    assert f"left      node {NODE}: it is to be removed" in first.stdout
    assert "a dry run: nothing was done; 2 things would be seen to" in first.stdout


def test_real_nodes_are_left_alone(run: CliRunner, cluster: ClusterThread) -> None:
    cluster.node(a_node("ec2-9"))
    answer = run.invoke(cli, asked(cluster, "--skip-aws", "--delete-nodes", "--json"))
    assert json.loads(answer.stdout)["nodes"] == [NODE]


def test_without_a_cluster_it_ends_with_2(run: CliRunner, tmp_path: Path) -> None:
    answer = run.invoke(cli, ["drain", f"--kubeconfig={tmp_path / 'none'}"])
    assert answer.exit_code == 2, answer.output


@pytest.mark.parametrize("flags", [("--after-uninstall",), ("--timeout=soon",), ("--at-once=0",)])
def test_flags_that_mean_nothing_end_with_2(run: CliRunner, flags: tuple[str, ...]) -> None:
    assert run.invoke(cli, ["drain", *flags]).exit_code == 2
