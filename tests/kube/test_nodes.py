import pytest

from app.kube.nodes import Nodes
from app.kube.transport import APPLY_PATCH, JSON
from app.ports.failures import NotFound
from tests.builders import a_node, wire
from tests.kube.fakes import Asked, FakeTransport

NODE = a_node("fargate-1a")
MANIFEST = {"metadata": {"name": "fargate-1a"}, "status": {"allocatable": {"cpu": "1m"}}}
WHOLE = {"apiVersion": "v1", "kind": "Node", **MANIFEST}


async def test_a_node_is_read_as_it_is_now() -> None:
    server = FakeTransport(wire(NODE))
    assert await Nodes(server).get("fargate-1a") == NODE
    assert server.asked[0].path == "/api/v1/nodes/fargate-1a"


async def test_a_node_is_created_with_its_status() -> None:
    server = FakeTransport(wire(NODE))
    assert await Nodes(server).create(MANIFEST) == NODE
    assert server.asked == [Asked("POST", "/api/v1/nodes", {}, WHOLE, JSON)]


FORCED = {"fieldManager": "spillway-gate", "force": True}


async def test_an_apply_is_forced_and_signed() -> None:
    server = FakeTransport(wire(NODE))
    assert await Nodes(server).apply(MANIFEST, manager="spillway-gate") == NODE
    assert server.asked == [Asked("PATCH", "/api/v1/nodes/fargate-1a", FORCED, WHOLE, APPLY_PATCH)]


async def test_an_apply_of_the_status_goes_to_the_subresource() -> None:
    server = FakeTransport(wire(NODE))
    assert await Nodes(server).apply_status(MANIFEST, manager="spillway-gate") == NODE
    assert server.asked == [Asked("PATCH", "/api/v1/nodes/fargate-1a/status", FORCED, WHOLE, APPLY_PATCH)]


async def test_a_status_for_a_node_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound):
        await Nodes(FakeTransport(NotFound("gone"))).apply_status(MANIFEST, manager="spillway-gate")
