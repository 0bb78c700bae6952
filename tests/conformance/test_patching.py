"""The four kinds of patch: their preconditions, and how lists and maps merge."""

from typing import Any

import pytest

from tests.conformance.servers import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    ApiServer,
    Space,
    a_deployment,
    a_node,
)


def test_a_patch_of_an_old_version_conflicts(space: Space) -> None:
    space.config_map()

    answer = space.api.patch(f"{space.config_maps}/cm", {"metadata": {"resourceVersion": "1"}})

    assert answer.status_code == 409


@pytest.mark.parametrize("subresource", [pytest.param("", id="pod"), pytest.param("/status", id="status")])
def test_a_patch_of_another_uid_is_invalid_not_a_conflict(space: Space, subresource: str) -> None:
    space.pod()

    answer = space.api.patch(f"{space.pods}/web{subresource}", {"metadata": {"uid": "another"}}, STRATEGIC)

    assert answer.status_code == 422
    assert answer.json()["message"] == (
        'Pod "web" is invalid: metadata.uid: Invalid value: "another": field is immutable'
    )


def test_a_patch_that_changes_nothing_is_no_new_version(space: Space) -> None:
    before = space.config_map()["metadata"]["resourceVersion"]

    after = space.api.patch(f"{space.config_maps}/cm", {"metadata": {"labels": {}}}).json()

    assert after["metadata"]["resourceVersion"] == before


def test_a_merge_patch_removes_with_null(space: Space) -> None:
    space.config_map(labels={"a": "1", "b": "2"})

    patched = space.api.patch(f"{space.config_maps}/cm", {"metadata": {"labels": {"a": None}}}, MERGE).json()

    assert patched["metadata"]["labels"] == {"b": "2"}


def test_a_json_patch_is_applied(space: Space) -> None:
    space.config_map()
    patch = [{"op": "add", "path": "/data", "value": {"a": "1"}}]

    assert space.api.patch(f"{space.config_maps}/cm", patch, JSON_PATCH).json()["data"] == {"a": "1"}


def test_a_json_patch_that_does_not_apply_is_refused(space: Space) -> None:
    space.config_map()
    patch = [{"op": "test", "path": "/metadata/name", "value": "other"}]

    answer = space.api.patch(f"{space.config_maps}/cm", patch, JSON_PATCH)

    assert answer.status_code == 422
    assert answer.json()["reason"] == "Invalid"


def test_a_patch_of_an_unknown_kind_is_refused(space: Space) -> None:
    space.config_map()

    assert space.api.patch(f"{space.config_maps}/cm", {}, "application/json").status_code == 415


def test_conditions_merge_by_type(space: Space) -> None:
    space.pod()
    path = f"{space.pods}/web/status"
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}]
    space.api.patch(path, {"status": {"conditions": conditions}}, STRATEGIC)

    ready = {"type": "Ready", "status": "True"}
    patched = space.api.patch(path, {"status": {"conditions": [ready]}}, STRATEGIC).json()

    assert [(each["type"], each["status"]) for each in patched["status"]["conditions"]] == [
        ("Ready", "True"),
        ("Initialized", "True"),
    ]


def test_conditions_have_null_times_where_nobody_set_them(space: Space) -> None:
    space.pod()
    ready = {"type": "Ready", "status": "True"}

    patched = space.api.patch(f"{space.pods}/web/status", {"status": {"conditions": [ready]}}, STRATEGIC)

    assert patched.json()["status"]["conditions"] == [
        {"type": "Ready", "status": "True", "lastProbeTime": None, "lastTransitionTime": None}
    ]


def test_container_statuses_are_replaced_whole(space: Space) -> None:
    space.pod()
    path = f"{space.pods}/web/status"
    both = [{"name": "a", "ready": True}, {"name": "b", "ready": True}]
    space.api.patch(path, {"status": {"containerStatuses": both}}, STRATEGIC)

    patched = space.api.patch(path, {"status": {"containerStatuses": [{"name": "a"}]}}, STRATEGIC).json()

    assert patched["status"]["containerStatuses"] == [
        {
            "name": "a",
            "ready": False,
            "restartCount": 0,
            "image": "",
            "imageID": "",
            "state": {},
            "lastState": {},
        }
    ]


