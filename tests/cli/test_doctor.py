"""`spillway doctor`: what it prints, and how it ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.doctor import row
from app.cli.main import cli
from app.doctor.finding import fail, ok
from app.local.registration import webhook_configuration
from app.model import names
from tests.builders import a_virtual_node
from tests.cli.clusters import ClusterThread

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NOBODY = "https://127.0.0.1:1"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A terminal with no cluster of its own."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "SPILLWAY_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return CliRunner()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterThread]:
    """An empty cluster."""
    running = ClusterThread(tmp_path)
    yield running
    running.stop()


def levels(output: str, subject: str) -> set[str]:
    lines = [line.split() for line in output.splitlines()]
    return {line[0] for line in lines if line[1:2] == [subject]}


def test_a_finding_is_one_line_with_its_mend() -> None:
    assert row(ok("gate", "x leads")).plain == "OK   gate         x leads"
    assert row(fail("gate", "nobody leads", "look")).plain == "FAIL gate         nobody leads; mend: look"


def test_a_cluster_without_spillway_ends_with_1_and_says_what_is_missing(
    run: CliRunner, cluster: ClusterThread
) -> None:
    result = run.invoke(cli, ["doctor", "--kubeconfig", str(cluster.kubeconfig)])
    assert result.exit_code == 1
    assert levels(result.stdout, "webhook") == {"FAIL"}
    assert levels(result.stdout, "gate") == {"FAIL"}
    assert "there is no virtual node" in result.stdout
    assert "[" not in result.stdout.partition("FAIL")[0]


def test_a_webhook_that_nobody_answers_for_fails_the_trial(run: CliRunner, cluster: ClusterThread) -> None:
    cluster.install()
    cluster.post(CONFIGURATIONS, webhook_configuration(url=NOBODY, ca_pem=b"x", conditions=False))
    result = run.invoke(cli, ["doctor", "--kubeconfig", str(cluster.kubeconfig)])
    assert (result.exit_code, levels(result.stdout, "trial")) == (1, {"FAIL"})
    assert (levels(result.stdout, "webhook"), levels(result.stdout, "certificate")) == ({"OK"}, {"SKIP"})
    assert (levels(result.stdout, "gate"), levels(result.stdout, "namespaces")) == ({"OK"}, {"OK"})


def test_json_has_the_same_findings(run: CliRunner, cluster: ClusterThread) -> None:
    result = run.invoke(cli, ["doctor", "--json", "--kubeconfig", str(cluster.kubeconfig)])
    found = json.loads(result.stdout)
    assert found["levels"]["FAIL"] == sum(each["level"] == "FAIL" for each in found["findings"])
    assert set(found["findings"][0]) == {"subject", "level", "seen", "mend"}


def test_nodes_of_ours_are_looked_at_one_by_one(run: CliRunner, cluster: ClusterThread) -> None:
    cluster.install()
    labels = {"kubernetes.io/hostname": "second", names.NODE_TYPE_LABEL: names.VIRTUAL_KUBELET}
    cluster.node(a_virtual_node("second", labels=labels))
    result = run.invoke(cli, ["doctor", "--kubeconfig", str(cluster.kubeconfig)])
    assert "kubectl label node second kubernetes.io/hostname-" in result.stdout


def test_without_a_cluster_it_ends_with_2_and_names_the_mend(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(cli, ["doctor"])
    assert (result.exit_code, "give --kubeconfig" in result.stderr) == (2, True)
    kubeconfig = tmp_path / "nowhere"
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": NOBODY}}],
                "users": [{"name": "u", "user": {}}],
            }
        )
    )
    result = run.invoke(cli, ["doctor", "--kubeconfig", str(kubeconfig)])
    assert (result.exit_code, "127.0.0.1:1" in result.stderr) == (2, True)
