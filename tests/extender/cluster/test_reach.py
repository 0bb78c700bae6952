from typing import Any

import pytest

from app.extender.cluster.reach import reach_of
from app.model import names
from tests.builders import a_node, a_pod, opted_in_toleration

NODE = a_node(
    "ec2-0",
    labels={names.ZONE_LABEL: "eu-west-2a", "pool": "web"},
    taints=[
        {"key": "team", "value": "shop", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
        {"key": "busy", "effect": "PreferNoSchedule"},
    ],
)
SHOP = {"key": "team", "operator": "Equal", "value": "shop", "effect": "NoSchedule"}
ANY = {"operator": "Exists"}
UNTIL = {
    "key": "node.kubernetes.io/not-ready",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 300,
}


def in_zones(*zones: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": names.ZONE_LABEL, "operator": "In", "values": list(zones)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        pytest.param({}, False, id="does not bear with the taint"),
        pytest.param({"tolerations": [SHOP]}, True, id="bears with it"),
        pytest.param({"tolerations": [ANY]}, True, id="bears with anything"),
        pytest.param({"tolerations": [{"key": "team", "operator": "Exists"}]}, True, id="whatever its value"),
        pytest.param({"tolerations": [{**SHOP, "value": "bank"}]}, False, id="bears with another value"),
        pytest.param({"tolerations": [{**SHOP, "operator": ""}]}, True, id="operator left out"),
        pytest.param({"tolerations": [SHOP], "nodeSelector": {"pool": "web"}}, True, id="has the label"),
        pytest.param({"tolerations": [SHOP], "nodeSelector": {"pool": "db"}}, False, id="another label"),
        pytest.param(
            {"tolerations": [SHOP], "nodeSelector": {names.ARCH_LABEL: "arm64"}},
            False,
            id="another architecture",
        ),
        pytest.param({"tolerations": [SHOP], "affinity": in_zones("eu-west-2a")}, True, id="in the zone"),
        pytest.param(
            {"tolerations": [SHOP], "affinity": in_zones("eu-west-2b")}, False, id="in another zone"
        ),
        pytest.param(
            {"tolerations": [SHOP], "affinity": {"nodeAffinity": 3}}, False, id="no affinity at all"
        ),
    ],
)
def test_a_reach_holds_the_nodes_that_the_pods_own_words_allow(words: dict[str, Any], holds: bool) -> None:
    assert reach_of(a_pod(**words)).holds(NODE) is holds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"tolerations": [SHOP]}, {"tolerations": [SHOP, UNTIL]}, id="what admission adds to every pod"
        ),
        pytest.param({"tolerations": [SHOP, ANY]}, {"tolerations": [ANY]}, id="one that bears with anything"),
        pytest.param(
            {"tolerations": [SHOP, opted_in_toleration()]},
            {"tolerations": [opted_in_toleration(), SHOP]},
            id="in another order",
        ),
        pytest.param(
            {"nodeSelector": {"a": "1", "b": "2"}}, {"nodeSelector": {"b": "2", "a": "1"}}, id="labels, too"
        ),
        pytest.param({"cpu": "1"}, {"cpu": "2", "schedulerName": "other"}, id="room is no matter"),
        pytest.param(
            {},
            {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}},
            id="nor what is only preferred",
        ),
    ],
)
def test_pods_of_equal_words_have_equal_reaches(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = reach_of(a_pod(**one)), reach_of(a_pod(**other))
    assert first == second
    assert hash(first) == hash(second)


def test_pods_of_other_words_have_other_reaches() -> None:
    words: list[dict[str, Any]] = [
        {},
        {"tolerations": [SHOP]},
        {"nodeSelector": {"pool": "web"}},
        {"affinity": in_zones("eu-west-2a")},
        {"affinity": in_zones()},
    ]
    assert len({reach_of(a_pod(**each)) for each in words}) == len(words)
