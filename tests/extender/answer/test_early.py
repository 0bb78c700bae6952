from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.extender.answer.verdict import NO_GRANT, REAL_FIRST
from app.model import names
from app.model.early import EarlyRoom, written_early
from app.model.node import Node
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, owned_by, wire
from tests.extender.fakes import Extender, granted

OURS = a_pod(uid="u1", metadata=owned_by("ReplicaSet", "web"))


def early_node(name: str = VIRTUAL, *, owner: str = "shop/uid-web", seconds: int = 60) -> Node:
    room = EarlyRoom(
        seats=2,
        owners={owner: Resources(cpu_milli=500, memory=2**29, pods=1)},
        expires=NOON + timedelta(seconds=seconds),
    )
    return a_virtual_node(name, annotations={names.EARLY_ROOM: written_early(room)})


async def filtered(extender: Extender, *offered: str, pod: Pod = OURS) -> Any:
    return await extender.ask("filter", Pod=wire(pod), NodeNames=list(offered))


async def scored(extender: Extender, *offered: str, pod: Pod = OURS) -> dict[str, int]:
    answer = await extender.ask("prioritize", Pod=wire(pod), NodeNames=list(offered))
    return {each["Host"]: each["Score"] for each in answer}


async def test_where_early_room_stands_the_virtual_node_stays_beside_real_ones_and_scores_highest() -> None:
    extender = Extender([a_node("a"), a_node("b"), early_node()])
    answer = await filtered(extender, "a", VIRTUAL, "b")
    assert (answer["NodeNames"], answer["FailedAndUnresolvableNodes"]) == (["a", VIRTUAL, "b"], {})
    assert await scored(extender, "a", VIRTUAL, "b") == {"a": 0, VIRTUAL: 10, "b": 0}
    assert extender.port.reads == []


async def test_a_virtual_node_without_early_room_still_gives_way_to_real_ones() -> None:
    extender = Extender([a_node("a"), early_node(), a_virtual_node("fargate-1b")])
    answer = await filtered(extender, "a", VIRTUAL, "fargate-1b")
    assert answer["NodeNames"] == ["a", VIRTUAL]
    assert answer["FailedAndUnresolvableNodes"] == {"fargate-1b": REAL_FIRST}


async def test_early_room_needs_no_grant() -> None:
    assert (await filtered(Extender([early_node()]), VIRTUAL))["NodeNames"] == [VIRTUAL]


async def test_early_room_of_another_node_does_not_take_a_grant_away() -> None:
    node = granted(OURS)
    pair = msgspec.structs.replace(node, metadata=msgspec.structs.replace(node.metadata, name="fargate-1b"))
    extender = Extender([early_node(), pair])
    assert (await filtered(extender, VIRTUAL, "fargate-1b"))["NodeNames"] == [VIRTUAL, "fargate-1b"]


@pytest.mark.parametrize(
    ("node", "pod"),
    [
        pytest.param(early_node(seconds=0), OURS, id="it is over"),
        pytest.param(early_node(owner="shop/uid-db"), OURS, id="it is another controller's"),
        pytest.param(early_node(), a_pod(uid="u1"), id="the pod has no controller"),
        pytest.param(
            early_node(),
            a_pod(uid="u1", cpu="501m", metadata=owned_by("ReplicaSet", "web")),
            id="the pod asks for more than its controller's",
        ),
        pytest.param(
            early_node(),
            a_pod(uid="u1", namespace="bank", metadata=owned_by("ReplicaSet", "web")),
            id="the pod is of another namespace",
        ),
        pytest.param(
            a_virtual_node(annotations={names.EARLY_ROOM: "all"}), OURS, id="the gate did not write it"
        ),
        pytest.param(a_virtual_node(), OURS, id="there is none"),
    ],
)
async def test_without_early_room_for_the_pod_all_is_as_ever(node: Node, pod: Pod) -> None:
    extender = Extender([a_node("a"), node])
    beside = await filtered(extender, "a", VIRTUAL, pod=pod)
    alone = await filtered(extender, VIRTUAL, pod=pod)
    assert (beside["NodeNames"], beside["FailedAndUnresolvableNodes"]) == (["a"], {VIRTUAL: REAL_FIRST})
    assert (alone["NodeNames"], alone["FailedAndUnresolvableNodes"]) == ([], {VIRTUAL: NO_GRANT})
    assert await scored(extender, "a", VIRTUAL, pod=pod) == {"a": 0, VIRTUAL: 0}


async def test_early_room_that_is_taken_away_is_gone_at_once() -> None:
    extender = Extender([a_node("a"), early_node()])
    extender.watched.put(a_virtual_node())
    assert (await filtered(extender, "a", VIRTUAL))["NodeNames"] == ["a"]
    extender.watched.put(early_node())
    extender.watched.drop(VIRTUAL)
    assert (await scored(extender, "a", VIRTUAL)) == {"a": 0, VIRTUAL: 0}
