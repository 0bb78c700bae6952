import json
from datetime import timedelta
from typing import Any

import pytest

from app.extender.answer.verdict import REAL_FIRST
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, wire
from tests.extender.fakes import POD, Extender, a_grant, granted, granting


async def test_whole_nodes_are_answered_with_the_very_bytes_that_came() -> None:
    extender = Extender([a_node("a"), granted()])
    odd = {"metadata": {"name": "a"}, "spec": {}, "status": {"images": [{"sizeBytes": 123456789012345678}]}}
    nodes = {"metadata": {}, "items": [odd, wire(a_virtual_node())]}
    answer = await extender.ask("filter", Nodes=nodes)
    assert answer["NodeNames"] is None
    assert answer["Nodes"] == {"metadata": {}, "items": [odd]}
    assert answer["FailedAndUnresolvableNodes"] == {VIRTUAL: REAL_FIRST}


async def test_a_whole_virtual_node_passes_for_its_grant() -> None:
    node = json.loads(json.dumps(wire(a_virtual_node())))
    answer = await Extender([granted()]).ask("filter", Nodes={"metadata": {}, "items": [node]})
    assert answer["Nodes"]["items"] == [node]


async def test_whole_nodes_tell_their_taint_themselves() -> None:
    extender = Extender([], stored=[a_virtual_node()])
    items = [wire(a_node("a")), wire(a_virtual_node())]
    answer = await extender.ask("filter", Nodes={"metadata": {}, "items": items})
    assert [item["metadata"]["name"] for item in answer["Nodes"]["items"]] == ["a"]
    assert extender.port.reads == []


async def test_an_empty_node_list_stays_empty() -> None:
    answer = await Extender([]).ask("filter", Nodes={"metadata": {}, "items": None})
    assert answer["Nodes"] == {"metadata": {}, "items": []}


@pytest.mark.parametrize(
    "args",
    [
        pytest.param({"NodeNames": ["a", VIRTUAL]}, id="names"),
        pytest.param({"Nodes": {"items": [wire(a_node("a")), wire(a_virtual_node())]}}, id="whole nodes"),
    ],
)
async def test_every_candidate_is_scored_alike(args: dict[str, Any]) -> None:
    answer = await Extender([]).ask("prioritize", **args)
    assert answer == [{"Host": "a", "Score": 0}, {"Host": VIRTUAL, "Score": 0}]


async def test_virtual_nodes_are_taken_out_of_a_preemption() -> None:
    victims = {"Pods": [{"UID": "x"}], "NumPDBViolations": 2}
    answer = await Extender([a_node("a"), granted()]).ask(
        "preempt", NodeNameToVictims=None, NodeNameToMetaVictims={"a": victims, VIRTUAL: victims}
    )
    assert answer == {"NodeNameToMetaVictims": {"a": victims}}


async def test_full_victims_are_answered_by_uid() -> None:
    victims = {"Pods": [wire(a_pod(uid="x"))], "NumPDBViolations": 1}
    answer = await Extender([a_node("a"), granted()]).ask(
        "preempt", NodeNameToVictims={"a": victims, VIRTUAL: victims}
    )
    assert answer == {"NodeNameToMetaVictims": {"a": {"Pods": [{"UID": "x"}], "NumPDBViolations": 1}}}


async def test_a_preemption_on_virtual_nodes_alone_is_vetoed() -> None:
    answer = await Extender([granted()]).ask("preempt", NodeNameToMetaVictims={VIRTUAL: {"Pods": None}})
    assert answer == {"NodeNameToMetaVictims": {}}


BAD = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="half an object"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"null", id="null"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b'{"NodeNames":["a"]}', id="no pod"),
    pytest.param(b'{"Pod":null,"NodeNames":["a"]}', id="null pod"),
    pytest.param(b'{"Pod":"web","NodeNames":["a"]}', id="pod of a wrong type"),
    pytest.param(b'{"Pod":{"metadata":{"name":"a"}},"NodeNames":["a"]}', id="pod without uid"),
]
BAD_FILTER = [
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}}}', id="no nodes"),
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"NodeNames":"a"}', id="names of a wrong type"),
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"NodeNames":[1]}', id="a name of a wrong type"),
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"Nodes":[]}', id="node list of a wrong type"),
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"Nodes":{"items":[1]}}', id="a node of a wrong type"),
    pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"Nodes":{"items":[{}]}}', id="a node without name"),
]


@pytest.mark.parametrize("verb", ["filter", "prioritize"])
@pytest.mark.parametrize("body", BAD + BAD_FILTER)
async def test_a_malformed_question_is_a_400_that_says_why(verb: str, body: bytes) -> None:
    extender = Extender([a_node("a")])
    response = await extender.send(verb, body)
    assert response.status_code == 400
    assert len(response.json()["error"]) > 10
    assert (await extender.ask("filter", NodeNames=["a"]))["NodeNames"] == ["a"]


@pytest.mark.parametrize(
    "body", [*BAD, pytest.param(b'{"Pod":{"metadata":{"uid":"u"}},"NodeNameToVictims":[]}', id="victims")]
)
async def test_a_malformed_preemption_is_a_400_that_says_why(body: bytes) -> None:
    response = await Extender([]).send("preempt", body)
    assert response.status_code == 400
    assert len(response.json()["error"]) > 10


async def test_too_large_a_question_is_a_413() -> None:
    response = await Extender([]).send("filter", b" " * 1_000_001)
    assert response.status_code == 413
    assert "1000000" in response.json()["error"]


async def test_an_error_of_our_own_closes_the_virtual_node_and_passes_the_real_ones() -> None:
    extender = Extender([a_node("a"), granted()])
    extender.clock.broken = True
    answer = await extender.ask("filter", NodeNames=[VIRTUAL])
    assert (answer["NodeNames"], answer["Error"]) == ([], "")
    assert (await extender.ask("filter", NodeNames=["a"]))["NodeNames"] == ["a"]


async def test_the_replica_is_ready_once_its_nodes_are_known() -> None:
    extender = Extender([])
    assert (await extender.get("/readyz")).status_code == 503
    async with extender.alive():
        assert (await extender.get("/readyz")).status_code == 200
    assert (await extender.get("/healthz")).status_code == 200


async def test_requests_are_counted_by_verb_and_outcome() -> None:
    extender = Extender([a_node("a"), granted()])
    await extender.ask("filter", NodeNames=["a"])
    await extender.ask("filter", NodeNames=[VIRTUAL])
    await extender.send("filter", b"")

    def count(outcome: str) -> float | None:
        labels = {"verb": "filter", "outcome": outcome}
        return extender.registry.get_sample_value("spillway_extender_requests_total", labels)

    assert [count(each) for each in ("real", "burst", "bad_request")] == [1, 1, 1]


async def test_a_nominated_virtual_node_is_judged_by_its_grant_like_any_other() -> None:
    later = a_grant(POD, expires=NOON + timedelta(seconds=5))
    extender = Extender([a_node("a"), a_virtual_node(annotations=granting(later))])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]
    await extender.clock.advance(5)
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []


async def test_an_unknown_path_is_an_error_in_the_same_shape() -> None:
    response = await Extender([]).send("bind", b"{}")
    assert response.status_code == 404
    assert list(response.json()) == ["error"]
