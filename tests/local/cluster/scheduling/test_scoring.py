from typing import Any

from app.local.cluster.scheduling.scoring import best, scores
from app.local.cluster.scheduling.snapshot import NodeInfo
from tests.builders import a_node, a_pod
from tests.local.cluster.scheduling.builders import expression


def preferring(weight: int, term: dict[str, Any]) -> dict[str, Any]:
    preference = {"weight": weight, "preference": term}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preference]}}


def test_the_emptier_node_is_better() -> None:
    busy = NodeInfo.of(a_node("busy"), [a_pod(cpu="1", memory="2Gi")])
    assert best(scores(a_pod(), [busy, NodeInfo.of(a_node("idle"))])) == "idle"


def test_preferred_affinity_outweighs_a_little_more_room() -> None:
    busy = NodeInfo.of(a_node("busy", labels={"disk": "ssd"}), [a_pod(cpu="200m", memory="256Mi")])
    pod = a_pod(affinity=preferring(100, expression("disk", "In", "ssd")))
    assert best(scores(pod, [busy, NodeInfo.of(a_node("idle"))])) == "busy"


def test_preferring_real_nodes_leaves_the_virtual_one_last() -> None:
    virtual = NodeInfo.of(a_node("a-virtual", cpu="64", labels={"type": "virtual-kubelet"}))
    real = NodeInfo.of(a_node("real"), [a_pod(cpu="1", memory="2Gi")])
    pod = a_pod(affinity=preferring(100, expression("type", "NotIn", "virtual-kubelet")))
    assert best(scores(pod, [virtual, real])) == "real"


def test_a_disliked_taint_costs_most() -> None:
    taint = {"key": "old", "effect": "PreferNoSchedule"}
    tainted = NodeInfo.of(a_node("a-tainted", taints=[taint]))
    assert best(scores(a_pod(), [tainted, NodeInfo.of(a_node("plain"))])) == "plain"


def test_of_equal_nodes_the_first_by_name_is_taken() -> None:
    assert best({"b": 7, "a": 7, "c": 3}) == "a"


def test_pods_that_ask_for_nothing_still_fill_a_node() -> None:
    nothing = a_pod(containers=[{"name": "main"}])
    crowded = NodeInfo.of(a_node("a-crowded"), [nothing] * 5)
    assert best(scores(nothing, [crowded, NodeInfo.of(a_node("b-idle"))])) == "b-idle"
