from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.node.manifest import (
    closed_body,
    conditions,
    is_intact,
    labels,
    manifest,
    metadata_body,
    status_body,
)
from app.model.grant import read_grants
from app.model.node import Node, allocatable, is_virtual
from app.model.resources import Resources
from tests.bridge.fakes import NODE
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node

OUR_TAINT = {"key": "virtual-kubelet.io/provider", "value": "fargate", "effect": "NoSchedule"}
LATER = NOON + timedelta(minutes=1)


def test_a_new_node_is_ready_tainted_and_closed() -> None:
    node = msgspec.convert(manifest(NODE, now=NOON), Node)
    assert is_virtual(node)
    assert allocatable(node) == Resources(cpu_milli=1)
    assert allocatable(node).pods == 0


def test_the_node_has_no_hostname_label_and_no_role() -> None:
    assert set(labels(NODE)) == {
        "type",
        "eks.amazonaws.com/compute-type",
        "node.kubernetes.io/exclude-from-external-load-balancers",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }


def test_the_bridges_status_leaves_allocatable_to_the_gate() -> None:
    assert "allocatable" not in status_body(NODE, node=None, now=NOON)["status"]


def test_only_the_internal_address_is_published() -> None:
    status = status_body(NODE, node=None, now=NOON)["status"]
    assert status["addresses"] == [{"type": "InternalIP", "address": "10.0.0.9"}]
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}


@pytest.mark.parametrize(
    ("version", "declared"),
    [
        pytest.param("v1.36.0", ["ExtendWebSocketsToKubelet"], id="the-first-that-asks"),
        pytest.param("v1.36.2-eks-bc5fc0d", ["ExtendWebSocketsToKubelet"], id="EKS"),
        pytest.param("1.40+", ["ExtendWebSocketsToKubelet"], id="a-later-one"),
        pytest.param("v2.0.0", ["ExtendWebSocketsToKubelet"], id="far-later"),
        pytest.param("v1.35.9", [], id="does-not-pass-them-on"),
        pytest.param("v1.9.0", [], id="numbers-and-no-text"),
        pytest.param("unknown", [], id="no-version"),
    ],
)
def test_web_sockets_are_declared_to_api_servers_that_ask_for_it(version: str, declared: list[str]) -> None:
    config = msgspec.structs.replace(NODE, websockets=True, kubelet_version=version)
    status = status_body(config, node=None, now=NOON)["status"]
    assert status.get("declaredFeatures", []) == declared


def test_an_api_without_web_sockets_declares_none() -> None:
    config = msgspec.structs.replace(NODE, kubelet_version="v1.36.0")
    assert "declaredFeatures" not in status_body(config, node=None, now=NOON)["status"]


def test_a_provider_id_is_written_only_where_configured() -> None:
    config = msgspec.structs.replace(NODE, provider_id="spillway://x")
    assert "providerID" not in manifest(NODE, now=NOON)["spec"]
    assert manifest(config, now=NOON)["spec"]["providerID"] == "spillway://x"


def test_a_conditions_transition_time_is_kept_while_its_status_is() -> None:
    node = msgspec.convert(manifest(NODE, now=NOON), Node)
    times = {each["lastTransitionTime"] for each in conditions(node, now=LATER)}
    beats = {each["lastHeartbeatTime"] for each in conditions(node, now=LATER)}
    assert (times, beats) == ({"2026-01-01T12:00:00Z"}, {"2026-01-01T12:01:00Z"})


def test_a_node_that_comes_back_has_a_new_transition_time() -> None:
    ready = conditions(a_virtual_node(ready=False), now=LATER)[0]
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", "2026-01-01T12:01:00Z")


def test_a_closed_node_has_no_grant_the_room_of_what_runs_and_no_slot() -> None:
    body = closed_body(NODE, bound=[a_pod(cpu="500m"), a_pod(cpu="250m"), a_pod(phase="Succeeded")])
    assert read_grants(body["metadata"]["annotations"]) == ()
    assert body["status"]["allocatable"]["cpu"] == "750m"
    assert body["status"]["allocatable"]["pods"] == "0"


def an_intact_node(**fields: Any) -> Node:
    return a_virtual_node(labels=labels(NODE) | {"theirs": "kept"}, **fields)


def test_a_node_with_our_taint_and_labels_is_intact_whatever_stands_beside_them() -> None:
    assert is_intact(NODE, an_intact_node())


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(a_node(VIRTUAL, labels=labels(NODE)), id="no-taint"),
        pytest.param(a_virtual_node(labels=labels(NODE) | {"type": "real"}), id="another-label"),
        pytest.param(
            a_node(VIRTUAL, labels=labels(NODE), taints=[OUR_TAINT | {"effect": "PreferNoSchedule"}]),
            id="a-weaker-taint",
        ),
    ],
)
def test_a_node_without_our_taint_or_a_label_is_not_intact(node: Node) -> None:
    assert not is_intact(NODE, node)


def test_a_restoration_always_names_our_taint_since_applying_without_it_takes_it_off() -> None:
    assert metadata_body(NODE, a_virtual_node())["spec"]["taints"] == [OUR_TAINT]


def test_a_lost_taint_is_restored_beside_the_others() -> None:
    node = a_node(VIRTUAL, taints=[{"key": "other", "value": "x", "effect": "NoExecute"}])
    assert [each["key"] for each in metadata_body(NODE, node)["spec"]["taints"]] == [
        "other",
        "virtual-kubelet.io/provider",
    ]
