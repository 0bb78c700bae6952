from typing import Any

import pytest

from app.kube.placeholders import Placeholders
from app.ports.failures import Conflict, NotFound, Refused
from tests.builders import a_pod
from tests.kube.fakes import FakeTransport

MANIFEST = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "spillway", "name": "p"}}


async def test_a_placeholder_is_created_in_its_namespace() -> None:
    server = FakeTransport({})
    await Placeholders(server).create(MANIFEST)
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/api/v1/namespaces/spillway/pods", MANIFEST)


async def test_one_that_is_there_already_is_said_to_be() -> None:
    with pytest.raises(Conflict):
        await Placeholders(FakeTransport(Conflict("409"))).create(MANIFEST)


async def test_it_is_removed_at_once_by_its_uid() -> None:
    server = FakeTransport({})
    await Placeholders(server).remove(a_pod("p", namespace="spillway", uid="u1"))
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("DELETE", "/api/v1/namespaces/spillway/pods/p")
    assert (asked.body["gracePeriodSeconds"], asked.body["preconditions"]) == (0, {"uid": "u1"})


async def test_removing_one_that_is_gone_is_success() -> None:
    await Placeholders(FakeTransport(NotFound("404"))).remove(a_pod("p"))


async def test_the_priority_class_preempts_nobody() -> None:
    server = FakeTransport({})
    await Placeholders(server).ensure_priority("low", value=-5)
    (asked,) = server.asked
    assert asked.path == "/apis/scheduling.k8s.io/v1/priorityclasses"
    assert (asked.body["metadata"], asked.body["value"]) == ({"name": "low"}, -5)
    assert asked.body["preemptionPolicy"] == "Never"


async def test_a_priority_class_like_ours_is_left_as_it_is() -> None:
    server = FakeTransport(Conflict("409"), {"value": -5, "preemptionPolicy": "Never"})
    await Placeholders(server).ensure_priority("low", value=-5)
    assert [each.method for each in server.asked] == ["POST", "GET"]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({"value": 1000, "preemptionPolicy": "Never"}, id="a priority above placeholders'"),
        pytest.param({"value": -5}, id="one that pushes others aside"),
    ],
)
async def test_a_priority_class_of_another_kind_is_refused_with_the_mend(found: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match=r"--placeholder-priority-class \(extender\.settings\.place"):
        await Placeholders(FakeTransport(Conflict("409"), found)).ensure_priority("low", value=-5)


async def test_without_the_right_to_make_one_that_is_said() -> None:
    with pytest.raises(Refused):
        await Placeholders(FakeTransport(Refused("403"))).ensure_priority("low", value=-5)
