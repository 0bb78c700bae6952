"""Replacing: preconditions, what each path may write, and what may never change."""

from typing import Any

import pytest

from tests.conformance.servers import (
    STRATEGIC,
    ApiServer,
    Space,
    a_config_map,
    a_deployment,
    a_node,
)


def test_a_replacement_of_an_old_version_conflicts(space: Space) -> None:
    old = space.config_map()
    space.api.patch(f"{space.config_maps}/cm", {"data": {"a": "1"}})

    answer = space.api.put(f"{space.config_maps}/cm", old)

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Operation cannot be fulfilled on configmaps "cm": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_a_replacement_without_a_version_always_wins(space: Space) -> None:
    space.config_map()

    answer = space.api.put(f"{space.config_maps}/cm", a_config_map(data={"a": "1"}))

    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": "1"}


def test_a_replacement_of_another_uid_conflicts(space: Space) -> None:
    space.config_map()

    answer = space.api.put(f"{space.config_maps}/cm", a_config_map(uid="another"))

    assert answer.status_code == 409
    assert "UID in precondition: another" in answer.json()["message"]


def test_an_object_that_is_not_there_cannot_be_replaced(space: Space) -> None:
    answer = space.api.put(f"{space.config_maps}/none", a_config_map("none"))

    assert answer.status_code == 404
    assert answer.json()["details"] == {"name": "none", "kind": "configmaps"}


def test_the_name_of_a_replacement_must_be_the_paths(space: Space) -> None:
    space.config_map()

    answer = space.api.put(f"{space.config_maps}/cm", a_config_map("other"))

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "the name of the object (other) does not match the name on the URL (cm)"
    )


def test_the_main_resource_cannot_write_the_status(space: Space) -> None:
    space.pod()

    patched = space.api.patch(f"{space.pods}/web", {"status": {"phase": "Running"}}).json()

    assert patched["status"]["phase"] == "Pending"


def test_the_status_subresource_cannot_write_the_spec(space: Space) -> None:
    space.pod()
    body = {"spec": {"nodeName": "elsewhere"}, "status": {"phase": "Running"}}

    patched = space.api.patch(f"{space.pods}/web/status", body).json()

    assert "nodeName" not in patched["spec"]
    assert patched["status"]["phase"] == "Running"


def test_metadata_rides_along_with_the_status_of_a_node(api: ApiServer, node: str) -> None:
    api.post("/api/v1/nodes", a_node(node))
    body = {"metadata": {"annotations": {"example.com/grants": "1"}}, "spec": {"providerID": "x"}}

    patched = api.patch(f"/api/v1/nodes/{node}/status", body).json()

    assert patched["metadata"]["annotations"]["example.com/grants"] == "1"
    assert "providerID" not in patched["spec"]


def test_the_generation_counts_changes_of_the_spec_alone(space: Space) -> None:
    space.api.post(space.deployments, a_deployment())
    path = f"{space.deployments}/web"

    labelled = space.api.patch(path, {"metadata": {"labels": {"a": "b"}}}).json()
    paused = space.api.patch(path, {"spec": {"paused": True}}).json()

    assert labelled["metadata"]["generation"] == 1
    assert paused["metadata"]["generation"] == 2


def test_the_spec_of_a_pod_cannot_change(space: Space) -> None:
    space.pod()

    answer = space.api.patch(f"{space.pods}/web", {"spec": {"nodeSelector": {"a": "b"}}})

    assert answer.status_code == 422
    assert answer.json()["message"].startswith(
        'Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than '
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        "`spec.tolerations` (only additions to existing tolerations)"
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"containers": [{"name": "main", "image": "app:2"}]}, id="image"),
        pytest.param({"activeDeadlineSeconds": 60}, id="a deadline"),
    ],
)
def test_some_fields_of_a_pod_can_change(space: Space, spec: dict[str, Any]) -> None:
    space.pod()

    answer = space.api.patch(f"{space.pods}/web", {"spec": spec}, STRATEGIC)

    assert answer.status_code == 200
    assert answer.json()["metadata"]["generation"] == 2


def test_a_toleration_can_be_added_to_a_pod(space: Space) -> None:
    tolerations = space.pod()["spec"]["tolerations"]
    added = {"key": "a", "operator": "Exists"}

    answer = space.api.patch(f"{space.pods}/web", {"spec": {"tolerations": [*tolerations, added]}})

    assert added in answer.json()["spec"]["tolerations"]


def test_the_seconds_of_a_toleration_can_change(space: Space) -> None:
    longer = [{**each, "tolerationSeconds": 900} for each in space.pod()["spec"]["tolerations"]]

    answer = space.api.patch(f"{space.pods}/web", {"spec": {"tolerations": longer}})

    assert answer.json()["spec"]["tolerations"] == longer


def test_the_default_tolerations_come_back(space: Space) -> None:
    tolerations = space.pod()["spec"]["tolerations"]

    answer = space.api.patch(f"{space.pods}/web", {"spec": {"tolerations": None}})

    assert answer.json()["spec"]["tolerations"] == tolerations


def test_a_toleration_cannot_be_taken_away(space: Space) -> None:
    space.pod(tolerations=[{"key": "a", "operator": "Exists"}])

    answer = space.api.patch(f"{space.pods}/web", {"spec": {"tolerations": []}})

    assert answer.status_code == 422
    assert answer.json()["message"] == (
        'Pod "web" is invalid: spec.tolerations: Forbidden: '
        "existing toleration can not be modified except its tolerationSeconds"
    )


def test_a_scheduling_gate_can_only_be_taken_away(space: Space) -> None:
    space.pod(schedulingGates=[{"name": "example.com/hold"}])
    path = f"{space.pods}/web"
    other = {"schedulingGates": [{"name": "example.com/other"}]}

    refused = space.api.patch(path, {"spec": other})
    opened = space.api.patch(path, {"spec": {"schedulingGates": None}})

    assert refused.status_code == 422
    assert "only deletion is allowed" in refused.json()["message"]
    assert "schedulingGates" not in opened.json()["spec"]


def test_the_quality_of_service_cannot_change(space: Space) -> None:
    space.pod()

    answer = space.api.patch(f"{space.pods}/web/status", {"status": {"qosClass": "Guaranteed"}})

    assert answer.status_code == 422


def test_an_exited_container_of_a_never_restarting_pod_stays_exited(space: Space) -> None:
    space.pod(restartPolicy="Never", nodeName="somewhere")
    path = f"{space.pods}/web/status"
    exited = {"name": "main", "state": {"terminated": {"exitCode": 1}}}
    space.api.patch(path, {"status": {"phase": "Running", "containerStatuses": [exited]}}, STRATEGIC)

    running = {"name": "main", "state": {"running": {}}}
    answer = space.api.patch(path, {"status": {"containerStatuses": [running]}}, STRATEGIC)

    assert answer.status_code == 422
    assert "may not be transitioned to non-terminated state" in answer.json()["message"]


def test_the_selector_of_a_deployment_cannot_change(space: Space) -> None:
    space.api.post(space.deployments, a_deployment())
    labels = {"app": "other"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}

    answer = space.api.patch(f"{space.deployments}/web", {"spec": spec})

    assert answer.status_code == 422
    assert "spec.selector: Invalid value" in answer.json()["message"]
    assert answer.json()["message"].endswith("field is immutable")
