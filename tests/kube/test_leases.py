import pytest

from app.kube.lease_wire import LeaseSpec, WireLease, judged
from app.kube.leases import Leases
from app.ports.failures import Conflict, NotFound, Unavailable
from app.ports.kubernetes import Lease
from tests.builders import a_node
from tests.fakes import VirtualClock
from tests.kube.fakes import FakeTransport

PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
SPEC = LeaseSpec(holder_identity="a", lease_duration_seconds=15, renew_time="2026-01-01T12:00:00.000000Z")


async def renewed(*answers: object) -> FakeTransport:
    """What the server was asked when the node's Lease was renewed."""
    server = FakeTransport(*answers)
    leases = Leases(server, clock=VirtualClock())
    await leases.renew("kube-node-lease", "n", holder="n", seconds=40, owner=a_node("n"))
    return server


async def test_a_lease_is_renewed_in_one_request() -> None:
    server = await renewed({})
    assert [(each.method, each.path) for each in server.asked] == [("PATCH", f"{PATH}/n")]
    assert server.asked[0].body["spec"] == {
        "holderIdentity": "n",
        "leaseDurationSeconds": 40,
        "renewTime": "2026-01-01T12:00:00.000000Z",
    }


async def test_the_node_owns_its_lease() -> None:
    server = await renewed({})
    assert server.asked[0].body["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "uid-n"}
    ]


async def test_a_lease_without_an_owner_leaves_its_owners_alone() -> None:
    server = FakeTransport({})
    await Leases(server, clock=VirtualClock()).renew("ns", "l", holder="h", seconds=15)
    assert server.asked[0].body["metadata"] == {"name": "l"}


async def test_a_lease_that_is_not_there_is_created() -> None:
    server = await renewed(NotFound("none"), {})
    assert [(each.method, each.path) for each in server.asked] == [("PATCH", f"{PATH}/n"), ("POST", PATH)]
    assert server.asked[0].body == server.asked[1].body


async def test_a_lease_that_was_created_meanwhile_is_renewed() -> None:
    server = await renewed(NotFound("none"), Conflict("exists"), {})
    assert [each.method for each in server.asked] == ["PATCH", "POST", "PATCH"]


async def test_a_renewal_without_an_answer_is_told() -> None:
    with pytest.raises(Unavailable):
        await renewed(Unavailable("timeout"))


async def test_a_lease_is_read_with_its_record() -> None:
    body = {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "t1"}}
    lease = await Leases(FakeTransport(body), clock=VirtualClock()).read("ns", "l")
    assert (lease.holder, lease.duration) == ("a", 15.0)
    assert "t1" in lease.record


async def test_an_empty_lease_belongs_to_nobody() -> None:
    lease = await Leases(FakeTransport({"spec": {}}), clock=VirtualClock()).read("ns", "l")
    assert (lease.holder, lease.duration) == ("", 0.0)


def at(moment: str, **metadata: object) -> Lease:
    return judged(
        WireLease(spec=LeaseSpec(holder_identity="a", lease_duration_seconds=15, renew_time=moment))
    )


def test_a_renewal_changes_the_record() -> None:
    assert at("2026-01-01T12:00:00.000000Z").record != at("2026-01-01T12:00:00.000001Z").record
