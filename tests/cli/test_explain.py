"""`spillway explain`: what it prints of manifests, and with which code it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.targets import Owner, Targets, sorted_out

RUNS = """
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 300
      containers: [{name: main, image: it, resources: {requests: {cpu: 1, memory: 3Gi}}}]
"""
REFUSED = """
kind: Pod
metadata: {name: agent}
spec:
  hostPID: true
  teleport: true
  containers: [{name: main, image: it, resources: {requests: {cpu: 99}}}]
"""


CUT = "ECS kills 120 s after SIGTERM; set 120 or less"
LARGE = "99 vCPU with no memory exceeds Fargate's largest size (32 vCPU, 244Gi); request less"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal wide enough that no word is broken."""
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


def written(folder: Path, text: str) -> str:
    path = folder / "it.yaml"
    path.write_text(text)
    return str(path)


def test_a_pod_that_runs_is_said_with_its_size_and_caveats(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(cli, ["explain", written(tmp_path, RUNS)])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Deployment shop/web: can run on Fargate (1 vCPU, 3 GiB, 20 GiB of storage)",
        f"  differs  spec.terminationGracePeriodSeconds: {CUT}",
        "  costs    $0.0538 an hour on-demand, by the table that Spillway ships (us-east-1)",
    ]


def test_a_pod_that_cannot_is_said_with_every_reason(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(cli, ["explain", written(tmp_path, REFUSED)])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "Pod agent: cannot run on Fargate",
        "  refused  spec.teleport: misspelt, or newer than Spillway; mend or upgrade",
        "  refused  spec.hostPID: Fargate has no host to share with; remove hostPID",
        f"  refused  spec.containers: {LARGE}",
    ]


def test_standard_input_may_be_several_documents_and_one_refusal_counts(run: CliRunner) -> None:
    result = run.invoke(cli, ["explain", "-"], input=f"{RUNS}---{REFUSED}")
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if not line.startswith("  ")] == [
        "Deployment shop/web: can run on Fargate (1 vCPU, 3 GiB, 20 GiB of storage)",
        "Pod agent: cannot run on Fargate",
    ]


def test_json_is_one_object_with_codes_and_paths(run: CliRunner, tmp_path: Path) -> None:
    file = written(tmp_path, f"{RUNS}---{REFUSED}")
    result = run.invoke(cli, ["explain", "--json", file])
    web, agent = json.loads(result.output)["pods"]
    assert result.exit_code == 1
    assert web == {
        "source": file,
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "eligible": True,
        "reasons": [],
        "caveats": [
            {
                "code": "GracePeriodCut",
                "message": CUT,
                "field": "spec.terminationGracePeriodSeconds",
            }
        ],
        "helper": False,
        "size": {"vcpu": 1.0, "memoryMib": 3072, "storageGib": 20},
        "price": {
            "vcpu": 1.0,
            "memoryMib": 3072,
            "storageGib": 20,
            "hourly": pytest.approx(0.04048 + 3 * 0.004445),
            "purchase": "on-demand",
            "source": "table",
            "region": "us-east-1",
            "at": None,
        },
        "able": True,
        "ignored": [],
    }
    assert (agent["eligible"], agent["size"], agent["price"]) == (False, None, None)
    assert [reason["code"] for reason in agent["reasons"]] == ["UnknownField", "HostPID", "TooLarge"]


