"""Server-side apply: two managers of one node, as the bridge and the extender are, and conflicts."""

from typing import Any

import pytest

from tests.conformance.servers import APPLY, ApiServer, Space, a_config_map, a_node


@pytest.fixture
def status(api: ApiServer, node: str) -> str:
    """The path of the status of a node whose creator manages a label."""
    body = a_node(node, status={"capacity": {"cpu": "4"}})
    body["metadata"]["labels"] = {"example.com/a": "b"}
    api.post("/api/v1/nodes", body)
    return f"/api/v1/nodes/{node}/status"


def applied(path: str, **status: Any) -> dict[str, Any]:
    return a_node(path.split("/")[4], status=status)


def ready(value: str) -> dict[str, str]:
    return {"type": "Ready", "status": value}


def test_what_is_not_there_is_created(space: Space) -> None:
    answer = space.api.apply(f"{space.config_maps}/cm", a_config_map(data={"a": "1"}), "one")

    assert answer.status_code == 201
    entry = answer.json()["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_a_status_is_not_created(api: ApiServer) -> None:
    answer = api.apply("/api/v1/nodes/none/status", a_node("none", status={}), "one")

    assert answer.status_code == 404


def test_what_a_manager_stops_applying_goes(space: Space) -> None:
    path = f"{space.config_maps}/cm"
    space.api.apply(path, a_config_map(data={"a": "1", "b": "2"}), "one")

    assert space.api.apply(path, a_config_map(data={"a": "1"}), "one").json()["data"] == {"a": "1"}


def test_what_two_managers_apply_stays_until_both_stop(space: Space) -> None:
    path = f"{space.config_maps}/cm"
    both = a_config_map(data={"a": "1", "b": "2"})
    space.api.apply(path, both, "one")
    space.api.apply(path, both, "two")

    first = space.api.apply(path, a_config_map(data={"a": "1"}), "one")
    second = space.api.apply(path, a_config_map(data={"a": "1"}), "two")

    assert first.json()["data"] == {"a": "1", "b": "2"}
    assert second.json()["data"] == {"a": "1"}


def test_a_repeated_apply_is_no_new_version(space: Space) -> None:
    path = f"{space.config_maps}/cm"
    first = space.api.apply(path, a_config_map(data={"a": "1"}), "one").json()

    second = space.api.apply(path, a_config_map(data={"a": "1"}), "one").json()

    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_two_managers_share_a_status_without_conflict(api: ApiServer, status: str) -> None:
    api.apply(status, applied(status, conditions=[ready("True")]), "bridge")

    answer = api.apply(status, applied(status, allocatable={"cpu": "1"}), "extender")

    assert answer.status_code == 200
    assert answer.json()["status"]["allocatable"] == {"cpu": "1"}
    assert [each["status"] for each in answer.json()["status"]["conditions"]] == ["True"]


def test_a_default_of_the_server_belongs_to_nobody(api: ApiServer, status: str) -> None:
    """Allocatable was filled in from capacity: applying another is no conflict."""
    assert api.apply(status, applied(status, allocatable={"cpu": "1"}), "extender").status_code == 200


def test_what_nobody_manages_was_there_before_the_first_apply(api: ApiServer, node: str) -> None:
    """Where the creation set nothing but the status, nobody is recorded, and all of it conflicts."""
    api.post("/api/v1/nodes", a_node(node, status={"capacity": {"cpu": "4"}}))
    path = f"/api/v1/nodes/{node}/status"

    answer = api.apply(path, applied(path, allocatable={"cpu": "1"}), "extender")

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" with subresource "status" '
        "using v1: .status.allocatable.cpu"
    )


def test_another_value_for_anothers_field_conflicts(api: ApiServer, status: str) -> None:
    first = applied(status, conditions=[ready("True")], allocatable={"cpu": "1"})
    second = applied(status, conditions=[ready("False")], allocatable={"cpu": "2"})
    api.apply(status, first, "one")

    answer = api.apply(status, second, "two")

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Apply failed with 2 conflicts: conflicts with "one" with subresource "status":\n'
        "- .status.allocatable.cpu\n"
        '- .status.conditions[type="Ready"].status'
    )
    assert [each["reason"] for each in answer.json()["details"]["causes"]] == ["FieldManagerConflict"] * 2


