"""Where our pods run, and what they bring with them."""

from collections.abc import Mapping

import pytest

from tests.chart.rendering import Json, container, one, pod_spec, rendered, title, workloads

CRITICAL = {"key": "CriticalAddonsOnly", "operator": "Exists"}
SYSTEM = {"role": "system"}


@pytest.fixture(scope="module")
def placed() -> Mapping[str, Json]:
    """The specs of all pods, by what makes them, where all are to run on the system's nodes."""
    own = {"webhook": {"nodeSelector": {"role": "edge"}, "tolerations": [{"key": "edge"}, CRITICAL]}}
    made = rendered({"nodeSelector": SYSTEM, "tolerations": [CRITICAL], **own}, base="second-scheduler")
    return {title(each): pod_spec(each) for each in workloads(made)}


def test_what_is_said_of_all_pods_holds_for_jobs_and_the_test_too(placed: Mapping[str, Json]) -> None:
    others = {name: each for name, each in placed.items() if name != "Deployment/spillway-webhook"}
    assert {"Job/spillway-drain", "Job/spillway-drain-leases", "Pod/spillway-doctor"} < others.keys()
    assert [each["tolerations"] for each in others.values()] == [[CRITICAL]] * len(others)
    assert [each["nodeSelector"] for each in others.values()] == [
        {"kubernetes.io/os": "linux", "role": "system"}
    ] * len(others)


def test_what_a_program_says_of_its_own_comes_on_top(placed: Mapping[str, Json]) -> None:
    webhook = placed["Deployment/spillway-webhook"]
    assert webhook["nodeSelector"] == {"kubernetes.io/os": "linux", "role": "edge"}
    assert webhook["tolerations"] == [CRITICAL, {"key": "edge"}]


def test_without_a_wish_there_are_no_tolerations(default: tuple[Json, ...]) -> None:
    assert [each for each in workloads(default) if "tolerations" in pod_spec(each)] == []


BEHIND_A_PROXY: Json = {
    "bridge": {
        "env": [
            {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"},
            {"name": "AWS_CA_BUNDLE", "value": "/company/ca.pem"},
            {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "aws", "key": "key"}}},
        ],
        "extraVolumes": [{"name": "company", "configMap": {"name": "company-ca"}}],
        "extraVolumeMounts": [{"name": "company", "mountPath": "/company", "readOnly": True}],
    }
}


def test_what_asks_aws_at_an_uninstall_has_the_bridges_variables_and_volumes() -> None:
    job = one(rendered(BEHIND_A_PROXY), "Job/spillway-drain")
    assert container(job)["env"][-3:] == BEHIND_A_PROXY["bridge"]["env"]
    assert container(job)["volumeMounts"][1:] == BEHIND_A_PROXY["bridge"]["extraVolumeMounts"]
    assert pod_spec(job)["volumes"][1:] == BEHIND_A_PROXY["bridge"]["extraVolumes"]


def test_what_runs_when_all_is_gone_needs_no_secret_and_no_volume_that_may_be_gone_too() -> None:
    job = one(rendered(BEHIND_A_PROXY), "Job/spillway-drain-leases")
    assert container(job)["env"][-2:] == BEHIND_A_PROXY["bridge"]["env"][:2]
    assert [each["name"] for each in pod_spec(job)["volumes"]] == ["tmp"]


def test_secrets_for_pulling_are_in_every_pod() -> None:
    secrets = [{"name": "mirror"}]
    made = [*workloads(rendered({"imagePullSecrets": secrets}, base="second-scheduler"))]
    assert [pod_spec(each)["imagePullSecrets"] for each in made] == [secrets] * len(made)
