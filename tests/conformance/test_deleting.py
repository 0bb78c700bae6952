"""Deleting: grace periods, finalizers, preconditions, and bindings that come before."""

from typing import Any

import pytest

from tests.conformance.servers import STRATEGIC, Space, a_deployment, a_pod


def bound_to(pod: str, node: str) -> dict[str, Any]:
    target = {"apiVersion": "v1", "kind": "Node", "name": node}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}


def test_a_pod_without_a_node_goes_at_once(space: Space) -> None:
    space.pod()

    answer = space.api.delete(f"{space.pods}/web")

    assert answer.json()["kind"] == "Pod"
    assert answer.json()["metadata"]["deletionGracePeriodSeconds"] == 0
    assert space.api.get(f"{space.pods}/web").status_code == 404


def test_a_bound_pod_gets_its_grace_period(space: Space) -> None:
    space.pod(nodeName="somewhere", terminationGracePeriodSeconds=7)

    metadata = space.api.delete(f"{space.pods}/web").json()["metadata"]

    assert metadata["deletionGracePeriodSeconds"] == 7
    assert metadata["deletionTimestamp"] > metadata["creationTimestamp"]
    assert metadata["generation"] == 2
    assert space.api.get(f"{space.pods}/web").status_code == 200


def test_a_second_deletion_changes_nothing(space: Space) -> None:
    space.pod(nodeName="somewhere")
    first = space.api.delete(f"{space.pods}/web").json()["metadata"]

    second = space.api.delete(f"{space.pods}/web").json()["metadata"]

    assert second["resourceVersion"] == first["resourceVersion"]


def test_a_grace_period_can_only_become_shorter(space: Space) -> None:
    space.pod(nodeName="somewhere")
    path = f"{space.pods}/web"
    space.api.delete(path)

    longer = space.api.delete(path, {"gracePeriodSeconds": 100}).json()["metadata"]
    shorter = space.api.delete(path, {"gracePeriodSeconds": 5}).json()["metadata"]

    assert longer["deletionGracePeriodSeconds"] == 30
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < longer["deletionTimestamp"]


def test_no_grace_removes_a_bound_pod_at_once(space: Space) -> None:
    space.pod(nodeName="somewhere")

    space.api.delete(f"{space.pods}/web", {"gracePeriodSeconds": 0})

    assert space.api.get(f"{space.pods}/web").status_code == 404


def test_a_finished_pod_needs_no_grace(space: Space) -> None:
    space.pod(nodeName="somewhere")
    space.api.patch(f"{space.pods}/web/status", {"status": {"phase": "Succeeded"}}, STRATEGIC)

    space.api.delete(f"{space.pods}/web")

    assert space.api.get(f"{space.pods}/web").status_code == 404


def test_a_finalizer_keeps_the_object_until_it_is_removed(space: Space) -> None:
    space.config_map(finalizers=["example.com/hold"])
    path = f"{space.config_maps}/cm"

    kept = space.api.delete(path).json()
    released = space.api.patch(path, {"metadata": {"finalizers": None}})

    assert kept["metadata"]["deletionGracePeriodSeconds"] == 0
    assert kept["metadata"]["finalizers"] == ["example.com/hold"]
    assert released.status_code == 200
    assert space.api.get(path).status_code == 404


def test_another_uid_is_a_conflict(space: Space) -> None:
    uid = space.pod()["metadata"]["uid"]

    answer = space.api.delete(f"{space.pods}/web", {"preconditions": {"uid": "another"}})

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Operation cannot be fulfilled on Pod "web": the UID in the precondition (another) does not match '
        f"the UID in record ({uid}). The object might have been deleted and then recreated"
    )


def test_a_deletion_of_others_is_answered_with_a_status(space: Space) -> None:
    uid = space.api.post(space.deployments, a_deployment()).json()["metadata"]["uid"]

    answer = space.api.delete(f"{space.deployments}/web", propagationPolicy="Background")

    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "web", "group": "apps", "kind": "deployments", "uid": uid},
    }


