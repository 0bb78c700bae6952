from typing import Any

import pytest

from app.bridge.translation.containers.wrapping import reads_image, wraps
from app.model.pod import Pod
from tests.bridge.translation.builders import settings
from tests.builders import a_container, a_pod


def wrapped(pod: Pod, **fields: Any) -> bool:
    return wraps(pod.spec.containers[0], pod=pod, settings=settings(**fields))


def secret_variable(name: str = "PASSWORD") -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}


def field_variable(path: str) -> dict[str, Any]:
    return {"name": "IT", "valueFrom": {"fieldRef": {"fieldPath": path}}}


FILES = {"volumes": [{"name": "files", "configMap": {"name": "settings"}}]}
SCRATCH = {"volumes": [{"name": "files", "emptyDir": {}}]}


@pytest.mark.parametrize(
    ("container", "spec", "expected"),
    [
        pytest.param({}, {}, False, id="plain"),
        pytest.param({"env": [field_variable("status.podIP")]}, {}, True, id="the-pod's-address"),
        pytest.param({"env": [field_variable("status.podIPs")]}, {}, True, id="the-pod's-addresses"),
        pytest.param({"env": [field_variable("status.hostIP")]}, {}, False, id="the-node's-address"),
        pytest.param({"env": [secret_variable()]}, {}, False, id="a-secret-as-it-is"),
        pytest.param(
            {"env": [secret_variable()], "args": ["$(PASSWORD)"]}, {}, True, id="a-secret-in-a-word"
        ),
        pytest.param(
            {"env": [secret_variable(), {"name": "URL", "value": "x:$(PASSWORD)"}]},
            {},
            True,
            id="a-secret-in-a-variable",
        ),
        pytest.param(
            {"envFrom": [{"secretRef": {"name": "login"}}], "args": ["$(X)"]}, {}, True, id="a-whole-secret"
        ),
        pytest.param({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, {}, True, id="pre-stop"),
        pytest.param({"lifecycle": {"postStart": {"exec": {"command": ["x"]}}}}, {}, True, id="post-start"),
        pytest.param({"lifecycle": {"stopSignal": "SIGUSR1"}}, {}, True, id="stop-signal"),
        pytest.param({"lifecycle": {}}, {}, False, id="no-hooks"),
        pytest.param({"terminationMessagePath": "/var/end"}, {}, True, id="message-path"),
        pytest.param(
            {"volumeMounts": [{"name": "files", "mountPath": "/f", "subPath": "a"}]},
            FILES,
            True,
            id="one-file",
        ),
        pytest.param({"volumeMounts": [{"name": "files", "mountPath": "/f"}]}, FILES, False, id="all-files"),
        pytest.param(
            {"volumeMounts": [{"name": "files", "mountPath": "/f", "subPath": "a"}]},
            SCRATCH,
            False,
            id="folder-of-an-empty-dir",
        ),
        pytest.param({"securityContext": {"allowPrivilegeEscalation": False}}, {}, True, id="no-escalation"),
        pytest.param({"securityContext": {"allowPrivilegeEscalation": True}}, {}, False, id="escalation"),
        pytest.param({}, {"securityContext": {"fsGroup": 5}}, True, id="fs-group"),
        pytest.param(
            {}, {"securityContext": {"fsGroup": 5, "runAsGroup": 5}}, False, id="fs-group-of-the-process"
        ),
        pytest.param({}, {"securityContext": {"supplementalGroups": [6]}}, True, id="supplemental-group"),
        pytest.param({}, {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}]}, True, id="host-alias"),
        pytest.param({}, {"dnsConfig": {"nameservers": ["10.0.0.2"]}}, True, id="nameserver"),
        pytest.param({}, {"dnsConfig": {"searches": ["x.example"]}}, False, id="search-list"),
        pytest.param({}, {"restartPolicy": "OnFailure"}, False, id="a-lone-container-is-relaunched"),
        pytest.param({"restartPolicy": "Never"}, {}, True, id="a-policy-of-its-own"),
        pytest.param({"restartPolicy": "Always"}, {}, False, id="the-pod's-policy"),
    ],
)
def test_the_helper_goes_before_what_ecs_cannot_do(
    container: dict[str, Any], spec: dict[str, Any], *, expected: bool
) -> None:
    assert wrapped(a_pod(containers=[a_container(**container)], **spec)) is expected


@pytest.mark.parametrize(
    ("policy", "image", "expected"),
    [
        pytest.param("Always", "helper:1", True, id="always"),
        pytest.param("Always", "", False, id="always-without-a-helper"),
        pytest.param("OnFailure", "helper:1", True, id="on-failure"),
        pytest.param("OnFailure", "", True, id="on-failure-without-a-helper"),
        pytest.param("Never", "helper:1", False, id="never"),
    ],
)
def test_several_containers_are_restarted_one_by_one(policy: str, image: str, *, expected: bool) -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")], restartPolicy=policy)
    assert wrapped(pod, helper_image=image) is expected


@pytest.mark.parametrize(
    ("pod_policy", "policy", "expected"),
    [
        pytest.param("Always", None, False, id="none"),
        pytest.param("Never", "OnFailure", True, id="on-failure-in-a-pod-that-never-restarts"),
        pytest.param("Always", "OnFailure", False, id="on-failure-as-the-pod-has-it"),
        pytest.param("Never", "Always", False, id="sidecar"),
    ],
)
def test_an_init_container_is_wrapped_for_a_policy_of_its_own(
    pod_policy: str, policy: str | None, *, expected: bool
) -> None:
    pod = a_pod(initContainers=[a_container("init", restartPolicy=policy)], restartPolicy=pod_policy)
    assert wraps(pod.spec.init_containers[0], pod=pod, settings=settings()) is expected


@pytest.mark.parametrize(
    ("container", "spec", "expected"),
    [
        pytest.param({}, {}, False, id="plain"),
        pytest.param({"terminationMessagePath": "/t"}, {}, True, id="wrapped-without-a-command"),
        pytest.param(
            {"terminationMessagePath": "/t", "command": ["x"]}, {}, False, id="wrapped-with-a-command"
        ),
        pytest.param({"command": ["x"]}, {"securityContext": {"runAsNonRoot": True}}, True, id="non-root"),
        pytest.param(
            {"command": ["x"]},
            {"securityContext": {"runAsNonRoot": True, "runAsUser": 7}},
            False,
            id="a-user",
        ),
        pytest.param(
            {"command": ["x"]}, {"securityContext": {"runAsGroup": 5}}, True, id="group-without-user"
        ),
        pytest.param(
            {"command": ["x"]}, {"securityContext": {"fsGroup": 5}}, True, id="fs-group-without-user"
        ),
    ],
)
def test_the_image_is_read_for_its_entry_point_and_its_user(
    container: dict[str, Any], spec: dict[str, Any], *, expected: bool
) -> None:
    pod = a_pod(containers=[a_container(**container)], **spec)
    assert reads_image(pod.spec.containers[0], pod=pod, settings=settings()) is expected
