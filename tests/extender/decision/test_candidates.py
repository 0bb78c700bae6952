from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from app.extender.decision.candidates import (
    ASKS_ELSEWHERE,
    SPREAD_KEY_MISSING,
    candidates,
    daemons_on,
    presses,
    takes_pods_now,
)
from app.model import names
from app.model.namespace import Namespace
from app.model.node import Node, Taint
from app.model.pod import Pod
from app.model.policy import Overflow
from app.model.resources import Resources
from tests.builders import (
    VIRTUAL,
    a_node,
    a_pod,
    a_virtual_node,
    opted_in_toleration,
    owned_by,
    unschedulable,
)
from tests.extender.fakes import ENABLED, a_pressing_pod, namespaces_with, pin

MIB = 2**20


def scheduled(status: str, reason: str) -> dict[str, Any]:
    return {"conditions": [{"type": "PodScheduled", "status": status, "reason": reason}]}


@pytest.mark.parametrize(
    ("fields", "pressing"),
    [
        pytest.param({}, True, id="Unschedulable"),
        pytest.param({"status": {}}, False, id="not tried yet"),
        pytest.param({"status": scheduled("False", "SchedulingGated")}, False, id="gated, by condition"),
        pytest.param({"status": scheduled("False", "SchedulerError")}, False, id="the scheduler failed"),
        pytest.param({"status": scheduled("True", "")}, False, id="scheduled"),
        pytest.param({"schedulingGates": [{"name": "kueue"}]}, False, id="gated, by spec"),
        pytest.param({"metadata": owned_by("DaemonSet")}, False, id="of a DaemonSet"),
        pytest.param({"metadata": owned_by("ReplicaSet")}, True, id="of a ReplicaSet"),
    ],
)
def test_a_pod_presses_once_the_scheduler_found_no_node(fields: dict[str, Any], pressing: bool) -> None:
    assert presses(a_pressing_pod(**fields)) is pressing


OS = {"kubernetes.io/os": "linux"}


@pytest.mark.parametrize(
    ("fields", "namespaces", "counted"),
    [
        pytest.param({}, ENABLED, True, id="namespace enabled"),
        pytest.param({}, {}, False, id="namespace unknown, though the taint is tolerated"),
        pytest.param({}, namespaces_with({"shop": {}}), False, id="namespace without the label"),
        pytest.param(
            {"labels": {names.OVERFLOW: "enabled"}},
            namespaces_with({"shop": {}}),
            False,
            id="the pod's word alone is nothing",
        ),
        pytest.param(
            {}, namespaces_with({"shop": {names.OVERFLOW: "permitted"}}), False, id="permitted, and no word"
        ),
        pytest.param(
            {"labels": {names.OVERFLOW: "enabled"}},
            namespaces_with({"shop": {names.OVERFLOW: "permitted"}}),
            True,
            id="permitted, and asked for",
        ),
        pytest.param({"labels": {names.OVERFLOW: "disabled"}}, ENABLED, False, id="the pod opts out"),
        pytest.param({"nodeSelector": OS}, ENABLED, True, id="selects what the virtual node has"),
    ],
)
def test_a_candidate_is_opted_in_and_let_onto_a_virtual_node(
    fields: dict[str, Any], namespaces: Mapping[str, Namespace], counted: bool
) -> None:
    found = candidates([a_pressing_pod(**fields)], nodes=[a_virtual_node()], namespaces=namespaces)
    assert bool(found) is counted


def test_real_nodes_are_no_places_to_burst_to() -> None:
    pod = a_pressing_pod()
    (found,) = candidates([pod], nodes=[a_node(), a_virtual_node()], namespaces=ENABLED)
    assert [node.name for node in found.nodes] == [VIRTUAL]


def test_a_pod_that_must_overflow_is_kept_though_no_virtual_node_suits_it() -> None:
    pod = a_pressing_pod(labels={names.OVERFLOW: "required"}, nodeSelector={"zone": "z"})
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert (found.overflow, found.nodes) == (Overflow.REQUIRED, ())


def test_a_label_that_means_nothing_makes_the_candidate_invalid() -> None:
    pod = a_pressing_pod(labels={names.OVERFLOW: "maybe"})
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert found.invalid is not None
    assert found.invalid.code == "InvalidOverflowLabel"


CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("node", "takes"),
    [
        pytest.param(a_virtual_node(), True, id="ready"),
        pytest.param(a_virtual_node(ready=False), False, id="not ready"),
        pytest.param(
            a_node(
                "v",
                taints=[
                    {"key": names.TAINT_KEY, "value": names.TAINT_VALUE, "effect": names.TAINT_EFFECT},
                    CORDON,
                ],
            ),
            False,
            id="cordoned",
        ),
    ],
)
def test_a_node_takes_pods_while_it_is_ready_and_not_cordoned(node: Node, takes: bool) -> None:
    assert takes_pods_now(node, a_pressing_pod()) is takes


def a_daemon(**fields: Any) -> Pod:
    """A DaemonSet's pod that may land on the virtual node, unless told otherwise."""
    ours = {
        "name": "ds",
        "metadata": owned_by("DaemonSet"),
        "affinity": pin(VIRTUAL),
        "tolerations": [{"operator": "Exists"}],
    }
    return a_pod(**{**ours, **fields})


@pytest.mark.parametrize(
    ("pod", "held"),
    [
        pytest.param(
            a_daemon(),
            Resources(cpu_milli=500, memory=512 * MIB, pods=1),
            id="pinned to the virtual node, a pod slot included",
        ),
        pytest.param(
            a_daemon(affinity=pin("ec2-0")),
            Resources(),
            id="pinned to a real node",
        ),
        pytest.param(
            a_daemon(metadata=owned_by("ReplicaSet")),
            Resources(),
            id="no DaemonSet's, or any tenant could open the gate",
        ),
        pytest.param(a_daemon(schedulingGates=[{"name": "wait"}]), Resources(), id="gated, it never comes"),
        pytest.param(a_daemon(tolerations=[]), Resources(), id="the node's taint keeps it off"),
        pytest.param(
            a_daemon(containers=[{"name": "main", "resources": {"limits": {names.MARKER: "0"}}}]),
            Resources(),
            id="the extender is asked about it",
        ),
        pytest.param(a_daemon(nodeSelector={"gpu": "yes"}), Resources(), id="it selects other nodes"),
        pytest.param(a_daemon(cpu="lots"), Resources(), id="what it asks for cannot be read"),
        pytest.param(a_daemon(cpu="4001m"), Resources(), id="larger than all that is held for daemons"),
    ],
)
def test_room_is_held_for_the_daemon_set_pods_that_insist(pod: Any, held: Resources) -> None:
    assert daemons_on([pod], virtual=[a_virtual_node()]) == {VIRTUAL: held}


def test_the_room_that_is_held_for_daemon_sets_has_an_end() -> None:
    many = [a_daemon(name=f"ds-{index}", cpu="100m") for index in range(40)]
    large = [a_daemon(name=f"ds-{index}", cpu="3") for index in range(3)]
    assert daemons_on(many, virtual=[a_virtual_node()])[VIRTUAL].pods == 16
    assert daemons_on(large, virtual=[a_virtual_node()])[VIRTUAL].cpu_milli == 3000


@pytest.mark.parametrize(
    "tolerations",
    [
        pytest.param([], id="the webhook did not see it, or left it alone"),
        pytest.param([{**opted_in_toleration(), "value": "azure"}], id="another provider's"),
    ],
)
def test_a_pod_without_the_toleration_is_kept_to_be_told_and_has_no_place_to_burst_to(
    tolerations: list[dict[str, str]],
) -> None:
    pod = a_pod(tolerations=tolerations, status=unschedulable())
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert (found.nodes, found.prepared) == ((), False)


