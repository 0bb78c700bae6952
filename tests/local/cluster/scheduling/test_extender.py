from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from app.local.cluster.scheduling.config import ExtenderConfig
from app.local.cluster.scheduling.cycle import Broken, Cycle, Placed, Unplaced
from app.local.cluster.scheduling.extender import Extender, ExtenderError
from app.local.cluster.scheduling.snapshot import Snapshot
from app.model.pod import Pod
from tests.builders import a_node, a_pod, wire
from tests.local.cluster.scheduling.builders import a_snapshot
from tests.local.cluster.scheduling.stub_extender import StubExtender, holding

NODES = {name: wire(a_node(name)) for name in ("ec2-0", "ec2-1")}
POD = wire(a_pod())


@pytest.fixture
async def stub() -> AsyncIterator[StubExtender]:
    made = StubExtender()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def extender(stub: StubExtender) -> AsyncIterator[Extender]:
    made = Extender(ExtenderConfig(url_prefix=stub.url, prioritize_verb="prioritize"))
    yield made
    await made.close()


async def attempt(extender: Extender, pod: Pod, snapshot: Snapshot) -> Placed | Unplaced | Broken:
    raw = {name: wire(info.node) for name, info in snapshot.nodes.items()}
    return await Cycle(extender).attempt(pod, wire(pod), snapshot, raw)


async def test_dropped_nodes_keep_the_extenders_words(extender: Extender, stub: StubExtender) -> None:
    stub.answers["filter"] = lambda _: {
        "NodeNames": [],
        "FailedNodes": {"ec2-0": "busy", "ec2-1": "busy"},
        "FailedAndUnresolvableNodes": {"ec2-1": "never"},
    }
    result = await extender.filter(POD, NODES)
    assert {name: (why.reasons, why.resolvable) for name, why in result.rejected.items()} == {
        "ec2-0": (("busy",), True),
        "ec2-1": (("never",), False),
    }


async def test_a_node_dropped_without_a_word_cannot_be_helped(extender: Extender, stub: StubExtender) -> None:
    stub.answers["filter"] = lambda _: {"NodeNames": ["ec2-0"]}
    result = await extender.filter(POD, NODES)
    assert (result.feasible, result.rejected["ec2-1"].resolvable) == (("ec2-0",), False)


async def test_keys_are_read_in_any_case(extender: Extender, stub: StubExtender) -> None:
    stub.answers["filter"] = lambda _: {"nodenames": ["ec2-1"]}
    assert (await extender.filter(POD, NODES)).feasible == ("ec2-1",)


async def test_whole_nodes_are_sent_to_an_extender_without_a_cache(stub: StubExtender) -> None:
    whole = Extender(ExtenderConfig(url_prefix=stub.url, node_cache_capable=False))
    stub.answers["filter"] = lambda arguments: {"Nodes": {"items": arguments["Nodes"]["items"][:1]}}
    result = await whole.filter(POD, NODES)
    await whole.close()
    assert stub.asked("filter")[0]["NodeNames"] is None
    assert result.feasible == ("ec2-0",)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param({"Error": "the ledger is gone"}, "the ledger is gone", id="it-says-so"),
        pytest.param({"NodeNames": ["ec2-9"]}, "not found in the input node list", id="unknown-node"),
        pytest.param(["ec2-0"], "cannot be read", id="a-list"),
        pytest.param({"NodeNames": [1, 2]}, "cannot be read", id="numbers-for-names"),
        pytest.param({"FailedNodes": ["ec2-0"]}, "cannot be read", id="a-list-of-failed-nodes"),
        pytest.param({"Nodes": {"items": [{}]}}, "cannot be read", id="nodes-without-names"),
    ],
)
async def test_a_useless_answer_is_an_error(
    extender: Extender, stub: StubExtender, answer: Any, complaint: str
) -> None:
    stub.answers["filter"] = lambda _: answer
    with pytest.raises(ExtenderError, match=complaint):
        await extender.filter(POD, NODES)


async def test_scores_count_times_weight_times_ten(extender: Extender, stub: StubExtender) -> None:
    stub.answers["prioritize"] = lambda _: [{"Host": "ec2-1", "Score": 10}]
    assert await extender.prioritize(POD, NODES) == {"ec2-1": 1600}


async def test_a_preference_of_the_extender_outweighs_every_plugin(
    extender: Extender, stub: StubExtender
) -> None:
    stub.answers["prioritize"] = lambda _: [{"Host": "ec2-1", "Score": 10}, {"Host": "ec2-0", "Score": 0}]
    crowded = a_snapshot({"ec2-1": [a_pod(cpu="1")]}, nodes=[a_node("ec2-0"), a_node("ec2-1")])
    assert await attempt(extender, a_pod(), crowded) == Placed("ec2-1")


