"""The main commands of the real kubectl, where it is on PATH."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.conftest import Kubectl
from tests.conformance.kubelets import asked, kubelet
from tests.conformance.servers import STRATEGIC, Space, a_config_map, a_deployment, a_pod

UNVERIFIED = "--insecure-skip-tls-verify-backend"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "all.json"
    items = [a_deployment(), a_pod("lone"), a_config_map(data={"a": "1"})]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return path


def test_apply_creates_leaves_alone_and_changes(kubectl: Kubectl, manifest: Path) -> None:
    created = kubectl("apply", "-f", str(manifest))
    same = kubectl("apply", "-f", str(manifest))
    manifest.write_text(manifest.read_text().replace('"a": "1"', '"a": "2"'))
    changed = kubectl("apply", "-f", str(manifest))

    assert created.splitlines() == ["deployment.apps/web created", "pod/lone created", "configmap/cm created"]
    assert [line.split()[-1] for line in same.splitlines()] == ["unchanged"] * 3
    assert changed.splitlines()[-1] == "configmap/cm configured"


def test_server_side_apply(kubectl: Kubectl, manifest: Path) -> None:
    applied = kubectl("apply", "--server-side", "-f", str(manifest))

    assert [line.split()[-1] for line in applied.splitlines()] == ["serverside-applied"] * 3


def test_apply_checks_fields(kubectl: Kubectl, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(a_pod(colour="red")))

    with pytest.raises(AssertionError, match=r'strict decoding error: unknown field "spec.colour"'):
        kubectl("apply", "-f", str(path))


def test_get_prints_the_columns(kubectl: Kubectl, manifest: Path) -> None:
    kubectl("apply", "-f", str(manifest))

    header, row = kubectl("get", "deployments").splitlines()

    assert header.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["web", "0/0", "0", "0"]


def test_get_finds_short_names_and_categories(kubectl: Kubectl, manifest: Path) -> None:
    kubectl("apply", "-f", str(manifest))

    assert kubectl("get", "deploy,po", "-o", "name").splitlines() == ["deployment.apps/web", "pod/lone"]
    assert "pod/lone" in kubectl("get", "all", "-o", "name")


def test_label_annotate_and_patch(kubectl: Kubectl, space: Space) -> None:
    space.pod()
    kubectl("label", "pod", "web", "a=b")
    kubectl("annotate", "pod", "web", "c=d")
    kubectl("patch", "pod", "web", "--patch", '{"metadata": {"labels": {"e": "f"}}}')

    metadata = json.loads(kubectl("get", "pod", "web", "-o", "json"))["metadata"]

    assert metadata["labels"] == {"a": "b", "e": "f"}
    assert metadata["annotations"] == {"c": "d"}


def test_scale(kubectl: Kubectl, space: Space) -> None:
    space.api.post(space.deployments, a_deployment())

    assert kubectl("scale", "deployment/web", "--replicas=1") == "deployment.apps/web scaled\n"
    assert space.api.get(f"{space.deployments}/web").json()["spec"]["replicas"] == 1


def test_wait_for_a_condition_and_for_a_deletion(kubectl: Kubectl, space: Space) -> None:
    space.pod()
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    space.api.patch(f"{space.pods}/web/status", ready, STRATEGIC)

    assert kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=50s") == "pod/web condition met\n"
    assert kubectl("delete", "pod", "web", "--timeout=50s").startswith('pod "web" deleted')


def test_delete_of_a_manifest(kubectl: Kubectl, manifest: Path) -> None:
    kubectl("apply", "-f", str(manifest))

    kubectl("delete", "--timeout=50s", "-f", str(manifest))

    assert kubectl("get", "pods,deployments", "-o", "name") == ""


def test_describe_shows_a_pod_and_its_events(kubectl: Kubectl, space: Space) -> None:
    uid = space.pod()["metadata"]["uid"]
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1"},
        "involvedObject": {"kind": "Pod", "namespace": space.name, "name": "web", "uid": uid},
        "reason": "Burst",
        "message": "no room on real nodes",
        "type": "Normal",
        "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "spillway"},
    }
    space.api.post(space.path("events"), event)

    described = kubectl("describe", "pod", "web")

    assert "Status:           Pending" in described
    assert "no room on real nodes" in described


def test_create_from_a_manifest(kubectl: Kubectl, manifest: Path) -> None:
    created = kubectl("create", "-f", str(manifest))

    assert [line.split()[-1] for line in created.splitlines()] == ["created"] * 3


def test_a_watch_prints_what_is_there(kubectl: Kubectl, space: Space) -> None:
    space.pod()

    watched = kubectl("get", "pods", "--watch", "--request-timeout=5s", "-o", "name")

    assert watched.splitlines() == ["pod/web"]


def test_the_rollout_of_an_empty_deployment_is_complete(kubectl: Kubectl, space: Space) -> None:
    space.api.post(space.deployments, a_deployment())
    space.api.patch(f"{space.deployments}/web/status", {"status": {"observedGeneration": 1}})

    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=50s")


def test_logs_come_from_the_kubelet_that_is_asked_as_the_user_asked(
    kubectl: Kubectl, space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)

    with kubelet(space.api, node, asked, tmp_path):
        printed = kubectl("logs", "web", "--tail=5", "--timestamps", UNVERIFIED)

    assert printed == f"/containerLogs/{space.name}/web/main?tailLines=5&timestamps=true\n"


def test_logs_are_followed_line_by_line(
    command: list[str], environment: dict[str, str], space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)
    go_on = threading.Event()

    def slow(path: str) -> Iterator[str]:
        yield f"{path}\n"
        assert go_on.wait(timeout=30)
        yield "the end\n"

    follow = [*command, "logs", "-f", "web", "--since=9s", UNVERIFIED]
    with (
        kubelet(space.api, node, slow, tmp_path),
        subprocess.Popen(follow, env=environment, stdout=subprocess.PIPE, text=True) as running,
    ):
        assert running.stdout is not None
        first = running.stdout.readline()
        go_on.set()
        rest = running.stdout.read()

    assert first == f"/containerLogs/{space.name}/web/main?follow=true&sinceSeconds=9\n"
    assert rest == "the end\n"
    assert running.returncode == 0


def test_a_secret_is_applied_with_plain_strings_and_changed(kubectl: Kubectl, tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"k": "old"}}
    path.write_text(json.dumps(secret))
    kubectl("apply", "-f", str(path))
    path.write_text(json.dumps({**secret, "stringData": {"k": "new"}}))
    kubectl("apply", "-f", str(path))

    assert kubectl("get", "secret", "db", "-o", "jsonpath={.data.k}") == "bmV3"
    assert kubectl("get", "secret", "db").split()[4:7] == ["db", "Opaque", "1"]


def test_a_secret_is_applied_by_the_server_with_plain_strings(kubectl: Kubectl, tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"k": "old"}}
    path.write_text(json.dumps(secret))
    kubectl("apply", "--server-side", "-f", str(path))
    path.write_text(json.dumps({**secret, "stringData": {"k": "new"}}))
    kubectl("apply", "--server-side", "-f", str(path))

    assert kubectl("get", "secret", "db", "-o", "jsonpath={.data.k}") == "bmV3"


def test_a_token_is_created_from_a_file(kubectl: Kubectl, space: Space, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(
        json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
    )

    made = kubectl("create", "--raw", space.path("serviceaccounts", "default", "token"), "-f", str(path))

    assert json.loads(made)["status"]["token"].count(".") == 2