def test_a_pod_that_is_not_opted_in_is_not_bothered_for_its_toleration() -> None:
    pod = a_pod(status=unschedulable(), namespace="bank")
    assert candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED) == ()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"nodeSelector": {"gpu": "yes"}}, id="selects other nodes"),
        pytest.param({"affinity": pin("ec2-0")}, id="pinned to another node"),
    ],
)
def test_an_opted_in_pod_that_asks_for_other_nodes_is_told_so_and_has_no_place(
    fields: dict[str, Any],
) -> None:
    (found,) = candidates([a_pressing_pod(**fields)], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert (found.invalid, found.nodes) == (ASKS_ELSEWHERE, ())


def test_where_there_is_no_virtual_node_nobody_is_told_that_he_asks_for_others() -> None:
    pod = a_pressing_pod(nodeSelector={"gpu": "yes"})
    assert candidates([pod], nodes=[a_node()], namespaces=ENABLED) == ()


def test_a_label_that_means_nothing_is_told_though_the_webhook_left_the_pod_alone() -> None:
    pod = a_pod(labels={names.OVERFLOW: "Enabled"}, status=unschedulable())
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert found.invalid is not None
    assert found.nodes == ()


def spread(key: str, otherwise: str) -> dict[str, Any]:
    constraint = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": otherwise}
    return {"topologySpreadConstraints": [constraint]}


ZONE = names.ZONE_LABEL


def test_a_pod_that_spreads_by_hostname_is_told_that_no_virtual_node_has_one() -> None:
    pod = a_pressing_pod(**spread("kubernetes.io/hostname", "DoNotSchedule"))
    (found,) = candidates([pod], nodes=[a_virtual_node(labels={ZONE: "a"})], namespaces=ENABLED)
    assert (found.nodes, found.invalid) == ((), SPREAD_KEY_MISSING)


@pytest.mark.parametrize(
    "constraint",
    [
        pytest.param(spread("kubernetes.io/hostname", "ScheduleAnyway"), id="softly by hostname"),
        pytest.param(spread(ZONE, "DoNotSchedule"), id="by zone"),
    ],
)
def test_a_pod_that_spreads_by_what_virtual_nodes_have_may_burst(constraint: dict[str, Any]) -> None:
    node = a_virtual_node(labels={ZONE: "a"})
    (found,) = candidates([a_pressing_pod(**constraint)], nodes=[node], namespaces=ENABLED)
    assert (found.nodes, found.invalid) == ((node,), None)


PREFERS_REAL = {
    "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {
                    "matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}]
                },
            }
        ]
    }
}
ONLY_VIRTUAL = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "type", "operator": "In", "values": ["virtual-kubelet"]}]}
            ]
        }
    }
}
VIRTUAL_KUBELET = {"type": "virtual-kubelet"}


@pytest.mark.parametrize(
    "affinity",
    [pytest.param(PREFERS_REAL, id="may overflow"), pytest.param(ONLY_VIRTUAL, id="must overflow")],
)
def test_where_the_toleration_comes_later_a_prepared_pod_need_not_bear_our_taint(
    affinity: dict[str, Any],
) -> None:
    node = a_virtual_node(labels=VIRTUAL_KUBELET)
    pod = a_pressing_pod(tolerations=[], affinity=affinity)
    (found,) = candidates([pod], nodes=[node], namespaces=ENABLED, actuator="toleration")
    assert (found.nodes, found.prepared) == ((node,), True)
    assert takes_pods_now(node, pod)


def test_where_the_toleration_comes_from_the_webhook_preparation_alone_is_not_enough() -> None:
    pod = a_pressing_pod(tolerations=[], affinity=PREFERS_REAL)
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED)
    assert (found.nodes, found.prepared) == ((), False)


def test_where_the_toleration_comes_later_a_pod_that_the_webhook_did_not_see_gets_none() -> None:
    pod = a_pressing_pod(tolerations=[])
    (found,) = candidates([pod], nodes=[a_virtual_node()], namespaces=ENABLED, actuator="toleration")
    assert (found.nodes, found.prepared) == ((), False)


def test_the_taints_of_others_must_be_borne_by_the_pod_itself() -> None:
    ours = a_virtual_node()
    theirs = Taint(key="team", value="", effect="NoSchedule")
    spec = msgspec.structs.replace(ours.spec, taints=(*ours.spec.taints, theirs))
    node = msgspec.structs.replace(ours, spec=spec)
    pod = a_pressing_pod(tolerations=[], affinity=PREFERS_REAL)
    (found,) = candidates([pod], nodes=[node], namespaces=ENABLED, actuator="toleration")
    assert found.nodes == ()
