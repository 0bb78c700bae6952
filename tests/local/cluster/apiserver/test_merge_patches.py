"""Strategic merge patch where the conformance suite does not reach."""

from typing import Any

import pytest

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.merge_patches import Strategic, merge
from app.local.cluster.apiserver.schema import Schema

STRATEGIC = Strategic(Schema())


def patched(spec: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return STRATEGIC.apply("core.PodSpec", spec, patch)


def test_neither_argument_changes() -> None:
    spec = {"containers": [{"name": "a", "image": "x"}]}
    patch = {"containers": [{"name": "a", "image": "y"}]}
    patched(spec, patch)

    assert spec == {"containers": [{"name": "a", "image": "x"}]}
    assert patch == {"containers": [{"name": "a", "image": "y"}]}


def test_retained_keys_drop_the_others() -> None:
    spec = {"volumes": [{"name": "v", "emptyDir": {}}]}
    patch = {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}

    assert patched(spec, patch) == {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}


def test_lists_inside_merged_elements_merge_too() -> None:
    spec = {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "X", "$patch": "delete"}]}]}

    assert patched(spec, patch) == {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}


def test_ports_merge_by_container_port() -> None:
    spec = {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}]}
    patch = {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "web"}]}]}

    assert patched(spec, patch)["containers"][0]["ports"] == [{"containerPort": 80, "name": "web"}]


@pytest.mark.parametrize("field", ["tolerations", "readinessGates"])
def test_atomic_lists_are_replaced(field: str) -> None:
    assert patched({field: [{"key": "a"}]}, {field: [{"key": "b"}]}) == {field: [{"key": "b"}]}


def test_commands_are_replaced() -> None:
    spec = {"containers": [{"name": "a", "command": ["x", "y"]}]}

    patch = {"containers": [{"name": "a", "command": ["z"]}]}

    assert patched(spec, patch)["containers"][0]["command"] == ["z"]


def test_an_element_without_its_key_is_refused() -> None:
    with pytest.raises(ApiError, match="does not contain declared merge key: name"):
        patched({"containers": []}, {"containers": [{"image": "x"}]})


def test_an_unknown_directive_is_refused() -> None:
    with pytest.raises(ApiError, match="unknown patch type: sideways"):
        patched({}, {"$patch": "sideways"})


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param({"a": 1}, {"a": None}, {}, id="remove"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}, id="remove inside"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists are replaced"),
        pytest.param({"a": 1}, {"a": {"b": None, "c": 2}}, {"a": {"c": 2}}, id="a value becomes an object"),
    ],
)
def test_json_merge_patch(target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    assert merge(target, patch) == result
