import asyncio

import pytest

from app.extender.answer.roster import MOST_READS
from app.extender.answer.verdict import NO_GRANT, REAL_FIRST
from app.model import names
from app.ports.failures import Unavailable
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node
from tests.extender.fakes import POD, Extender, granted
from tests.fakes import settle


async def test_a_list_without_virtual_nodes_passes_at_once() -> None:
    extender = Extender([a_node("a"), a_node("b"), a_virtual_node()])
    assert await extender.ask("filter", NodeNames=["b", "a"]) == {
        "Nodes": None,
        "NodeNames": ["b", "a"],
        "FailedNodes": {},
        "FailedAndUnresolvableNodes": {},
        "Error": "",
    }
    assert extender.port.reads == []


async def test_a_real_node_drops_the_virtual_one_though_it_is_granted() -> None:
    answer = await Extender([a_node("a"), granted()]).ask("filter", NodeNames=[VIRTUAL, "a"])
    assert answer["NodeNames"] == ["a"]
    assert answer["FailedAndUnresolvableNodes"] == {VIRTUAL: REAL_FIRST}


async def test_a_granted_pod_bursts_without_a_read() -> None:
    extender = Extender([a_node("a"), granted()])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]
    assert extender.port.reads == []


async def test_a_pod_without_a_grant_stays_unschedulable_with_a_constant_message() -> None:
    answer = await Extender([granted(a_pod(uid="other"))]).ask("filter", NodeNames=[VIRTUAL])
    assert answer["NodeNames"] == []
    assert answer["FailedNodes"] == {}
    assert answer["FailedAndUnresolvableNodes"] == {VIRTUAL: NO_GRANT}


async def test_a_grant_that_the_cache_has_not_seen_is_read_from_the_api_server() -> None:
    extender = Extender([a_virtual_node()], stored=[granted()])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]
    assert extender.port.reads == [VIRTUAL]


async def test_a_no_is_not_remembered() -> None:
    extender = Extender([a_virtual_node()])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []
    extender.port.stored[VIRTUAL] = granted()
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]


async def test_an_expired_grant_counts_for_nothing() -> None:
    extender = Extender([granted()])
    await extender.clock.advance(60)
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []


async def test_a_grant_for_an_earlier_pod_of_the_name_counts_for_nothing() -> None:
    extender = Extender([granted(a_pod(POD.metadata.name, uid="u0"))])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []


async def test_a_grant_on_another_virtual_node_counts_for_nothing() -> None:
    extender = Extender([a_virtual_node("v1"), granted(name="v2")])
    assert (await extender.ask("filter", NodeNames=["v1"]))["NodeNames"] == []


async def test_a_new_grant_is_seen_as_soon_as_the_watch_shows_it() -> None:
    extender = Extender([a_virtual_node()])
    extender.watched.put(granted())
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]
    assert extender.port.reads == []


async def test_a_failed_read_closes() -> None:
    extender = Extender([a_virtual_node()], stored=[granted()])
    extender.port.failures = [Unavailable("no answer")]
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []


async def test_a_read_without_an_answer_closes_within_a_second() -> None:
    extender = Extender([a_virtual_node()], stored=[granted()])
    extender.port.held = True
    question = asyncio.create_task(extender.ask("filter", NodeNames=[VIRTUAL]))
    await extender.clock.advance(1)
    assert (await question)["NodeNames"] == []


@pytest.mark.parametrize("text", ["{]", '[{"uid":1}]', "null"])
async def test_an_annotation_that_the_gate_did_not_write_closes(text: str) -> None:
    extender = Extender([a_virtual_node(annotations={names.GRANTS: text})])
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []
    assert "tampered_grants_total 1.0" in (await extender.get("/metrics")).text


async def test_a_real_node_that_the_cache_does_not_know_is_read_once_and_passes() -> None:
    extender = Extender([granted()], stored=[granted(), a_node("new")])
    first = await extender.ask("filter", NodeNames=["new", VIRTUAL])
    again = await extender.ask("filter", NodeNames=["new", VIRTUAL])
    assert (first["NodeNames"], again["NodeNames"]) == (["new"], ["new"])
    assert extender.port.reads == ["new"]


async def test_a_virtual_node_that_the_cache_does_not_know_needs_a_grant_too() -> None:
    extender = Extender([], stored=[a_virtual_node("v1"), granted(name="v2")])
    answer = await extender.ask("filter", NodeNames=["v1", "v2"])
    assert answer["NodeNames"] == ["v2"]
    assert sorted(extender.port.reads) == ["v1", "v2"]


async def test_a_node_that_nobody_knows_is_closed() -> None:
    answer = await Extender([a_node("a")]).ask("filter", NodeNames=["ghost", "a"])
    assert answer["NodeNames"] == ["a"]
    assert "ghost" in answer["FailedAndUnresolvableNodes"]


async def test_reads_for_one_answer_are_bounded() -> None:
    fresh = [a_node(f"n{each}") for each in range(10)]
    extender = Extender([], stored=fresh)
    answer = await extender.ask("filter", NodeNames=[node.name for node in fresh])
    assert len(extender.port.reads) == 3
    assert len(answer["NodeNames"]) == 3


async def test_names_that_nobody_knows_are_asked_for_once_and_within_bounds() -> None:
    extender = Extender([])
    await extender.ask("filter", NodeNames=["g1", "g2", "g3", "g4", "g4"])
    assert sorted(extender.port.reads) == ["g1", "g2", "g3"]


async def test_reads_for_all_answers_together_are_bounded() -> None:
    extender = Extender([])
    extender.port.held = True
    asked = [
        asyncio.create_task(extender.ask("filter", NodeNames=[f"ghost-{each}"]))
        for each in range(2 * MOST_READS)
    ]
    await settle(500)
    assert len(extender.port.reads) == MOST_READS
    extender.port.release()
    answers = await asyncio.gather(*asked)
    assert {tuple(answer["NodeNames"]) for answer in answers} == {()}


async def test_a_name_that_went_from_real_to_virtual_is_virtual() -> None:
    extender = Extender([a_node(VIRTUAL)])
    extender.watched.put(a_virtual_node())
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == []
    extender.watched.drop(VIRTUAL)
    extender.watched.put(a_node(VIRTUAL))
    assert (await extender.ask("filter", NodeNames=[VIRTUAL]))["NodeNames"] == [VIRTUAL]


async def test_those_who_ask_while_a_read_runs_share_the_next_one() -> None:
    extender = Extender([a_virtual_node()])
    extender.port.held = True
    first = asyncio.create_task(extender.ask("filter", NodeNames=[VIRTUAL]))
    await settle()
    late = [asyncio.create_task(extender.ask("filter", NodeNames=[VIRTUAL])) for _ in range(5)]
    await settle()
    extender.port.stored[VIRTUAL] = granted()
    extender.port.release()
    answers = await asyncio.gather(first, *late)
    assert extender.port.reads == [VIRTUAL, VIRTUAL]
    assert [answer["NodeNames"] for answer in answers] == [[], *([[VIRTUAL]] * 5)]
