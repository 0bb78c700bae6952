from typing import Any

import pytest

from app.bridge.translation.environment.downward import (
    allocatable_of,
    field_value,
    formatted,
    resource_value,
    with_pod_limits,
)
from app.model import names
from app.model.container import ResourceFieldRef
from tests.builders import a_container, a_pod

POD = a_pod(
    "web-1",
    uid="u1",
    node="fargate-1a",
    labels={"app": "web", "tier": 'a"b'},
    annotations={"a/b": "c", "it's": "odd", names.ATTEMPT: "3"},
    serviceAccountName="sa",
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("metadata.name", "web-1", id="name"),
        pytest.param("metadata.namespace", "shop", id="namespace"),
        pytest.param("metadata.uid", "u1", id="uid"),
        pytest.param("spec.nodeName", "fargate-1a", id="node"),
        pytest.param("spec.host", "fargate-1a", id="node-by-its-old-name"),
        pytest.param("spec.serviceAccountName", "sa", id="service-account"),
        pytest.param("metadata.labels['app']", "web", id="label"),
        pytest.param("metadata.annotations['a/b']", "c", id="annotation"),
        pytest.param("metadata.annotations['it's']", "odd", id="key-with-a-quote"),
        pytest.param("metadata.labels['none']", "", id="absent-label-is-empty"),
        pytest.param("metadata.labels", 'app="web"\ntier="a\\"b"', id="all-labels"),
        pytest.param("metadata.annotations", 'a/b="c"\nit\'s="odd"', id="all-annotations-but-bookkeeping"),
        pytest.param(f"metadata.annotations['{names.ATTEMPT}']", "", id="bookkeeping-is-not-told"),
        pytest.param("status.hostIP", "10.1.2.3", id="host-ip"),
        pytest.param("status.hostIPs", "10.1.2.3", id="host-ips"),
        pytest.param("status.podIP", None, id="pod-ip-is-unknown"),
        pytest.param("metadata.name['x']", None, id="only-maps-have-keys"),
        pytest.param("metadata.labels['app", None, id="unclosed"),
        pytest.param("spec.hostname", None, id="field-that-is-not-told"),
    ],
)
def test_fields_have_the_values_that_a_kubelet_tells(path: str, value: str | None) -> None:
    assert field_value(POD, path, host_ip="10.1.2.3") == value


def test_without_an_address_of_the_node_nobody_knows_the_host_ip() -> None:
    assert field_value(POD, "status.hostIP") is None


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        pytest.param("plain é 日本", '"plain é 日本"', id="printable"),
        pytest.param('a"b\\c', r'"a\"b\\c"', id="quote-and-backslash"),
        pytest.param("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"', id="short-escapes"),
        pytest.param("\0\x1f\x7f", r'"\x00\x1f\x7f"', id="control-characters"),
        pytest.param("\u00a0\u200b\ue000", r'"\u00a0\u200b\ue000"', id="spaces-and-private-use"),
        pytest.param("\U000e0001😀", '"\\U000e0001😀"', id="beyond-the-basic-plane"),
    ],
)
def test_values_are_quoted_as_go_quotes_them(value: str, quoted: str) -> None:
    assert formatted({"key": value}) == f"key={quoted}"


def sized(resource: str, *, divisor: str = "", name: str = "main", **spec: Any) -> str | None:
    resources = {"requests": {"cpu": "250m", "memory": "100Mi"}, "limits": {"cpu": "1500m"}}
    init = a_container("init")
    pod = a_pod(containers=[a_container(resources=resources)], initContainers=[init], **spec)
    reference = ResourceFieldRef(resource=resource, divisor=divisor, container_name=name)
    return resource_value(reference, pod=pod, allocatable=allocatable_of(pod))


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        pytest.param("limits.cpu", "", "2", id="cores-rounded-up"),
        pytest.param("limits.cpu", "0", "2", id="divisor-zero-is-one"),
        pytest.param("limits.cpu", "1m", "1500", id="millicores"),
        pytest.param("requests.cpu", "100m", "3", id="hundreds-of-millicores-rounded-up"),
        pytest.param("requests.memory", "", "104857600", id="bytes"),
        pytest.param("requests.memory", "1Mi", "100", id="mebibytes"),
        pytest.param("requests.memory", "1M", "105", id="megabytes-rounded-up"),
        pytest.param("requests.memory", "1m", "104857600", id="a-divisor-below-a-byte-is-a-byte"),
        pytest.param("limits.memory", "1Mi", "512", id="limit-that-is-not-set-is-the-tasks"),
        pytest.param("limits.ephemeral-storage", "1Gi", "20", id="storage-of-the-task"),
        pytest.param("requests.ephemeral-storage", "", "0", id="request-that-is-not-set-is-none"),
        pytest.param("limits.hugepages-2Mi", "", "0", id="huge-pages"),
        pytest.param("limits.nvidia.com/gpu", "", None, id="extended-resources-are-not-told"),
        pytest.param("used.cpu", "", None, id="no-such-kind"),
    ],
)
def test_resources_are_told_in_units_of_the_divisor(resource: str, divisor: str, value: str | None) -> None:
    assert sized(resource, divisor=divisor) == value


def test_init_containers_have_resources_too() -> None:
    assert sized("limits.cpu", name="init", divisor="1m") == "250"


def test_a_container_that_is_not_there_has_none() -> None:
    assert sized("limits.cpu", name="other") is None


def test_the_pods_own_limits_bound_what_a_container_can_have() -> None:
    pod = a_pod(resources={"limits": {"cpu": "2", "memory": "3Gi"}})
    assert with_pod_limits(pod, allocatable_of(pod)) == {
        "cpu": "2",
        "memory": "3Gi",
        "ephemeral-storage": "20Gi",
    }


def test_a_pod_that_no_size_covers_has_no_size_to_tell() -> None:
    pod = a_pod(cpu="1000")
    assert allocatable_of(pod) == {"ephemeral-storage": "20Gi"}
