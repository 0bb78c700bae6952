"""Fields as managedFields writes them."""

from app.local.cluster.apiserver.field_sets import (
    MISSING,
    FieldSets,
    dotted,
    from_fields_v1,
    to_fields_v1,
    value_at,
    without,
)
from app.local.cluster.apiserver.schema import Schema

SETS = FieldSets(Schema())
NODE = {
    "metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"]},
    "spec": {"taints": [{"key": "t"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": None}]},
}
TREE = {
    "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {'v:"x/y"': {}}},
    "f:spec": {"f:taints": {}},
    "f:status": {"f:conditions": {'k:{"type":"Ready"}': {".": {}, "f:type": {}, "f:status": {}}}},
}
READY = ("f:status", "f:conditions", 'k:{"type":"Ready"}')


def test_an_object_has_its_leaves_its_elements_and_its_atomic_lists() -> None:
    assert to_fields_v1(SETS.of("core.Node", NODE)) == TREE


def test_a_tree_reads_back_as_the_paths_it_was_made_of() -> None:
    paths = SETS.of("core.Node", NODE)

    assert from_fields_v1(to_fields_v1(paths)) == paths


def test_ports_are_keyed_by_number_and_protocol() -> None:
    pod = {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}}
    step = 'k:{"containerPort":80,"protocol":"TCP"}'

    assert any(step in path for path in SETS.of("core.Pod", pod))


def test_a_path_leads_to_a_value_in_a_keyed_list() -> None:
    assert value_at(NODE, (*READY, "f:status")) == "True"
    assert value_at(NODE, ("f:status", "f:conditions", 'k:{"type":"Other"}')) is MISSING


def test_an_element_is_taken_out_of_its_list() -> None:
    assert without(NODE, READY)["status"] == {"conditions": []}


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    assert without(NODE, ("f:spec", "f:providerID")) == NODE


def test_a_path_prints_as_conflicts_print_it() -> None:
    assert dotted((*READY, "f:status")) == '.status.conditions[type="Ready"].status'
