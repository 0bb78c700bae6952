import pytest

from app.kube.events import Events
from app.model.meta import ObjectMeta
from app.model.namespace import Namespace
from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from tests.builders import a_node, a_pod
from tests.fakes import VirtualClock
from tests.kube.fakes import FakeTransport

POD = a_pod("web-1", uid="u1")


def recorder(server: FakeTransport, clock: VirtualClock | None = None) -> Events:
    return Events(server, clock=clock or VirtualClock(), component="spillway-bridge", host="fargate-1a")


async def test_an_event_says_who_saw_what_about_whom() -> None:
    server = FakeTransport({})
    await recorder(server).record(POD, reason="Started", message="Started task")
    event = server.asked[0].body
    name = event.pop("metadata").pop("name")
    assert name.startswith("web-1.")
    assert (server.asked[0].method, server.asked[0].path) == ("POST", "/api/v1/namespaces/shop/events")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "shop",
            "name": "web-1",
            "uid": "u1",
        },
        "type": "Normal",
        "reason": "Started",
        "message": "Started task",
        "source": {"component": "spillway-bridge", "host": "fargate-1a"},
        "reportingComponent": "spillway-bridge",
        "reportingInstance": "fargate-1a",
        "firstTimestamp": "2026-01-01T12:00:00Z",
        "lastTimestamp": "2026-01-01T12:00:00Z",
        "count": 1,
    }


async def test_an_event_about_a_namespace_stands_in_it() -> None:
    server = FakeTransport({})
    namespace = Namespace(metadata=ObjectMeta(name="shop"))
    await recorder(server).record(namespace, reason="OverflowKeyNotRead", message="misspelt", warning=True)
    assert server.asked[0].path == "/api/v1/namespaces/shop/events"
    involved = server.asked[0].body["involvedObject"]
    assert involved == {"apiVersion": "v1", "kind": "Namespace", "namespace": "shop", "name": "shop"}


async def test_an_event_about_a_node_lives_in_the_default_namespace() -> None:
    server = FakeTransport({})
    await recorder(server).record(a_node("n"), reason="Closed", message="gate closed", warning=True)
    assert server.asked[0].path == "/api/v1/namespaces/default/events"
    assert server.asked[0].body["type"] == "Warning"
    assert "namespace" not in server.asked[0].body["involvedObject"]


async def test_the_same_again_is_counted_up() -> None:
    server, clock = FakeTransport({}, {}), VirtualClock()
    events = recorder(server, clock)
    await events.record(POD, reason="BackOff", message="again")
    await clock.advance(60)
    await events.record(POD, reason="BackOff", message="again")
    name = server.asked[0].body["metadata"]["name"]
    assert (server.asked[1].method, server.asked[1].path) == (
        "PATCH",
        f"/api/v1/namespaces/shop/events/{name}",
    )
    assert server.asked[1].body == {"count": 2, "lastTimestamp": "2026-01-01T12:01:00Z"}


async def test_an_event_that_expired_is_written_anew() -> None:
    server = FakeTransport({}, NotFound("expired"), {})
    events = recorder(server)
    await events.record(POD, reason="BackOff", message="again")
    await events.record(POD, reason="BackOff", message="again")
    assert [each.method for each in server.asked] == ["POST", "PATCH", "POST"]
    assert server.asked[2].body["count"] == 1
    assert server.asked[2].body["metadata"]["name"] != server.asked[0].body["metadata"]["name"]


async def test_an_event_that_was_not_written_is_not_counted_up() -> None:
    server = FakeTransport(Unavailable("timeout"), {})
    events = recorder(server)
    await events.record(POD, reason="BackOff", message="again")
    await events.record(POD, reason="BackOff", message="again")
    assert [each.method for each in server.asked] == ["POST", "POST"]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unavailable("down"), id="no answer"),
        pytest.param(Refused("namespace is terminating"), id="refused"),
        pytest.param(Throttled("429"), id="throttled"),
        pytest.param(NotFound("no namespace"), id="namespace gone"),
    ],
)
async def test_a_failure_stops_nobody(failure: PortFailure) -> None:
    server = FakeTransport(failure)
    await recorder(server).record(POD, reason="Started", message="Started task")
    assert len(server.asked) == 1


async def test_a_flood_about_one_pod_is_cut() -> None:
    server = FakeTransport(*([{}] * 100))
    events = recorder(server)
    for index in range(100):
        await events.record(POD, reason="Failed", message=f"try {index}")
    assert len(server.asked) == 25


async def test_long_messages_and_names_are_cut_to_what_the_server_takes() -> None:
    server = FakeTransport({})
    pod = a_pod("a" * 199 + "-" + "b" * 50, uid="u1")
    await recorder(server).record(pod, reason="Failed", message="x" * 5000)
    event = server.asked[0].body
    assert len(event["message"]) == 1024
    assert event["metadata"]["name"].startswith("a" * 199 + ".")
    assert len(event["metadata"]["name"]) <= 253