@pytest.mark.parametrize(("single", "several"), [("hostIP", "hostIPs"), ("podIP", "podIPs")])
def test_addresses_merge_so_that_a_new_one_must_replace_the_old(
    space: Space, single: str, several: str
) -> None:
    space.pod()
    path = f"{space.pods}/web/status"
    ip, other = {"ip": "10.1.0.7"}, {"ip": "10.1.0.8"}
    space.api.patch(path, {"status": {single: ip["ip"], several: [ip]}}, STRATEGIC)

    added = space.api.patch(path, {"status": {single: other["ip"], several: [other]}}, STRATEGIC)
    replaced = space.api.patch(
        path, {"status": {single: other["ip"], several: [{"$patch": "replace"}, other]}}, STRATEGIC
    )

    assert added.status_code == 422
    assert f"status.{several}" in added.json()["message"]
    assert "may specify no more than one IP for each IP family" in added.json()["message"]
    assert replaced.json()["status"][several] == [other]


@pytest.mark.parametrize(
    ("patch", "labels"),
    [
        pytest.param({"a": None}, {"b": "2"}, id="null removes"),
        pytest.param({"$patch": "replace", "c": "3"}, {"c": "3"}, id="replace directive"),
        pytest.param({"c": "3"}, {"a": "1", "b": "2", "c": "3"}, id="merge"),
    ],
)
def test_a_strategic_patch_of_a_map(space: Space, patch: dict[str, Any], labels: dict[str, str]) -> None:
    space.config_map(labels={"a": "1", "b": "2"})

    patched = space.api.patch(f"{space.config_maps}/cm", {"metadata": {"labels": patch}}, STRATEGIC)

    assert patched.json()["metadata"]["labels"] == labels


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        pytest.param({"containers": [{"name": "b", "$patch": "delete"}]}, ["a", "c"], id="delete one"),
        pytest.param(
            {"containers": [{"name": "d", "image": "x"}]}, ["d", "a", "b", "c"], id="a new one leads"
        ),
        pytest.param(
            {"containers": [{"$patch": "replace"}, {"name": "z", "image": "x"}]}, ["z"], id="replace all"
        ),
        pytest.param(
            {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}]},
            ["c", "a", "b"],
            id="order",
        ),
    ],
)
def test_containers_merge_by_name(space: Space, patch: dict[str, Any], names: list[str]) -> None:
    body = a_deployment()
    body["spec"]["template"]["spec"]["containers"] = [{"name": each, "image": "x"} for each in "abc"]
    space.api.post(space.deployments, body)

    patched = space.api.patch(f"{space.deployments}/web", {"spec": {"template": {"spec": patch}}}, STRATEGIC)

    containers = patched.json()["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == names


def test_finalizers_are_a_set_and_can_be_taken_out_one_by_one(space: Space) -> None:
    space.config_map(finalizers=["example.com/a", "example.com/b"])
    metadata = {"$deleteFromPrimitiveList/finalizers": ["example.com/a"], "finalizers": ["example.com/c"]}

    patched = space.api.patch(f"{space.config_maps}/cm", {"metadata": metadata}, STRATEGIC).json()
    space.api.patch(f"{space.config_maps}/cm", {"metadata": {"finalizers": None}})

    assert sorted(patched["metadata"]["finalizers"]) == ["example.com/b", "example.com/c"]


def test_taints_are_replaced_whole(api: ApiServer, node: str) -> None:
    api.post("/api/v1/nodes", a_node(node, spec={"taints": [{"key": "a", "effect": "NoSchedule"}]}))
    taint = {"key": "b", "effect": "NoSchedule"}

    patched = api.patch(f"/api/v1/nodes/{node}", {"spec": {"taints": [taint]}}, STRATEGIC).json()

    assert patched["spec"]["taints"] == [taint]


def test_a_dry_run_of_a_patch_stores_nothing(space: Space) -> None:
    space.config_map()

    answer = space.api.patch(f"{space.config_maps}/cm", {"data": {"a": "1"}}, dryRun="All")

    assert answer.json()["data"] == {"a": "1"}
    assert "data" not in space.api.get(f"{space.config_maps}/cm").json()
