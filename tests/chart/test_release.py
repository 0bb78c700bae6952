"""A release on a real API server: installed, upgraded and taken away by Helm 3 and by Helm 4."""

import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest
import yaml

from app.model import names
from tests.chart.rendering import (
    CHART,
    NAMESPACE,
    ROOT,
    Json,
    Outcome,
    combination,
    helm,
    is_hook,
    merged,
    path_of,
    rendered,
)
from tests.conformance.servers import MERGE, STRATEGIC, ApiServer

TLS = f"/api/v1/namespaces/{NAMESPACE}/secrets/spillway-tls"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/spillway"
DOCTOR = f"/api/v1/namespaces/{NAMESPACE}/pods/spillway-doctor"
TAINT = {"key": names.TAINT_KEY, "value": names.TAINT_VALUE, "effect": names.TAINT_EFFECT}
EXTENDER = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/spillway-extender"
BRIDGE = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/spillway-bridge"
ISSUED = {"tls.crt": b64encode(b"certificate").decode(), "tls.key": b64encode(b"key").decode()}
AUTHORITY = b64encode(b"-----BEGIN CERTIFICATE-----").decode()


class Release:
    """The release `spillway`, by one major version of Helm."""

    def __init__(self, api: ApiServer, major: int) -> None:
        self.api = api
        self.major = major

    def tried(self, verb: str, *arguments: str | Path, values: Json | None = None) -> Outcome:
        place = (f"--kubeconfig={self.api.kubeconfig}", f"--namespace={NAMESPACE}")
        return helm(self.major, verb, "spillway", *arguments, *place, values=values)

    def run(self, verb: str, *arguments: str | Path, values: Json | None = None) -> None:
        outcome = self.tried(verb, *arguments, values=values)
        assert outcome.code == 0, outcome.errors

    def issue(self) -> None:
        """What the issuer writes."""
        assert self.api.patch(TLS, {"data": ISSUED}, MERGE, fieldManager="spillway-issuer").is_success
        names = [each["name"] for each in self.api.get(CONFIGURATION).json()["webhooks"]]
        entries = [{"name": name, "clientConfig": {"caBundle": AUTHORITY}} for name in names]
        body = {"webhooks": entries}
        assert self.api.patch(CONFIGURATION, body, STRATEGIC, fieldManager="spillway-issuer").is_success


@pytest.fixture(params=[3, 4], ids=["helm 3", "helm 4"])
def release(api: ApiServer, request: pytest.FixtureRequest) -> Iterator[Release]:
    made = Release(api, request.param)
    made.run("install", CHART, values=combination("default"))
    yield made
    made.run("uninstall", "--no-hooks", "--ignore-not-found")


