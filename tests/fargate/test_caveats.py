"""What is said of a pod that runs otherwise on Fargate, and that nothing is said of others."""

from typing import Any

import pytest

from app.fargate.caveat_rules import CAVEATS, RULES
from app.fargate.eligibility import caveats, refusals
from app.model.pod import Pod
from tests.builders import a_container, a_pod
from tests.fargate.samples import as_the_api_server_sends_it, with_container

MEMORY = {"name": "m", "emptyDir": {"medium": "Memory"}}
MOUNT = {"name": "m", "mountPath": "/m"}


def a_token(seconds: int) -> dict[str, Any]:
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": seconds}}
    return {"name": "t", "projected": {"sources": [source]}}


def probed(**probe: Any) -> Pod:
    return with_container(livenessProbe={"exec": {"command": ["true"]}, **probe})


SAMPLES = [
    pytest.param(
        a_pod(terminationGracePeriodSeconds=121),
        "GracePeriodCut",
        "spec.terminationGracePeriodSeconds",
        id="grace",
    ),
    pytest.param(a_pod(hostname="db-0", subdomain="db"), "HostnameVariable", "spec.hostname", id="hostname"),
    pytest.param(a_pod(hostnameOverride="x"), "HostnameVariable", "spec.hostnameOverride", id="override"),
    pytest.param(a_pod(setHostnameAsFQDN=True), "HostnameVariable", "spec.setHostnameAsFQDN", id="full-name"),
    pytest.param(
        with_container(env=[{"name": "DB", "value": "http://db.shop.svc:80"}]),
        "ClusterIPUnreachable",
        "spec.containers[0]",
        id="a-services-name",
    ),
    pytest.param(
        with_container(args=["--db", "$(DB_SERVICE_HOST)"]),
        "ClusterIPUnreachable",
        "spec.containers[0]",
        id="a-services-variable",
    ),
    pytest.param(
        a_pod(volumes=[a_token(7200)]),
        "TokenNotRefreshed",
        "spec.volumes[0].projected.sources[0]",
        id="token",
    ),
    pytest.param(
        a_pod(
            volumes=[MEMORY],
            containers=[a_container("a", volumeMounts=[MOUNT]), a_container("b", volumeMounts=[MOUNT])],
        ),
        "MemoryVolumeOnDisk",
        "spec.volumes[0].emptyDir",
        id="shared-memory",
    ),
    pytest.param(
        probed(periodSeconds=301), "ProbeBounded", "spec.containers[0].livenessProbe", id="long-period"
    ),
    pytest.param(
        probed(periodSeconds=4), "ProbeBounded", "spec.containers[0].livenessProbe", id="short-period"
    ),
    pytest.param(probed(timeoutSeconds=61), "ProbeBounded", "spec.containers[0].livenessProbe", id="timeout"),
    pytest.param(
        probed(failureThreshold=11), "ProbeBounded", "spec.containers[0].livenessProbe", id="threshold"
    ),
    pytest.param(
        probed(initialDelaySeconds=301), "ProbeBounded", "spec.containers[0].livenessProbe", id="delay"
    ),
    pytest.param(
        with_container(startupProbe={"exec": {"command": ["true"]}, "failureThreshold": 31}),
        "ProbeBounded",
        "spec.containers[0].startupProbe",
        id="time-to-start",
    ),
    pytest.param(
        a_pod(containers=[a_container("a"), a_container("b", livenessProbe={"grpc": {"port": 80}})]),
        "ProbeRestartsAll",
        "spec.containers[1].livenessProbe",
        id="a-probe-beside-another-container",
    ),
    pytest.param(
        a_pod(initContainers=[a_container("proxy", restartPolicy="Always")]),
        "SidecarStaysDown",
        "spec.initContainers[0].restartPolicy",
        id="sidecar",
    ),
    pytest.param(
        with_container(livenessProbe={"grpc": {"port": 80}, "terminationGracePeriodSeconds": 5}),
        "ProbeGraceIgnored",
        "spec.containers[0].livenessProbe.terminationGracePeriodSeconds",
        id="probes-grace",
    ),
    pytest.param(
        a_pod(
            volumes=[
                {
                    "name": "e",
                    "ephemeral": {
                        "volumeClaimTemplate": {
                            "spec": {
                                "storageClassName": "fast",
                                "resources": {"requests": {"storage": "1Gi"}},
                            }
                        }
                    },
                }
            ]
        ),
        "StorageClassIgnored",
        "spec.volumes[0].ephemeral",
        id="storage-class",
    ),
]


@pytest.mark.parametrize(("pod", "code", "field"), SAMPLES)
def test_what_runs_differently_is_said_once_by_its_path(pod: Pod, code: str, field: str) -> None:
    assert refusals(pod) == ()
    assert [(reason.code, reason.field) for reason in caveats(pod)] == [(code, field)]


@pytest.mark.parametrize(("pod", "code", "field"), SAMPLES)
def test_a_caveat_fits_a_warning(pod: Pod, code: str, field: str) -> None:
    assert max(len(str(reason)) for reason in caveats(pod)) <= 108


def test_every_rule_and_every_code_of_the_page_has_a_sample() -> None:
    pods = [sample.values[0] for sample in SAMPLES]
    assert {code for sample in SAMPLES for code in sample.values[1:2]} == set(CAVEATS)
    assert [rule for rule in RULES if not any(list(rule(pod)) for pod in pods)] == []  # type: ignore[arg-type]  # values of a parameter set are untyped


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(as_the_api_server_sends_it(), id="plain"),
        pytest.param(a_pod(terminationGracePeriodSeconds=120), id="grace-within-ecs"),
        pytest.param(a_pod(volumes=[a_token(3607)]), id="the-injected-token"),
        pytest.param(a_pod(volumes=[MEMORY], containers=[a_container(volumeMounts=[MOUNT])]), id="memory"),
        pytest.param(probed(periodSeconds=5, timeoutSeconds=1), id="probe-within-ecs"),
        pytest.param(
            with_container(readinessProbe={"grpc": {"port": 1}, "periodSeconds": 1}), id="ours-to-count"
        ),
        pytest.param(with_container(args=["svc", "my.svc-x", "a.svcs"]), id="no-service"),
    ],
)
def test_nothing_is_said_of_a_pod_that_runs_as_on_a_node(pod: Pod) -> None:
    assert caveats(pod) == ()
