from typing import Any

import msgspec

from app.kubelet.messages import Answer
from app.kubelet.pod_lists import bound_pods, running_pods
from tests.builders import a_pod

RUNNING = {"name": "main", "image": "nginx:1", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
WAITING = {"name": "side", "image": "side:1", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}


def items(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(answer.text)["items"]
    return found


def test_no_pods_are_an_empty_list_of_pods() -> None:
    assert msgspec.json.decode(bound_pods([]).text) == {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [],
    }


def test_bound_pods_have_spec_and_status_and_nothing_that_is_null() -> None:
    answer = bound_pods([a_pod("web-1", status={"phase": "Running", "podIP": "10.0.0.8"})])
    [item] = items(answer)
    assert item["status"]["podIP"] == "10.0.0.8"
    assert item["spec"]["containers"]
    assert "null" not in answer.text


def test_running_pods_are_those_of_which_a_container_runs_by_name_and_image() -> None:
    pods = [
        a_pod("web-1", status={"containerStatuses": [RUNNING, WAITING]}),
        a_pod("web-2", status={"containerStatuses": [WAITING]}),
        a_pod("web-3"),
    ]
    [item] = items(running_pods(pods))
    assert item["metadata"]["name"] == "web-1"
    assert item["spec"]["containers"] == [{"name": "main", "image": "nginx:1", "resources": {}}]


def test_a_sidecar_that_runs_makes_a_running_pod() -> None:
    [item] = items(running_pods([a_pod("web-1", status={"initContainerStatuses": [RUNNING]})]))
    assert [each["name"] for each in item["spec"]["containers"]] == ["main"]
