from datetime import UTC, datetime

import pytest

from app.kube.pods import Pods
from app.kube.transport import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from app.ports.failures import Conflict, NotFound, PortFailure, Unavailable
from tests.builders import a_pod, wire
from tests.kube.fakes import Asked, FakeTransport

POD = a_pod("web-1", uid="u1")
PATH = "/api/v1/namespaces/shop/pods/web-1"


async def test_a_pod_is_read_as_it_is_now() -> None:
    server = FakeTransport(wire(POD))
    assert await Pods(server).get("shop", "web-1") == POD
    assert (server.asked[0].method, server.asked[0].path, server.asked[0].query) == ("GET", PATH, {})


async def test_amending_sets_annotations_and_nothing_else() -> None:
    server = FakeTransport(wire(POD))
    assert await Pods(server).amend(POD, annotations={"spillway.dev/attempt": "2"}) == POD
    assert server.asked == [
        Asked(
            "PATCH",
            PATH,
            {},
            {"metadata": {"uid": "u1", "annotations": {"spillway.dev/attempt": "2"}}},
            MERGE_PATCH,
        )
    ]


async def test_amending_tolerations_sends_the_whole_list() -> None:
    server = FakeTransport(wire(POD))
    toleration = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 86400}
    await Pods(server).amend(POD, annotations={}, tolerations=[toleration])
    assert server.asked[0].body["spec"] == {"tolerations": [toleration]}


TOLERATION = {"key": "virtual-kubelet.io/provider", "operator": "Exists"}


async def test_a_toleration_is_added_behind_the_others_for_this_version_of_the_pod_only() -> None:
    server = FakeTransport(wire(POD))
    pod = a_pod("web-1", uid="u1", tolerations=[{"key": "team", "operator": "Exists"}])
    assert await Pods(server).tolerate(pod, TOLERATION) == POD
    assert server.asked == [
        Asked(
            "PATCH",
            PATH,
            {},
            [
                {"op": "add", "path": "/metadata/uid", "value": "u1"},
                {"op": "add", "path": "/metadata/resourceVersion", "value": "1"},
                {"op": "add", "path": "/spec/tolerations/-", "value": TOLERATION},
            ],
            JSON_PATCH,
        )
    ]


async def test_a_first_toleration_makes_the_list() -> None:
    server = FakeTransport(wire(POD))
    await Pods(server).tolerate(POD, TOLERATION)
    assert server.asked[0].body[2] == {"op": "add", "path": "/spec/tolerations", "value": [TOLERATION]}


async def test_a_status_goes_to_the_subresource_for_this_uid_only() -> None:
    server = FakeTransport(wire(POD))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    await Pods(server).set_status(POD, {"phase": "Running", "startTime": since})
    assert server.asked == [
        Asked(
            "PATCH",
            f"{PATH}/status",
            {},
            {"metadata": {"uid": "u1"}, "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"}},
            STRATEGIC_MERGE_PATCH,
        )
    ]


async def test_removing_is_at_once_and_for_this_uid_only() -> None:
    server = FakeTransport({})
    await Pods(server).remove(POD)
    assert server.asked[0].method == "DELETE"
    assert server.asked[0].body["gracePeriodSeconds"] == 0
    assert server.asked[0].body["preconditions"] == {"uid": "u1"}


@pytest.mark.parametrize(
    "failure",
    [pytest.param(NotFound("gone"), id="gone"), pytest.param(Conflict("other uid"), id="another pod's name")],
)
async def test_a_pod_that_is_not_there_is_removed(failure: PortFailure) -> None:
    server = FakeTransport(failure)
    await Pods(server).remove(POD)
    assert len(server.asked) == 1


async def test_a_removal_without_an_answer_is_no_removal() -> None:
    with pytest.raises(Unavailable):
        await Pods(FakeTransport(Unavailable("timeout"))).remove(POD)


@pytest.mark.parametrize(
    "failure",
    [pytest.param(NotFound("gone"), id="gone"), pytest.param(Conflict("other uid"), id="another pod's name")],
)
async def test_a_patch_tells_that_its_pod_is_gone(failure: PortFailure) -> None:
    with pytest.raises(type(failure)):
        await Pods(FakeTransport(failure)).set_status(POD, {"phase": "Running"})
