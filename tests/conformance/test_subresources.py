"""Scales, leases, events of both groups, and the log of a pod."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.kubelets import asked, kubelet
from tests.conformance.servers import MERGE, ApiServer, Json, Space, a_deployment, a_node

LEASE = "coordination.k8s.io/v1"


def a_lease(**spec: Any) -> Json:
    return {"apiVersion": LEASE, "kind": "Lease", "metadata": {"name": "leader"}, "spec": spec}


def an_event(**more: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "web."},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web", "uid": "u1"},
        "reason": "Pulled",
        "message": "pulled",
        "type": "Normal",
        "count": 1,
        **more,
    }


def test_a_scale_is_read_and_written(space: Space) -> None:
    space.api.post(space.deployments, a_deployment())
    path = f"{space.deployments}/web/scale"

    before = space.api.get(path).json()
    after = space.api.patch(path, {"spec": {"replicas": 1}}, MERGE).json()
    deployment = space.api.get(f"{space.deployments}/web").json()

    assert (before["kind"], before["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert before["spec"] == {}
    assert before["status"] == {"replicas": 0, "selector": "app=web"}
    assert after["spec"] == {"replicas": 1}
    assert deployment["spec"]["replicas"] == 1
    assert deployment["metadata"]["generation"] == 2


def test_a_scale_cannot_be_negative(space: Space) -> None:
    space.api.post(space.deployments, a_deployment())

    answer = space.api.patch(f"{space.deployments}/web/scale", {"spec": {"replicas": -1}}, MERGE)

    assert answer.status_code == 422


def test_a_lease_keeps_microseconds(space: Space) -> None:
    moment = "2026-01-01T00:00:00.123456Z"
    lease = space.api.post(space.leases, a_lease(holderIdentity="a", renewTime=moment)).json()

    assert lease["spec"]["renewTime"] == moment


def test_the_second_of_two_renewals_of_a_lease_conflicts(space: Space) -> None:
    lease = space.api.post(space.leases, a_lease(holderIdentity="a")).json()
    path = f"{space.leases}/leader"

    first = space.api.put(path, {**lease, "spec": {"holderIdentity": "b"}})
    second = space.api.put(path, {**lease, "spec": {"holderIdentity": "c"}})

    assert first.status_code == 200
    assert second.status_code == 409
    assert second.json()["details"]["group"] == "coordination.k8s.io"


def test_a_lease_is_not_replaced_blindly(space: Space) -> None:
    space.api.post(space.leases, a_lease(holderIdentity="a"))

    answer = space.api.put(f"{space.leases}/leader", a_lease(holderIdentity="b"))

    assert answer.status_code == 422
    assert answer.json()["message"] == (
        'leases.coordination.k8s.io "leader" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update"
    )


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        pytest.param({"leaseDurationSeconds": 0}, 422, id="no duration"),
        pytest.param({"renewTime": "yesterday"}, 400, id="no time"),
        pytest.param({"renewTime": "2026-01-01T00:00:00Z"}, 400, id="no microseconds"),
    ],
)
def test_a_lease_that_makes_no_sense_is_refused(space: Space, spec: Json, status: int) -> None:
    assert space.api.post(space.leases, a_lease(**spec)).status_code == status


def test_events_are_found_by_the_object_they_are_about(space: Space) -> None:
    event = an_event()
    event["involvedObject"]["namespace"] = space.name
    space.api.post(space.path("events"), event)

    about = f"involvedObject.name=web,involvedObject.namespace={space.name},involvedObject.uid=u1"
    found = space.api.get(space.path("events"), fieldSelector=about).json()["items"]
    others = space.api.get(space.path("events"), fieldSelector="involvedObject.name=other").json()["items"]

    assert [each["message"] for each in found] == ["pulled"]
    assert others == []


def test_an_event_of_one_group_is_read_in_the_other(space: Space) -> None:
    event = an_event()
    event["involvedObject"]["namespace"] = space.name
    space.api.post(space.path("events"), event)

    found = space.api.get(space.path("events", group="events.k8s.io")).json()

    assert (found["kind"], found["apiVersion"]) == ("EventList", "events.k8s.io/v1")
    assert found["items"][0]["note"] == "pulled"
    assert found["items"][0]["regarding"]["name"] == "web"
    assert found["items"][0]["deprecatedCount"] == 1


def test_an_event_counts_up_by_patch(space: Space) -> None:
    event = an_event()
    event["involvedObject"]["namespace"] = space.name
    name = space.api.post(space.path("events"), event).json()["metadata"]["name"]

    answer = space.api.patch(space.path("events", name), {"count": 2}, MERGE)

    assert answer.json()["count"] == 2


@pytest.fixture
def logging_node(api: ApiServer, node: str, tmp_path: Path) -> Iterator[str]:
    """A node whose kubelet says how it was asked for logs."""
    with kubelet(api, node, asked, tmp_path):
        yield node


def test_the_log_of_a_pod_without_a_node_is_empty(space: Space) -> None:
    space.pod()

    answer = space.api.get(f"{space.pods}/web/log")

    assert answer.status_code == 204
    assert answer.content == b""


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"tailLines": "5", "timestamps": "true"}, "?tailLines=5&timestamps=true", id="two"),
        pytest.param({"follow": "true", "sinceSeconds": "9"}, "?follow=true&sinceSeconds=9", id="follow"),
    ],
)
def test_a_log_is_asked_of_the_nodes_kubelet(
    space: Space, logging_node: str, query: dict[str, str], passed: str
) -> None:
    space.pod(nodeName=logging_node)

    answer = space.api.get(f"{space.pods}/web/log", insecureSkipTLSVerifyBackend="true", **query)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == f"/containerLogs/{space.name}/web/main{passed}\n"


def test_a_kubelet_that_refuses_is_reported(space: Space, logging_node: str) -> None:
    space.pod("refused", nodeName=logging_node)

    answer = space.api.get(f"{space.pods}/refused/log", insecureSkipTLSVerifyBackend="true")

    assert answer.status_code == 404
    assert answer.json()["message"] == (
        "the server could not find the requested resource ( pods/log refused)"
    )


def test_a_kubelet_that_is_not_there_is_an_error(api: ApiServer, space: Space, node: str) -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    }
    api.post("/api/v1/nodes", a_node(node, status=status))
    space.pod(nodeName=node)

    answer = space.api.get(f"{space.pods}/web/log")

    assert answer.status_code == 500
    assert f"https://127.0.0.1:1/containerLogs/{space.name}/web/main" in answer.json()["message"]
    assert answer.json()["message"].endswith("connect: connection refused")


def test_a_node_without_an_address_has_no_log(api: ApiServer, space: Space, node: str) -> None:
    api.post("/api/v1/nodes", a_node(node))
    space.pod(nodeName=node)

    answer = space.api.get(f"{space.pods}/web/log")

    assert answer.status_code == 500
    assert answer.json()["message"] == "no preferred addresses found; known addresses: []"


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        pytest.param({"container": "none"}, 400, "container none is not valid for pod web", id="container"),
        pytest.param(
            {"tailLines": "-1"},
            422,
            'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: '
            "must be greater than or equal to 0",
            id="tail",
        ),
        pytest.param(
            {"sinceSeconds": "0"},
            422,
            'PodLogOptions "web" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0',
            id="since",
        ),
        pytest.param(
            {"tailLines": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax', id="no number"
        ),
    ],
)
def test_a_log_that_cannot_be_is_refused(
    space: Space, query: dict[str, str], status: int, message: str
) -> None:
    space.pod()

    answer = space.api.get(f"{space.pods}/web/log", **query)

    assert answer.status_code == status
    assert answer.json()["message"] == message


def test_one_of_several_containers_must_be_chosen(space: Space) -> None:
    space.pod(containers=[{"name": each, "image": "x"} for each in ("a", "b")])

    answer = space.api.get(f"{space.pods}/web/log")

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "a container name must be specified for pod web, choose one of: [a b]"
    )