async def test_scores_that_cannot_be_read_are_ignored(extender: Extender, stub: StubExtender) -> None:
    stub.answers["prioritize"] = lambda _: {"Error": "no list"}
    snapshot = a_snapshot(nodes=[a_node("ec2-0"), a_node("ec2-1")])
    assert await attempt(extender, a_pod(), snapshot) == Placed("ec2-0")


async def test_a_single_node_is_taken_without_asking_for_scores(
    extender: Extender, stub: StubExtender
) -> None:
    await attempt(extender, a_pod(), a_snapshot(nodes=[a_node()]))
    assert stub.asked("prioritize") == []


async def test_a_victim_that_nobody_knows_is_an_error(extender: Extender, stub: StubExtender) -> None:
    stub.answers["preempt"] = lambda _: {"NodeNameToMetaVictims": {"ec2-0": {"Pods": [{"UID": "ghost"}]}}}
    victim = a_pod()
    with pytest.raises(ExtenderError, match="does not run there"):
        await extender.preempt(POD, {"ec2-0": (victim,)}, {"ec2-0": (victim,)})


async def test_a_nominated_pod_is_first_asked_about_its_node_alone(
    extender: Extender, stub: StubExtender
) -> None:
    pod = a_pod(status={"nominatedNodeName": "ec2-1"})
    snapshot = a_snapshot(nodes=[a_node("ec2-0"), a_node("ec2-1")], nominated={"ec2-1": (pod,)})
    assert await attempt(extender, pod, snapshot) == Placed("ec2-1")
    assert [each["NodeNames"] for each in stub.asked("filter")] == [["ec2-1"]]


async def test_a_nominated_node_that_the_extender_refuses_is_not_the_end(
    extender: Extender, stub: StubExtender
) -> None:
    stub.answers["filter"] = holding("ec2-1")
    pod = a_pod(status={"nominatedNodeName": "ec2-1"})
    snapshot = a_snapshot(nodes=[a_node("ec2-0"), a_node("ec2-1")])
    assert await attempt(extender, pod, snapshot) == Placed("ec2-0")


async def test_an_extender_that_must_not_be_ignored_breaks_the_cycle(stub: StubExtender) -> None:
    stub.status = 500
    strict = Extender(ExtenderConfig(url_prefix=stub.url, ignorable=False))
    outcome = await attempt(strict, a_pod(), a_snapshot(nodes=[a_node()]))
    await strict.close()
    url = f"{stub.url}/filter"
    assert outcome == Broken(f"failed filter with extender at URL {url}, code 500")


async def test_an_extender_that_is_gone_is_ignored_where_it_may_be() -> None:
    gone = Extender(ExtenderConfig(url_prefix="http://127.0.0.1:1/extender"))
    assert await attempt(gone, a_pod(), a_snapshot(nodes=[a_node()])) == Placed("ec2-0")


async def test_a_cluster_without_nodes_is_told_so(extender: Extender) -> None:
    outcome = await attempt(extender, a_pod(), a_snapshot())
    assert isinstance(outcome, Unplaced)
    assert outcome.message == "no nodes available to schedule pods"


async def test_a_preempting_pod_is_nominated_and_told_only_of_the_shortage(
    extender: Extender, stub: StubExtender
) -> None:
    victim = a_pod(cpu="2")
    snapshot = a_snapshot({"ec2-0": [victim]}, nodes=[a_node()])
    outcome = await attempt(extender, a_pod(cpu="1", priority=10), snapshot)
    assert outcome == Unplaced(
        message="0/1 nodes are available: 1 Insufficient cpu.",
        rejectors=frozenset({"NodeResourcesFit"}),
        nominated="ec2-0",
        victims=(victim,),
    )
    assert stub.asked("preempt")[0]["NodeNameToMetaVictims"] == {
        "ec2-0": {"Pods": [{"UID": victim.uid}], "NumPDBViolations": 0}
    }


def test_the_configuration_mirrors_the_real_schedulers() -> None:
    assert msgspec.structs.asdict(ExtenderConfig(url_prefix="http://x")) == {
        "url_prefix": "http://x",
        "filter_verb": "filter",
        "prioritize_verb": "",
        "preempt_verb": "preempt",
        "weight": 16,
        "ignorable": True,
        "timeout": 2.0,
        "node_cache_capable": True,
        "managed_resources": frozenset(),
        "ca_pem": b"",
    }
