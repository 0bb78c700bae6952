"""Which containers Fargate can run, in the cases that one sample per field does not show."""

from typing import Any

import pytest

from app.fargate.eligibility import refusals
from tests.builders import a_container, a_pod
from tests.fargate.samples import found, with_container


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"command": ["sh", "-c"], "args": ["echo $(WORD)"], "workingDir": "/srv"}, id="command"),
        pytest.param({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}]}, id="plain-env"),
        pytest.param(
            {"ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]}, id="ports"
        ),
        pytest.param({"stdin": True, "stdinOnce": True, "tty": True}, id="terminal"),
        pytest.param({"imagePullPolicy": "IfNotPresent"}, id="pull-policy"),
        pytest.param({"resizePolicy": [{"resourceName": "cpu"}]}, id="resize-policy"),
        pytest.param({"resources": {"requests": {"nvidia.com/gpu": "0"}}}, id="zero-of-an-extended-resource"),
        pytest.param({"resources": {"limits": {"ephemeral-storage": "30Gi"}}}, id="storage-within-200-GiB"),
        pytest.param({"securityContext": {}}, id="empty-security-context"),
        pytest.param(
            {
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                }
            },
            id="restricted",
        ),
    ],
)
def test_a_container_that_ecs_knows_runs(fields: dict[str, Any]) -> None:
    assert refusals(with_container(**fields)) == ()


@pytest.mark.parametrize(
    "path",
    [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "metadata.labels['app.kubernetes.io/name']",
        "metadata.annotations['team']",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ],
)
def test_every_field_of_the_downward_api_runs(path: str) -> None:
    env = [{"name": "IT", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}]
    assert refusals(with_container(env=env)) == ()


@pytest.mark.parametrize("path", ["status.phase", "metadata.labels", "metadata.labels['']", ""])
def test_a_field_that_no_variable_can_hold_is_refused(path: str) -> None:
    env = [{"name": "IT", "valueFrom": {"fieldRef": {"fieldPath": path}}}]
    assert found(with_container(env=env)) == [
        ("VariableField", "spec.containers[0].env[0].valueFrom.fieldRef")
    ]


def test_a_source_of_tomorrow_is_refused() -> None:
    env = [{"name": "IT", "valueFrom": {"vaultRef": {"path": "x"}}}]
    assert found(with_container(env=env)) == [("VariableSource", "spec.containers[0].env[0].valueFrom")]


@pytest.mark.parametrize(
    "name", ["SPILLWAY_POD", "SPILLWAY_ATTEMPT", "SPILLWAY_PLAN", "SPILLWAY_RUN", "SPILLWAY_RUN_2"]
)
def test_a_pod_cannot_pretend_to_be_another_pods_task(name: str) -> None:
    pod = with_container(env=[{"name": name, "value": "{}"}])
    assert found(pod) == [("ReservedVariable", "spec.containers[0].env[0].name")]


@pytest.mark.parametrize("name", ["spillway-install", "spillway-keeper", "a.b", ""])
def test_a_container_cannot_have_the_helpers_name_or_one_that_ecs_refuses(name: str) -> None:
    assert found(a_pod(containers=[a_container(name)])) == [("ContainerName", "spec.containers[0].name")]


@pytest.mark.parametrize(
    ("requirements", "code", "field"),
    [
        pytest.param(
            {"limits": {"nvidia.com/gpu": "1"}}, "ExtendedResource", "limits[nvidia.com/gpu]", id="gpu"
        ),
        pytest.param(
            {"requests": {"hugepages-2Mi": "4Mi"}, "limits": {"hugepages-2Mi": "4Mi"}},
            "ExtendedResource",
            "requests[hugepages-2Mi]",
            id="huge-pages-once",
        ),
        pytest.param({"requests": {"cpu": "half"}}, "InvalidQuantity", "requests[cpu]", id="no-quantity"),
        pytest.param({"limits": {"memory": "1GiB"}}, "InvalidQuantity", "limits[memory]", id="no-limit"),
        pytest.param({"requests": {"cpu": "-1"}}, "InvalidQuantity", "requests[cpu]", id="below-zero"),
        pytest.param({"claims": [{"name": "gpu"}]}, "ResourceClaims", "claims", id="claims"),
    ],
)
def test_a_resource_that_fargate_has_not_is_refused(
    requirements: dict[str, Any], code: str, field: str
) -> None:
    assert found(with_container(resources=requirements)) == [(code, f"spec.containers[0].resources.{field}")]


