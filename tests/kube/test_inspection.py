"""One look at a cluster: what is optional may be missing, what decides may not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.kube.inspection import Inspection
from app.ports.failures import NotFound, Refused, Unavailable
from tests.builders import NOON, a_node, a_pod
from tests.kube.fakes import FakeTransport, a_list

OPTIONAL = pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda inspection: inspection.node_claims(), id="node-claims"),
        pytest.param(lambda inspection: inspection.autoscaler_status(), id="autoscaler"),
        pytest.param(lambda inspection: inspection.events("shop", "u1"), id="events"),
    ],
)
Read = Callable[[Inspection], Awaitable[tuple[Any, ...]]]


@OPTIONAL
async def test_what_a_cluster_has_not_is_nothing(read: Read) -> None:
    inspection = Inspection(FakeTransport(NotFound("404")))
    assert await read(inspection) == ()
    assert inspection.unread == []


@OPTIONAL
async def test_what_we_may_not_read_is_told_apart_from_nothing(read: Read) -> None:
    inspection = Inspection(FakeTransport(Refused("403 forbidden")))
    assert await read(inspection) == ()
    [said] = inspection.unread
    assert said.startswith("403 forbidden: ")


@OPTIONAL
async def test_an_answer_that_fails_to_come_is_not_taken_for_nothing(read: Read) -> None:
    with pytest.raises(Unavailable):
        await read(Inspection(FakeTransport(Unavailable("503"))))


async def test_pods_are_reduced_as_they_are_read() -> None:
    transport = FakeTransport(a_list(a_pod("a"), a_pod("b")))
    kept = await Inspection(transport).pods(keep=lambda pod: a_pod(f"kept-{pod.metadata.name}"))
    assert [pod.metadata.name for pod in kept] == ["kept-a", "kept-b"]


async def test_nodes_that_we_may_not_read_are_a_failure() -> None:
    with pytest.raises(Refused):
        await Inspection(FakeTransport(Refused("403"))).nodes()


async def test_nodes_are_listed() -> None:
    [node] = await Inspection(FakeTransport(a_list(a_node("n1")))).nodes()
    assert node.name == "n1"


async def test_a_lease_says_who_renewed_it_last_and_when() -> None:
    spec = {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T12:00:00.000000Z"}
    lease = await Inspection(FakeTransport({"spec": spec})).lease("spillway", "spillway-gate")
    assert lease is not None
    assert (lease.holder, lease.spec.renew_time, lease.spec.lease_duration_seconds) == ("a", NOON, 15)


async def test_a_lease_that_is_not_there_is_none() -> None:
    assert await Inspection(FakeTransport(NotFound("404"))).lease("spillway", "spillway-gate") is None


async def test_a_lease_that_we_may_not_read_is_not_taken_for_missing() -> None:
    with pytest.raises(Refused):
        await Inspection(FakeTransport(Refused("403"))).lease("spillway", "spillway-gate")


async def test_events_are_asked_for_and_kept_by_uid() -> None:
    about = [{"involvedObject": {"uid": uid}, "reason": uid} for uid in ("u1", "u2")]
    transport = FakeTransport({"items": about})
    found = await Inspection(transport).events("shop", "u1")
    assert [each.reason for each in found] == ["u1"]
    [asked] = transport.asked
    assert (asked.path, asked.query["fieldSelector"]) == (
        "/api/v1/namespaces/shop/events",
        "involvedObject.uid=u1",
    )