def test_an_amount_that_is_none_is_a_reason_and_no_traceback(run: CliRunner, tmp_path: Path) -> None:
    text = "{kind: Pod, spec: {containers: [{name: a, image: b, resources: {requests: {cpu: half}}}]}}"
    result = run.invoke(cli, ["explain", written(tmp_path, text)])
    assert result.exit_code == 1
    assert 'spec.containers[0].resources.requests[cpu]: "half" is no amount' in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("kind: ConfigMap", "nothing with a pod template", id="no-pod"),
        pytest.param("", "nothing with a pod template", id="nothing"),
        pytest.param("a: [red]x[/]", "not YAML", id="no-yaml"),
        pytest.param("a: '[red]'", "no kind", id="no-object"),
    ],
)
def test_bad_input_ends_with_2_and_says_so(run: CliRunner, tmp_path: Path, text: str, said: str) -> None:
    result = run.invoke(cli, ["explain", written(tmp_path, text)])
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_that_is_not_there_ends_with_2(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(cli, ["explain", str(tmp_path / "lost.yaml")])
    assert result.exit_code == 2
    assert "lost.yaml" in result.output


def test_a_file_that_is_no_text_ends_with_2(run: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert run.invoke(cli, ["explain", str(path)]).exit_code == 2


def test_what_cannot_be_read_is_named_and_takes_nothing_from_the_rest(run: CliRunner, tmp_path: Path) -> None:
    file, gone = written(tmp_path, f"a: '[red]'\n---{RUNS}---\na: [red]x[/]"), str(tmp_path / "gone.yaml")
    result = run.invoke(cli, ["explain", gone, file])
    assert result.exit_code == 2
    assert "Deployment shop/web: can run on Fargate" in result.stdout
    assert f"{gone}: cannot be read: No such file or directory" in result.stderr
    assert f"{file}: a document is no Kubernetes object: it has no kind" in result.stderr
    assert f"{file}: not YAML" in result.stderr


def test_a_wait_that_is_no_duration_is_refused(run: CliRunner) -> None:
    text = (
        "{kind: Pod, metadata: {annotations: {spillway.dev/max-wait: soon}}, "
        "spec: {containers: [{name: a, image: b}]}}"
    )
    result = run.invoke(cli, ["explain", "-"], input=text)
    assert result.exit_code == 1
    assert "refused  annotation spillway.dev/max-wait:" in result.output


@pytest.mark.parametrize(
    ("targets", "namespace", "expected"),
    [
        pytest.param(["shop/web-1"], "", Targets(pods=(("shop", "web-1"),)), id="pod"),
        pytest.param(
            ["web-1", "web-2"], "shop", Targets(pods=(("shop", "web-1"), ("shop", "web-2"))), id="names"
        ),
        pytest.param(["pod/web-1"], "shop", Targets(pods=(("shop", "web-1"),)), id="as-kubectl-writes-it"),
        pytest.param(["shop/web-1"], "shop", Targets(pods=(("shop", "web-1"),)), id="namespace-twice"),
        pytest.param(["deploy/web.yaml"], "", Targets(files=("deploy/web.yaml",)), id="no-such-manifest"),
        pytest.param(["-"], "", Targets(files=("-",)), id="standard-input"),
        pytest.param(["../web"], "", Targets(files=("../web",)), id="no-name"),
        pytest.param(["a/b/c"], "", Targets(files=("a/b/c",)), id="too-deep"),
        pytest.param(["web-1"], "", Targets(files=("web-1",)), id="a-bare-name"),
        pytest.param(["a/b", "c.yml"], "", Targets(files=("c.yml",), pods=(("a", "b"),)), id="both"),
        pytest.param(
            ["deployment/web", "deployments.apps/a", "sts/db", "rs/c", "ds/d", "jobs/e"],
            "shop",
            Targets(
                owners=(
                    Owner("Deployment", "shop", "web"),
                    Owner("Deployment", "shop", "a"),
                    Owner("StatefulSet", "shop", "db"),
                    Owner("ReplicaSet", "shop", "c"),
                    Owner("DaemonSet", "shop", "d"),
                    Owner("Job", "shop", "e"),
                )
            ),
            id="controllers",
        ),
    ],
)
def test_pods_are_told_from_files_and_controllers(
    targets: list[str], namespace: str, expected: Targets
) -> None:
    assert sorted_out(targets, namespace=namespace) == expected


@pytest.mark.parametrize(
    ("target", "namespace", "said"),
    [
        pytest.param("deployment/web", "", "deployment/web -n NAMESPACE", id="no-namespace"),
        pytest.param("pod/web-1", "", "pod/web-1 -n NAMESPACE", id="pod-without-namespace"),
        pytest.param("service/web", "shop", "kubectl get pods -n shop", id="no-pods-of-its-own"),
        pytest.param("examples/web.yaml", "shop", "leave -n out", id="manifest-with-a-namespace"),
    ],
)
def test_what_names_no_pod_is_told_with_the_mend_and_hides_nothing(
    target: str, namespace: str, said: str
) -> None:
    found = sorted_out([target, "a/b" if not namespace else "b"], namespace=namespace)
    assert said in found.faults[0]
    assert found.pods == ((namespace or "a", "b"),)


def test_a_path_that_is_there_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "web-1").touch()
    monkeypatch.chdir(tmp_path)
    assert sorted_out(["shop/web-1"], namespace="") == Targets(files=("shop/web-1",))


def test_a_bare_name_that_is_no_file_is_told_how_to_name_a_pod(run: CliRunner) -> None:
    result = run.invoke(cli, ["explain", "web-1"])
    assert result.exit_code == 2
    assert "NAMESPACE/NAME" in result.output


def test_a_daemon_set_is_refused_by_its_kind(run: CliRunner) -> None:
    text = "{kind: DaemonSet, spec: {template: {spec: {containers: [{name: a, image: b}]}}}}"
    result = run.invoke(cli, ["explain", "-"], input=text)
    assert result.exit_code == 1
    assert "refused  kind: Fargate has no machine" in result.output


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("volumes: [{name: v, configMap: {name: m}}]", id="files"),
        pytest.param("hostAliases: [{ip: 10.0.0.1, hostnames: [a]}]", id="a-wrapped-command"),
    ],
)
def test_a_pod_that_needs_the_helper_says_so(run: CliRunner, more: str) -> None:
    text = f"{{kind: Pod, spec: {{{more}, containers: [{{name: a, image: b}}]}}}}"
    result = run.invoke(cli, ["explain", "-"], input=text)
    assert result.exit_code == 0
    assert "helper, whose image --helper-image (bridge.settings.helperImage) names" in result.output


