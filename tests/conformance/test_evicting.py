"""The eviction subresource: what is evicted, what is refused, and who objects."""

import pytest

from tests.conformance.servers import MERGE, STRATEGIC, ApiServer, Json, Space, a_node


def an_eviction(name: str = "web", **options: object) -> Json:
    body: Json = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return {**body, "deleteOptions": options} if options else body


def a_budget(name: str = "keep") -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }


@pytest.fixture
def running(api: ApiServer, space: Space, node: str) -> Json:
    """A pod that runs on a node."""
    api.post("/api/v1/nodes", a_node(node))
    space.pod(metadata={"labels": {"app": "web"}}, nodeName=node)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {"status": {"phase": "Running", "conditions": [ready]}}
    answer = api.patch(f"{space.pods}/web/status", status, STRATEGIC)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_an_evicted_pod_that_runs_nowhere_is_gone(space: Space) -> None:
    space.pod()

    answer = space.api.post(f"{space.pods}/web/eviction", an_eviction())

    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["status"], answer.json()["code"]) == (
        "Status",
        "Success",
        201,
    )
    assert space.api.get(f"{space.pods}/web").status_code == 404


def test_an_evicted_pod_that_runs_has_its_grace_and_says_why_it_goes(space: Space, running: Json) -> None:
    answer = space.api.post(f"{space.pods}/web/eviction", an_eviction())

    after = space.api.get(f"{space.pods}/web").json()
    [why] = [each for each in after["status"]["conditions"] if each["type"] == "DisruptionTarget"]
    assert answer.status_code == 201
    assert after["metadata"]["deletionGracePeriodSeconds"] == 30
    assert (why["status"], why["reason"]) == ("True", "EvictionByEvictionAPI")
    assert why["message"] == "Eviction API: evicting"


def test_a_pod_that_is_not_there_cannot_be_evicted(space: Space) -> None:
    answer = space.api.post(f"{space.pods}/none/eviction", an_eviction("none"))

    assert answer.status_code == 404
    assert answer.json()["message"] == 'pods "none" not found'


def test_only_the_pod_with_this_uid_is_evicted(space: Space) -> None:
    uid = space.pod()["metadata"]["uid"]
    path = f"{space.pods}/web/eviction"

    wrong = space.api.post(path, an_eviction(preconditions={"uid": "another"}))
    right = space.api.post(path, an_eviction(preconditions={"uid": uid}))

    assert (wrong.status_code, wrong.json()["reason"]) == (409, "Conflict")
    assert right.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(an_eviction("other"), id="another pod"),
        pytest.param({"apiVersion": "policy/v1", "kind": "Eviction"}, id="no pod"),
    ],
)
def test_an_eviction_names_its_pod(space: Space, body: Json) -> None:
    space.pod()

    answer = space.api.post(f"{space.pods}/web/eviction", body)

    assert answer.status_code == 400
    assert "name in URL does not match name in Eviction object" in answer.json()["message"]


def test_an_eviction_may_be_a_mere_question(space: Space) -> None:
    space.pod()

    answer = space.api.post(f"{space.pods}/web/eviction", an_eviction(), dryRun="All")

    assert answer.status_code == 201
    assert space.api.get(f"{space.pods}/web").status_code == 200


def test_a_budget_holds_a_running_pod(space: Space, running: Json) -> None:
    space.api.post(space.path("poddisruptionbudgets", group="policy"), a_budget())

    answer = space.api.post(f"{space.pods}/web/eviction", an_eviction())

    assert (answer.status_code, answer.json()["reason"]) == (429, "TooManyRequests")
    assert answer.json()["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    [cause] = answer.json()["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert cause["message"].startswith("The disruption budget keep ")
    assert "deletionTimestamp" not in space.api.get(f"{space.pods}/web").json()["metadata"]


def test_two_budgets_for_one_pod_are_an_error(space: Space, running: Json) -> None:
    for name in ("keep", "hold"):
        space.api.post(space.path("poddisruptionbudgets", group="policy"), a_budget(name))

    answer = space.api.post(f"{space.pods}/web/eviction", an_eviction())

    assert answer.status_code == 500
    assert answer.json()["message"].startswith("This pod has more than one PodDisruptionBudget")


def test_a_budget_for_others_holds_nobody(space: Space, running: Json) -> None:
    space.api.post(space.path("poddisruptionbudgets", group="policy"), a_budget())
    space.api.patch(f"{space.pods}/web", {"metadata": {"labels": {"app": "other"}}}, MERGE)

    assert space.api.post(f"{space.pods}/web/eviction", an_eviction()).status_code == 201


def test_a_budget_counts_no_pod_that_does_not_run_yet(space: Space) -> None:
    space.api.post(space.path("poddisruptionbudgets", group="policy"), a_budget())
    space.pod(metadata={"labels": {"app": "web"}})

    assert space.api.post(f"{space.pods}/web/eviction", an_eviction()).status_code == 201