def test_an_upgrade_leaves_what_the_issuer_wrote(release: Release) -> None:
    release.issue()
    values = merged(combination("default"), {"bridge": {"settings": {"nodeName": "fargate-2"}}})
    release.run("upgrade", CHART, values=values)
    api = release.api
    container = api.get(BRIDGE).json()["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "SPILLWAY_NODE_NAME", "value": "fargate-2"} in container["env"]
    assert api.get(TLS).json()["data"] == ISSUED
    bundles = {each["clientConfig"].get("caBundle") for each in api.get(CONFIGURATION).json()["webhooks"]}
    assert bundles == {AUTHORITY}


def test_an_upgrade_to_the_other_actuator_and_back_is_accepted(release: Release) -> None:
    release.issue()
    release.run("upgrade", CHART, values=combination("second-scheduler"))
    assert len(release.api.get(CONFIGURATION).json()["webhooks"]) == 3
    release.run("upgrade", CHART, values=combination("default"))
    bundles = [
        each["clientConfig"].get("caBundle") for each in release.api.get(CONFIGURATION).json()["webhooks"]
    ]
    assert bundles == [AUTHORITY, AUTHORITY]


def test_an_uninstall_leaves_nothing(release: Release) -> None:
    release.issue()
    release.run("uninstall", "--no-hooks", "--cascade=background", "--wait")
    assert what_is_left(release.api) == set()


JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DRAINS = ("spillway-drain", "spillway-drain-leases")
"""The Jobs of an uninstall, in order."""


def test_an_uninstall_that_gives_up_leaves_the_drain_its_rights(release: Release) -> None:
    assert release.tried("uninstall", "--timeout=4s").code != 0
    api = release.api
    standing = [path_of(each) for each in rendered() if is_of_drain(each) and not is_hook(each)]
    assert len(standing) == 4
    assert {path: api.get(path).status_code for path in standing} == dict.fromkeys(standing, 200)
    given_up = api.get(f"{JOBS}/spillway-drain").json()["metadata"]["uid"]
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(end_drains, api, given_up)
        release.run("uninstall", "--timeout=60s", "--cascade=background", "--wait")
        ending.result()
    assert what_is_left(api) == set()


def test_an_uninstall_takes_the_policy_away_that_it_made_for_its_end(release: Release) -> None:
    release.run("upgrade", CHART, values=combination("network-policies-open"))
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(end_drains, release.api, "none")
        release.run("uninstall", "--timeout=60s", "--cascade=background", "--wait")
        ending.result()
    assert what_is_left(release.api, "network-policies-open") == set()


def test_an_uninstall_without_hooks_leaves_but_the_job_of_one_that_gave_up(release: Release) -> None:
    assert release.tried("uninstall", "--timeout=4s").code != 0
    release.run("uninstall", "--no-hooks", "--cascade=background", "--wait")
    job = f"{JOBS}/spillway-drain"
    assert what_is_left(release.api) == {job}
    spec = release.api.get(job).json()["spec"]
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (290, 86_400)
    assert release.api.delete(job, propagationPolicy="Background").is_success


def is_of_drain(each: Json) -> bool:
    return bool(each["metadata"]["labels"]["app.kubernetes.io/component"] == "drain")


def what_is_left(api: ApiServer, base: str = "default") -> set[str]:
    paths = {path_of(each) for each in rendered(base=base)}
    return {path for path in paths if api.get(path).status_code != 404}


def end_drains(api: ApiServer, given_up: str) -> None:
    """What a kubelet says in the end of the pods of both."""
    for name in DRAINS:
        pod = until_made(api, name, given_up)
        status = {"status": {"phase": "Succeeded"}}
        assert api.patch(f"{PODS}/{pod}/status", status, MERGE).is_success


def until_made(api: ApiServer, job: str, old: str) -> str:
    """The name of its pod, which is not the old Job's."""
    deadline = monotonic() + 30
    made = f"batch.kubernetes.io/job-name={job},batch.kubernetes.io/controller-uid!={old}"
    while not (found := api.get(PODS, labelSelector=made).json()["items"]):
        assert monotonic() < deadline, f"{job} was not made anew"
        sleep(0.1)
    return str(found[0]["metadata"]["name"])


SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def cert_manager(api: ApiServer) -> Iterator[None]:
    """An API server that knows cert-manager's kinds; nobody signs anything."""
    made = [api.post(CRDS, kind_of_cert_manager(kind)).json() for kind in ("Certificate", "Issuer")]
    for each in made:
        until_served(api, f"/apis/cert-manager.io/v1/{each['spec']['names']['plural']}")
    yield
    for each in made:
        assert api.delete(f"{CRDS}/{each['metadata']['name']}").is_success


def kind_of_cert_manager(kind: str) -> Json:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.cert-manager.io"},
        "spec": {
            "group": "cert-manager.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def until_served(api: ApiServer, path: str) -> None:
    deadline = monotonic() + 20
    while not api.get(path).is_success:
        assert monotonic() < deadline, f"{path} is not served"
        sleep(0.1)


def of_type_tls(name: str) -> Json:
    data = dict.fromkeys(("ca.crt", "tls.crt", "tls.key"), AUTHORITY)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/tls",
        "data": data,
    }


@pytest.mark.usefixtures("cert_manager")
def test_certificates_can_come_from_cert_manager_and_from_our_issuer_again(release: Release) -> None:
    release.issue()
    release.run("upgrade", CHART, values=combination("cert-manager"))
    assert release.api.get(TLS).status_code == 404
    theirs = f"{SECRETS}/spillway-cert-manager-tls"
    assert release.api.post(SECRETS, of_type_tls("spillway-cert-manager-tls")).is_success
    release.run("upgrade", CHART, values=combination("default"))
    assert release.api.get(TLS).json()["type"] == "Opaque"
    assert release.api.delete(theirs).is_success


def test_a_secret_that_the_issuer_could_not_write_is_named_with_the_mend(release: Release) -> None:
    release.run("upgrade", CHART, values=combination("provided-certificate"))
    assert release.api.post(SECRETS, of_type_tls("spillway-tls")).is_success
    outcome = release.tried("upgrade", CHART, values=combination("default"))
    assert outcome.code != 0
    assert "kubectl -n spillway delete secret spillway-tls" in outcome.errors
    assert release.api.delete(TLS).is_success
    release.run("upgrade", CHART, values=combination("default"))


def test_a_release_of_an_older_chart_is_upgraded_with_its_own_values(
    release: Release, tmp_path: Path
) -> None:
    older = tmp_path / "spillway"
    shutil.copytree(CHART, older)
    known = yaml.safe_load((CHART / "values.yaml").read_text())
    (older / "values.yaml").write_text(
        yaml.safe_dump({name: value for name, value in known.items() if name not in {"doctor", "drain"}})
    )
    release.run("upgrade", older, values=combination("default"))
    release.run("upgrade", CHART, "--reuse-values", "--set=extender.settings.gate=observe")
    template = release.api.get(EXTENDER).json()["spec"]["template"]
    assert {"name": "SPILLWAY_GATE", "value": "observe"} in template["spec"]["containers"][0]["env"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_test_of_the_release_ends_as_its_pod_does(release: Release, phase: str) -> None:
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(end_doctor, release.api, phase)
        outcome = release.tried("test", "--timeout=30s")
        ending.result()
    assert (outcome.code == 0) == (phase == "Succeeded"), outcome.errors
    is_left = release.api.get(DOCTOR).status_code == 200
    assert is_left == (phase == "Failed")
    release.api.delete(DOCTOR, gracePeriodSeconds=0)


def end_doctor(api: ApiServer, phase: str) -> None:
    """What a kubelet says in the end."""
    until_served(api, DOCTOR)
    status = {"status": {"phase": phase}}
    assert api.patch(f"{DOCTOR}/status", status, MERGE).is_success


def test_the_doctor_of_the_test_finds_what_an_admin_finds_but_for_what_takes_more_rights(
    release: Release, tmp_path: Path
) -> None:
    by_account(release.api, "spillway-doctor", tmp_path / "kubeconfig")
    node = {"metadata": {"name": "fargate"}, "spec": {"taints": [TAINT]}}
    assert release.api.post("/api/v1/nodes", node).is_success
    opted = {"metadata": {"labels": {"spillway.dev/overflow": "enabled"}}}
    assert release.api.patch("/api/v1/namespaces/shop", opted, MERGE).is_success
    mine, admins = (examined(path) for path in (tmp_path / "kubeconfig", release.api.kubeconfig))
    assert {subject for subject, told in mine.items() if told != admins[subject]} <= MORE_RIGHTS
    assert mine["rbac"] == {"OK"}
    assert release.api.delete("/api/v1/nodes/fargate").is_success
    nobody = {"metadata": {"labels": {"spillway.dev/overflow": None}}}
    assert release.api.patch("/api/v1/namespaces/shop", nobody, MERGE).is_success


def by_account(api: ApiServer, account: str, path: Path) -> None:
    """A kubeconfig with the token of a service account."""
    tokens = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    token = api.post(tokens, {"spec": {}}).json()["status"]["token"]
    config = yaml.safe_load(api.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))


def test_the_extenders_account_may_read_all_that_status_and_explain_show(
    release: Release, tmp_path: Path
) -> None:
    api = release.api
    by_account(api, "spillway-extender", tmp_path / "kubeconfig")
    labels = {"type": "virtual-kubelet"}
    node = {"metadata": {"name": "fargate", "labels": labels}, "spec": {"taints": [TAINT]}}
    assert api.post("/api/v1/nodes", node).is_success
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    assert api.post("/api/v1/namespaces/shop/pods", pod).is_success
    status = shown(tmp_path / "kubeconfig", "status")
    (explained,) = shown(tmp_path / "kubeconfig", "explain", "shop/web")["live"]
    assert (status["unread"], explained["unread"]) == ([], [])
    assert [each["node"] for each in explained["gates"]] == ["fargate"]
    assert api.delete("/api/v1/namespaces/shop/pods/web", gracePeriodSeconds=0).is_success
    assert api.delete("/api/v1/nodes/fargate").is_success


def shown(kubeconfig: Path, *command: str) -> Json:
    """What `spillway COMMAND --json` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *command, f"--kubeconfig={kubeconfig}", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(json.loads(done.stdout))


MORE_RIGHTS = {"trial", "certificate", "kubelet"}
"""Pods are created for trial, Secrets read where nobody answers, and the node's API is asked by proxy."""


def examined(kubeconfig: Path) -> dict[str, set[str]]:
    """The levels of each subject."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "doctor", f"--kubeconfig={kubeconfig}", "-n", NAMESPACE, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    found: dict[str, set[str]] = {}
    for each in json.loads(done.stdout)["findings"]:
        found.setdefault(each["subject"], set()).add(each["level"])
    return found
