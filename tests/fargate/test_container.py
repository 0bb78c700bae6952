"""Which containers Fargate can run: every field is carried or refused by its path."""

from typing import Any

import msgspec
import pytest

from app.fargate import container
from app.fargate.eligibility import refusals
from app.model.container import Container, EnvVarSource
from tests.fargate.samples import (
    CONTAINER_SAMPLES,
    found,
    names_of,
    with_container,
)


def test_every_field_of_a_container_is_carried_or_ruled_once() -> None:
    assert container.CARRIED | set(container.CHECKS) == names_of(Container)
    assert not container.CARRIED & set(container.CHECKS)


def test_every_rule_of_a_container_has_a_sample() -> None:
    assert set(CONTAINER_SAMPLES) == set(container.CHECKS)


@pytest.mark.parametrize("name", sorted(CONTAINER_SAMPLES))
def test_a_containers_set_field_is_refused_by_its_path(name: str) -> None:
    wire, value, code, path = CONTAINER_SAMPLES[name]
    assert found(with_container(**{wire: value})) == [(code, f"spec.containers[0].{path}")]


@pytest.mark.parametrize("name", sorted(CONTAINER_SAMPLES))
def test_a_containers_refusal_fits_a_warning(name: str) -> None:
    wire, value, _, _ = CONTAINER_SAMPLES[name]
    assert max(len(str(each)) for each in refusals(with_container(**{wire: value}))) <= 103


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
    ],
)
def test_a_field_known_before_launch_runs(path: str) -> None:
    env = [{"name": "IT", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}]
    assert refusals(with_container(env=env)) == ()


@pytest.mark.parametrize(
    "path", ["status.podIP", "status.podIPs", "status.hostIP", "metadata.labels", "metadata.labels['']", ""]
)
def test_a_field_known_only_later_is_refused(path: str) -> None:
    env = [{"name": "IT", "valueFrom": {"fieldRef": {"fieldPath": path}}}]
    assert found(with_container(env=env)) == [
        ("VariableField", "spec.containers[0].env[0].valueFrom.fieldRef")
    ]


@pytest.mark.parametrize("source", sorted(names_of(EnvVarSource) - {"field_ref"}))
def test_every_other_source_of_a_variable_is_refused(source: str) -> None:
    wire = {each.name: each.encode_name for each in msgspec.structs.fields(EnvVarSource)}[source]
    env = [{"name": "A", "value": "1"}, {"name": "IT", "valueFrom": {wire: {"name": "n", "key": "k"}}}]
    assert found(with_container(env=env)) == [("VariableSource", "spec.containers[0].env[1].valueFrom")]


def test_a_source_of_tomorrow_is_refused() -> None:
    env = [{"name": "IT", "valueFrom": {"vaultRef": {"path": "x"}}}]
    assert found(with_container(env=env)) == [("VariableSource", "spec.containers[0].env[0].valueFrom")]


@pytest.mark.parametrize("name", ["SPILLWAY_POD", "SPILLWAY_ATTEMPT"])
def test_a_pod_cannot_pretend_to_be_another_pods_task(name: str) -> None:
    pod = with_container(env=[{"name": name, "value": "{}"}])
    assert found(pod) == [("ReservedVariable", "spec.containers[0].env[0]")]


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


@pytest.mark.parametrize(
    ("port", "code"),
    [
        pytest.param({"containerPort": 80, "hostPort": 80}, "HostPort", id="host-port"),
        pytest.param({"containerPort": 80, "hostIP": "10.0.0.1"}, "HostPort", id="host-ip"),
        pytest.param({"containerPort": 80, "protocol": "SCTP"}, "PortProtocol", id="sctp"),
    ],
)
def test_a_port_that_ecs_cannot_map_is_refused(port: dict[str, Any], code: str) -> None:
    assert found(with_container(ports=[{"containerPort": 81}, port])) == [
        (code, "spec.containers[0].ports[1]")
    ]