POD = "{kind: Pod, metadata: {name: a, namespace: demo, %s}, spec: {containers: [{name: a, image: b}]}}"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(
            "labels: {spillway.dev/overflow: enable}",
            1,
            'refused  label spillway.dev/overflow is "enable"; write enabled',
            id="misspelt",
        ),
        pytest.param(
            "labels: {spillway.dev/overflow: disabled}",
            1,
            "refused  metadata.labels: the pod's own label spillway.dev/overflow is disabled",
            id="disabled",
        ),
        pytest.param(
            "annotations: {spillway.dev/early-burst: 'yes'}",
            0,
            'ignored  metadata.annotations[spillway.dev/early-burst]: is "yes"',
            id="early",
        ),
        pytest.param(
            "annotations: {spillway.dev/max-wiat: 5m}",
            0,
            "annotation spillway.dev/max-wiat of a pod; do you mean spillway.dev/max-wait?",
            id="unknown-key",
        ),
        pytest.param(
            "annotations: {spillway.dev/overflow: enabled}",
            0,
            "ignored  nobody reads the annotation spillway.dev/overflow of a pod; it is a label of the pod",
            id="no-label",
        ),
        pytest.param(
            "labels: {spillway.dev/max-wait: 5m}",
            0,
            "ignored  nobody reads the label spillway.dev/max-wait of a pod; it is an annotation of the pod",
            id="no-annotation",
        ),
    ],
)
def test_a_manifests_own_words_are_judged_as_the_webhook_judges_them(
    run: CliRunner, words: str, code: int, said: str
) -> None:
    result = run.invoke(cli, ["explain", "-"], input=POD % words)
    assert result.exit_code == code
    assert said in result.output
    assert result.output.startswith("Pod demo/a: can run on Fargate")


@pytest.mark.parametrize(
    ("namespace", "own", "code", "said"),
    [
        pytest.param("enabled", "", 0, "can run on Fargate (", id="enabled"),
        pytest.param("enable", "", 1, 'overflow of its namespace is "enable", which means nothing', id="bad"),
        pytest.param("permitted", "", 1, "its namespace is permitted: only pods overflow", id="permitted"),
        pytest.param("permitted", "spillway.dev/overflow: enabled", 0, "can run on Fargate (", id="asked"),
    ],
)
def test_a_namespace_in_the_same_file_counts(
    run: CliRunner, namespace: str, own: str, code: int, said: str
) -> None:
    space = f"{{kind: Namespace, metadata: {{name: demo, labels: {{spillway.dev/overflow: {namespace}}}}}}}"
    text = f"{POD % f'labels: {{{own}}}'}\n---\n{space}"
    result = run.invoke(cli, ["explain", "-"], input=text)
    assert result.exit_code == code
    assert said in result.output


def test_a_manifest_whose_namespace_has_no_label_may_not_overflow(run: CliRunner) -> None:
    text = f"{{kind: List, items: [{{kind: Namespace, metadata: {{name: demo}}}}, {POD % ''}]}}"
    result = run.invoke(cli, ["explain", "-"], input=text)
    assert result.exit_code == 1
    assert "can run on Fargate, but may not" in result.output
    assert "the label spillway.dev/overflow of its namespace is missing" in result.output