def test_what_is_not_there_cannot_be_deleted(space: Space) -> None:
    answer = space.api.delete(f"{space.deployments}/none")

    assert answer.status_code == 404
    assert answer.json()["message"] == 'deployments.apps "none" not found'


def test_a_collection_is_deleted_by_selector(space: Space) -> None:
    space.config_map("a", labels={"drop": "yes"})
    space.config_map("b")

    space.api.delete(space.config_maps, labelSelector="drop=yes")

    names = [each["metadata"]["name"] for each in space.api.get(space.config_maps).json()["items"]]
    assert "a" not in names
    assert "b" in names


@pytest.mark.parametrize(
    ("options", "field"),
    [
        pytest.param({"propagationPolicy": "Sideways"}, "propagationPolicy", id="propagation"),
        pytest.param({"dryRun": ["Some"]}, "dryRun", id="dry run"),
    ],
)
def test_options_that_do_not_exist_are_refused(space: Space, options: dict[str, Any], field: str) -> None:
    space.config_map()

    answer = space.api.delete(f"{space.config_maps}/cm", options)

    assert answer.status_code == 422
    assert answer.json()["details"]["causes"][0]["field"] == field


def test_a_binding_places_the_pod(space: Space) -> None:
    space.pod()

    answer = space.api.post(f"{space.pods}/web/binding", bound_to("web", "somewhere"))
    pod = space.api.get(f"{space.pods}/web").json()

    assert answer.status_code == 201
    assert answer.json()["status"] == "Success"
    assert pod["spec"]["nodeName"] == "somewhere"
    scheduled = pod["status"]["conditions"][0]
    assert (scheduled["type"], scheduled["status"]) == ("PodScheduled", "True")
    assert scheduled["lastTransitionTime"]


def test_a_pod_that_names_its_node_itself_has_no_word_of_a_scheduler_whatever_its_owner_writes(
    space: Space,
) -> None:
    claimed = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    manifest = a_pod()
    named = manifest | {"spec": manifest["spec"] | {"nodeName": "somewhere"}, "status": claimed}
    created = space.api.post(space.pods, named).json()
    answer = space.api.put(f"{space.pods}/web", created | {"status": claimed})
    pod = space.api.get(f"{space.pods}/web").json()

    assert answer.status_code == 200
    assert pod["status"].get("conditions", []) == []


def test_a_pod_is_bound_once(space: Space) -> None:
    space.pod()
    space.api.post(f"{space.pods}/web/binding", bound_to("web", "somewhere"))

    answer = space.api.post(f"{space.pods}/web/binding", bound_to("web", "elsewhere"))

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "somewhere"'
    )


def test_a_gated_pod_cannot_be_bound(space: Space) -> None:
    space.pod(schedulingGates=[{"name": "example.com/hold"}])

    answer = space.api.post(f"{space.pods}/web/binding", bound_to("web", "somewhere"))

    assert answer.status_code == 409


def test_a_pod_that_is_not_there_cannot_be_bound(space: Space) -> None:
    answer = space.api.post(f"{space.pods}/none/binding", bound_to("none", "somewhere"))

    assert answer.status_code == 404


def test_an_eviction_deletes_with_grace(space: Space) -> None:
    space.pod(nodeName="somewhere")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}

    answer = space.api.post(f"{space.pods}/web/eviction", body)

    assert answer.status_code == 201
    assert "deletionTimestamp" in space.api.get(f"{space.pods}/web").json()["metadata"]


def test_a_deleted_namespace_takes_its_objects_along(space: Space) -> None:
    space.config_map()

    answer = space.api.delete(f"/api/v1/namespaces/{space.name}")

    assert answer.json()["status"]["phase"] == "Terminating"
    space.api.until(f"/api/v1/namespaces/{space.name}", status=404)