def test_what_the_whole_pod_asks_for_is_judged_like_a_container() -> None:
    pod = a_pod(resources={"limits": {"hugepages-2Mi": "4Mi"}})
    assert found(pod) == [("ExtendedResource", "spec.resources.limits[hugepages-2Mi]")]


def test_an_init_container_is_judged_like_any_other() -> None:
    pod = a_pod(initContainers=[a_container("i", securityContext={"privileged": True})])
    assert found(pod) == [("SecurityContext", "spec.initContainers[0].securityContext.privileged")]


@pytest.mark.parametrize("own", ["Always", "OnFailure", "Never"])
@pytest.mark.parametrize("pods", ["Always", "OnFailure", "Never"])
def test_an_init_container_may_have_a_restart_policy_of_its_own(own: str, pods: str) -> None:
    pod = a_pod(initContainers=[a_container("i", restartPolicy=own)], restartPolicy=pods)
    assert found(pod) == []


@pytest.mark.parametrize(
    ("field", "code"),
    [
        pytest.param({"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}]}, "HostAliases", id="hosts"),
        pytest.param({"dnsConfig": {"nameservers": ["10.0.0.2"]}}, "DNSConfig", id="nameservers"),
    ],
)
@pytest.mark.parametrize(
    ("rights", "runs"),
    [
        pytest.param({}, True, id="the-image-decides"),
        pytest.param({"runAsUser": 0}, True, id="root"),
        pytest.param({"runAsUser": 1000}, False, id="another-user"),
        pytest.param({"runAsNonRoot": True}, False, id="not-root"),
        pytest.param({"runAsUser": 0, "readOnlyRootFilesystem": True}, False, id="read-only"),
    ],
)
def test_files_of_a_container_are_edited_only_where_it_is_root_and_can_write(
    field: dict[str, Any], code: str, rights: dict[str, Any], runs: bool
) -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b", securityContext=rights)], **field)
    assert [each for each, _ in found(pod)] == ([] if runs else [code])


def test_the_pods_security_context_counts_where_the_containers_says_nothing() -> None:
    rights = {"runAsUser": 1000, "runAsNonRoot": True}
    aliases = [{"ip": "10.0.0.1", "hostnames": ["db"]}]
    pod = a_pod(securityContext=rights, hostAliases=aliases)
    assert found(pod) == [("HostAliases", "spec.hostAliases")]
    root = a_container(securityContext={"runAsUser": 0, "runAsNonRoot": False})
    assert found(a_pod(containers=[root], securityContext=rights, hostAliases=aliases)) == []


@pytest.mark.parametrize(
    ("probes", "refused"),
    [
        pytest.param({"livenessProbe": ["a"], "readinessProbe": ["a"]}, [], id="the-same-command"),
        pytest.param(
            {"startupProbe": ["a"], "livenessProbe": ["b"], "readinessProbe": ["c"]},
            ["livenessProbe", "readinessProbe"],
            id="three-commands",
        ),
    ],
)
def test_a_container_has_one_exec_probe(probes: dict[str, list[str]], refused: list[str]) -> None:
    fields = {name: {"exec": {"command": command}} for name, command in probes.items()}
    assert found(with_container(**fields)) == [
        ("Probe", f"spec.containers[0].{name}.exec") for name in refused
    ]
