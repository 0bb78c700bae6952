from typing import Any

import pytest

from app.kube.departures import Departures, Standing
from app.model.names import GATE
from app.ports.failures import Conflict, NotFound, Refused
from app.ports.leaving import Claimed
from tests.builders import a_node, a_pod, a_virtual_node, wire
from tests.fakes import VirtualClock
from tests.kube.fakes import FakeTransport

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def a_list(*items: object) -> dict[str, Any]:
    return {"items": [wire(each) for each in items], "metadata": {"resourceVersion": "7"}}


async def test_only_virtual_nodes_stand_there() -> None:
    server = FakeTransport(a_list(a_node(), a_virtual_node("fargate")))
    assert [node.name for node in await Standing(server, namespace="spillway").nodes()] == ["fargate"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"f:metadata": {"f:annotations": {f"f:{GATE}": {}}}}, "kubectl-annotate", id="the gate"),
        pytest.param({"f:metadata": {"f:labels": {f"f:{GATE}": {}}}}, "", id="something else"),
        pytest.param({"f:spec": {"f:unschedulable": {}}}, "", id="the cordon"),
    ],
)
async def test_who_wrote_the_gate_stands_in_the_managed_fields(fields: dict[str, Any], expected: str) -> None:
    entry = {"manager": "kubectl-annotate", "operation": "Update", "fieldsV1": fields}
    server = FakeTransport({"items": [{"metadata": {"managedFields": [entry]}}], "metadata": {}})
    assert await Standing(server, namespace="spillway").gate_writer("fargate") == expected
    assert server.asked[0].query["fieldSelector"] == "metadata.name=fargate"


async def test_pods_are_asked_for_by_their_node() -> None:
    server = FakeTransport(a_list(a_pod("web-1")))
    assert [pod.metadata.name for pod in await Standing(server, namespace="spillway").pods("fargate")] == [
        "web-1"
    ]
    assert (server.asked[0].path, server.asked[0].query["fieldSelector"]) == (
        "/api/v1/pods",
        "spec.nodeName=fargate",
    )


async def test_placeholders_are_those_of_our_namespace_with_the_label() -> None:
    server = FakeTransport(a_list(a_pod("spillway-placeholder-u1")))
    assert len(await Standing(server, namespace="sys").placeholders()) == 1
    assert (server.asked[0].path, server.asked[0].query["labelSelector"]) == (
        "/api/v1/namespaces/sys/pods",
        "spillway.dev/placeholder-for",
    )


async def test_claims_say_who_holds_each_nodes_lease() -> None:
    held = {"metadata": {"name": "fargate"}, "spec": {"holderIdentity": "bridge-0"}}
    free = {"metadata": {"name": "ec2-0"}, "spec": {}}
    server = FakeTransport({"items": [held, free], "metadata": {}})
    claims = await Standing(server, namespace="spillway").claims()
    assert claims == (Claimed("fargate", "bridge-0"), Claimed("ec2-0", ""))


async def test_a_node_is_closed_and_cordoned_in_one_patch_by_its_uid() -> None:
    server = FakeTransport({})
    await Departures(server, clock=VirtualClock()).close(a_virtual_node("fargate"))
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PATCH", "/api/v1/nodes/fargate")
    assert asked.body == {
        "metadata": {"uid": "uid-fargate", "annotations": {GATE: "closed"}},
        "spec": {"unschedulable": True},
    }


@pytest.mark.parametrize(
    ("at_once", "grace"), [pytest.param(True, 0, id="at once"), pytest.param(False, None, id="in its time")]
)
async def test_a_pod_is_deleted_by_its_uid(at_once: bool, grace: int | None) -> None:
    server = FakeTransport({})
    await Departures(server, clock=VirtualClock()).delete(a_pod(uid="u1"), at_once=at_once)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("DELETE", "/api/v1/namespaces/shop/pods/web-1")
    assert (asked.body["preconditions"], asked.body.get("gracePeriodSeconds")) == ({"uid": "u1"}, grace)


async def test_a_lease_is_taken_without_an_owner() -> None:
    server = FakeTransport({})
    await Departures(server, clock=VirtualClock()).claim("fargate", holder="drain", seconds=60)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PATCH", f"{LEASE}/fargate")
    assert asked.body["metadata"]["ownerReferences"] is None
    assert (asked.body["spec"]["holderIdentity"], asked.body["spec"]["leaseDurationSeconds"]) == ("drain", 60)


async def test_a_lease_that_is_not_there_is_made() -> None:
    server = FakeTransport(NotFound("404"), {})
    await Departures(server, clock=VirtualClock()).claim("fargate", holder="drain", seconds=60)
    assert [(each.method, each.path) for each in server.asked] == [
        ("PATCH", f"{LEASE}/fargate"),
        ("POST", LEASE),
    ]


@pytest.mark.parametrize("failure", [NotFound("404"), Conflict("409")], ids=["gone", "another"])
async def test_removing_a_node_that_is_gone_or_another_is_success(failure: Exception) -> None:
    server = FakeTransport(failure)
    await Departures(server, clock=VirtualClock()).remove_node(a_virtual_node("fargate"))
    assert server.asked[0].body["preconditions"] == {"uid": "uid-fargate"}


async def test_a_lease_is_removed_whoever_holds_it() -> None:
    server = FakeTransport({})
    await Departures(server, clock=VirtualClock()).remove_lease("kube-node-lease", "fargate")
    (asked,) = server.asked
    assert (asked.method, asked.path, "preconditions" in asked.body) == ("DELETE", f"{LEASE}/fargate", False)


async def test_what_may_not_be_removed_is_said() -> None:
    with pytest.raises(Refused):
        await Departures(FakeTransport(Refused("403")), clock=VirtualClock()).remove_lease("a", "b")


OURS = {"description": "Spillway's placeholders: they ask for nodes, and give way to everybody."}


@pytest.mark.parametrize(
    ("found", "methods"),
    [
        pytest.param([OURS, {}], ["GET", "DELETE"], id="an extender's"),
        pytest.param([{"description": "mine"}], ["GET"], id="another's"),
        pytest.param([NotFound("404")], ["GET"], id="none"),
    ],
)
async def test_a_priority_class_is_removed_if_an_extender_made_it(
    found: list[Any], methods: list[str]
) -> None:
    server = FakeTransport(*found)
    removed = await Departures(server, clock=VirtualClock()).remove_priority("low")
    assert ([each.method for each in server.asked], removed) == (methods, len(methods) > 1)