def test_force_takes_the_field_over(api: ApiServer, status: str) -> None:
    api.apply(status, applied(status, conditions=[ready("True")]), "one")

    forced = api.apply(status, applied(status, conditions=[ready("False")]), "two", force=True)
    again = api.apply(status, applied(status, conditions=[ready("True")]), "one")

    assert forced.json()["status"]["conditions"][0]["status"] == "False"
    assert again.status_code == 409


def test_a_plain_write_takes_the_field_over_too(api: ApiServer, status: str) -> None:
    """As the node controller does with Ready=Unknown: an unforced apply then conflicts for ever."""
    api.apply(status, applied(status, conditions=[ready("True")]), "bridge")
    body = {"status": {"conditions": [ready("Unknown")]}}
    api.patch(status, body, fieldManager="node-controller")

    unforced = api.apply(status, applied(status, conditions=[ready("True")]), "bridge")
    forced = api.apply(status, applied(status, conditions=[ready("True")]), "bridge", force=True)

    assert unforced.status_code == 409
    assert '"node-controller" with subresource "status" using v1' in unforced.json()["message"]
    assert forced.json()["status"]["conditions"][0]["status"] == "True"


def test_conditions_of_others_are_left_alone(api: ApiServer, status: str) -> None:
    other = {"type": "Other", "status": "True"}
    api.apply(status, applied(status, conditions=[other]), "other")
    api.apply(status, applied(status, conditions=[ready("True"), {"type": "Mine", "status": "True"}]), "mine")

    answer = api.apply(status, applied(status, conditions=[ready("True")]), "mine")

    assert [each["type"] for each in answer.json()["status"]["conditions"]] == ["Other", "Ready"]


def test_taints_are_one_field(api: ApiServer, node: str) -> None:
    api.post("/api/v1/nodes", a_node(node), fieldManager="creator")
    taint = {"key": "own", "effect": "NoSchedule"}

    answer = api.apply(f"/api/v1/nodes/{node}", a_node(node, spec={"taints": [taint]}), "bridge", force=True)

    assert answer.json()["spec"]["taints"] == [taint]


def test_annotations_ride_along_with_an_applied_status(api: ApiServer, status: str) -> None:
    body = applied(status, allocatable={"cpu": "1"})
    body["metadata"]["annotations"] = {"example.com/grants": "[]"}

    answer = api.apply(status, body, "extender")

    assert answer.json()["metadata"]["annotations"]["example.com/grants"] == "[]"


def test_the_spec_in_an_applied_status_is_ignored(api: ApiServer, status: str) -> None:
    body = {**applied(status, allocatable={"cpu": "1"}), "spec": {"providerID": "x"}}

    assert "providerID" not in api.apply(status, body, "extender").json()["spec"]


def test_an_undeclared_field_is_an_error_of_the_server(api: ApiServer, status: str) -> None:
    answer = api.apply(status, applied(status, colour="red"), "one")

    assert answer.status_code == 500
    assert answer.json()["message"].endswith(".status.colour: field not declared in schema")


def test_a_condition_twice_is_an_error_of_the_server(api: ApiServer, status: str) -> None:
    answer = api.apply(status, applied(status, conditions=[ready("True"), ready("False")]), "one")

    assert answer.status_code == 500
    assert answer.json()["message"].endswith('.status.conditions: duplicate entries for key [type="Ready"]')


def test_an_apply_must_name_its_manager(api: ApiServer, status: str) -> None:
    answer = api.patch(status, applied(status), APPLY)

    assert answer.status_code == 422
    assert answer.json()["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"kind": None}, "invalid object type", id="no kind"),
        pytest.param(
            {"metadata": {"name": "other"}}, "does not match the name on the URL", id="another name"
        ),
        pytest.param(
            {"metadata": {"name": "cm", "managedFields": []}},
            "metadata.managedFields must be nil",
            id="managed fields",
        ),
    ],
)
def test_an_apply_that_makes_no_sense_is_a_bad_request(
    space: Space, change: dict[str, Any], message: str
) -> None:
    body = {name: value for name, value in {**a_config_map(), **change}.items() if value is not None}

    answer = space.api.apply(f"{space.config_maps}/cm", body, "one")

    assert answer.status_code == 400
    assert message in answer.json()["message"]
