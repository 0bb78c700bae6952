"""How all of it stands: what is wrong comes first, and every pod is counted where people look for it."""

from typing import Any

import msgspec
import pytest

from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.extender.insight.policy import Policy
from app.extender.insight.status import summary
from app.model import names
from app.model.event import Event
from app.model.node import Node
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, owned_by, unschedulable
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod, granting
from tests.extender.homing.returns import an_overflow_pod
from tests.extender.insight.fates import NOTED
from tests.extender.insight.look import a_lease, a_look, later, not_runnable

HOUR = later(3600)


def cordoned(node: Node) -> Node:
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, unschedulable=True))


def wrong(**fields: Any) -> list[str]:
    return [each.code for each in summary(a_look(**fields)).troubles]


def test_a_healthy_installation_has_no_trouble() -> None:
    assert wrong() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"gate_lease": None}, ["NoLeader"], id="no-lease"),
        pytest.param({"gate_lease": a_lease("")}, ["NoLeader"], id="released"),
        pytest.param({"gate_lease": a_lease(renewed=later(-60))}, ["NoLeader"], id="stale"),
        pytest.param({"gate_lease": a_lease(renewed=None)}, ["NoLeader"], id="never-renewed"),
        pytest.param({"nodes": (a_node(),)}, ["NoVirtualNode"], id="no-virtual-node"),
        pytest.param(
            {"nodes": (a_virtual_node(ready=False),)},
            ["VirtualNodeNotReady", "NoVirtualNodeReady"],
            id="not-ready",
        ),
        pytest.param({"node_leases": {}}, ["BridgeSilent"], id="no-bridge"),
        pytest.param(
            {"node_leases": {VIRTUAL: a_lease(renewed=later(-60))}}, ["BridgeSilent"], id="stale-bridge"
        ),
        pytest.param(
            {"nodes": (cordoned(a_virtual_node()),)},
            ["VirtualNodeCordoned", "NoVirtualNodeReady"],
            id="cordoned",
        ),
        pytest.param(
            {"nodes": (a_virtual_node(annotations={names.GATE: "ajar"}),)}, ["InvalidGate"], id="bad-gate"
        ),
        pytest.param(
            {"nodes": (a_virtual_node(annotations={names.GRANTS: "no"}),)},
            ["AnnotationUnreadable"],
            id="bad-grants",
        ),
        pytest.param(
            {"nodes": (a_virtual_node(annotations={names.OFFER: "no"}),)},
            ["AnnotationUnreadable"],
            id="bad-offer",
        ),
        pytest.param(
            {"namespaces": {"shop": a_namespace(annotations={names.MAX_PODS: "many"})}},
            ["InvalidBudget"],
            id="bad-budget",
        ),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], expected: list[str]) -> None:
    assert wrong(**fields) == expected


def test_one_of_two_virtual_nodes_is_enough_to_take_pods() -> None:
    nodes = (a_virtual_node(), a_virtual_node("fargate-1b", ready=False))
    assert wrong(nodes=nodes) == ["VirtualNodeNotReady"]


def test_waiting_pods_are_grouped_by_reason_with_the_oldest() -> None:
    wait = {names.MAX_WAIT: "10m"}
    old = a_pressing_pod("old", annotations=wait)
    young = a_pressing_pod("young", annotations=wait, status=unschedulable(later(30)))
    [group] = summary(a_look(young, old, now=later(60))).waiting
    assert (group.code, group.pods, group.oldest, group.since) == ("MaxWait", 2, "shop/old", NOON)
    assert group.until == later(600)


def test_a_pod_that_two_budgets_keep_is_in_both_groups() -> None:
    pod = a_pressing_pod()
    policy = Policy(gate=GateConfig(budget=Limits(pods=0)))
    spaces = {"shop": a_namespace(annotations={names.MAX_VCPU: "0"})}
    found = summary(a_look(pod, policy=policy, namespaces=spaces)).waiting
    assert [(each.code, each.pods) for each in found] == [("BudgetPods", 1), ("BudgetVcpu", 1)]


def test_refused_pods_are_grouped_the_most_first() -> None:
    pods = [a_pressing_pod(f"web-{n}") for n in range(3)]
    odd = a_pressing_pod("odd", annotations={names.MAX_WAIT: "soon"})
    found = summary(a_look(*pods, odd, refusals=not_runnable)).refused
    assert [(each.code, each.pods) for each in found] == [("HostNetwork", 4), ("InvalidMaxWait", 1)]


def test_granted_and_due_pods_are_bursting() -> None:
    granted, due = a_pressing_pod("a", uid="a"), a_pressing_pod("b", uid="b")
    node = a_virtual_node(annotations=granting(a_grant(granted)))
    found = summary(a_look(granted, due, nodes=(node,)))
    assert (found.bursting, found.waiting, found.gates[0].grants) == (2, (), 1)


def test_without_a_leader_due_pods_wait_for_one() -> None:
    found = summary(a_look(a_pressing_pod(), gate_lease=None))
    assert (found.bursting, [each.code for each in found.waiting]) == (0, ["NoLeader"])


def test_what_a_gate_that_observes_would_spend_is_summed() -> None:
    node = a_virtual_node(annotations={names.GATE: "observe"})
    found = summary(a_look(a_pressing_pod("a"), a_pressing_pod("b"), nodes=(node,)))
    assert (found.observed, found.bursting) == (2, 0)
    assert found.observed_hourly == pytest.approx(2 * (0.5 * 0.04048 + 0.004445))


def test_spend_is_by_namespace_the_dearest_first() -> None:
    pods = [a_pod(f"web-{n}", node=VIRTUAL) for n in range(2)]
    dear = a_pod("batch", namespace="other", node=VIRTUAL, cpu="8", memory="16Gi")
    ended = a_pod("ended", node=VIRTUAL, phase="Succeeded")
    odd = a_pod("odd", node=VIRTUAL, cpu="99")
    found = summary(a_look(*pods, dear, ended, odd)).overflow
    assert [(each.namespace, each.pods, each.vcpu, each.unpriced) for each in found] == [
        ("other", 1, 8.0, 0),
        ("shop", 3, 1.0, 1),
    ]


def test_pressure_is_shown_for_the_whole_cluster_and_where_pods_press() -> None:
    pods = [a_pressing_pod(f"web-{n}") for n in range(2)]
    taken = a_pod("taken", node="ec2-0", cpu="2")
    nodes = (a_virtual_node(), a_node(), a_node("ec2-1", ready=False))
    found = summary(a_look(*pods, taken, nodes=nodes))
    assert (found.level.nodes, found.level.cpu, found.level.pending) == (1, 1.0, 2)
    assert [(each.pods, each.example, each.level.high) for each in found.reached] == [(2, "shop/web-0", True)]


def test_those_that_come_home_and_those_that_stay_are_counted() -> None:
    going = an_overflow_pod("web-1", of="web")
    bare = a_pod("bare", node=VIRTUAL)
    found = summary(a_look(going, bare, now=HOUR)).home
    assert (found.on, found.going) == (True, 1)
    assert [(each.code, each.pods, each.oldest) for each in found.staying] == [("BarePod", 1, "shop/bare")]


def test_returns_that_are_off_are_said_to_be() -> None:
    found = summary(a_look(an_overflow_pod(), policy=Policy(returns=None), now=HOUR)).home
    assert (found.on, found.going, found.staying[0].code) == (False, 0, "ReturnsOff")


def test_placeholders_are_counted() -> None:
    pods = (a_pod("a", phase="Running"), a_pod("b"), a_pod("c"))
    found = summary(a_look(placeholders=pods, policy=Policy(handover=True))).handover
    assert (found.on, found.waiting, found.running) == (True, 2, 1)


def test_a_pod_without_any_time_is_the_oldest_and_breaks_nothing() -> None:
    nameless = a_pressing_pod("odd", metadata={"creationTimestamp": None}, annotations={names.MAX_WAIT: "x"})
    [group] = summary(a_look(nameless)).refused
    assert group.oldest == "shop/odd"


def test_an_empty_cluster_is_summed_up() -> None:
    found = summary(a_look(nodes=(), namespaces={}))
    assert (found.level.nodes, found.gates, found.overflow) == (0, (), ())


def test_what_has_a_task_is_told_from_what_is_reserved() -> None:
    noted = a_pod("a", node=VIRTUAL, uid="u1", annotations=NOTED)
    [found] = summary(a_look(noted, a_pod("b", node=VIRTUAL))).overflow
    assert (found.pods, found.tasks, found.vcpu, found.tasks_vcpu) == (2, 1, 1.0, 0.5)
    assert found.hourly == pytest.approx(2 * found.tasks_hourly)


def test_pods_that_ended_are_none_of_the_gates() -> None:
    ended = a_pod("ended", node=VIRTUAL, phase="Succeeded")
    daemon = a_pod("daemon", node=VIRTUAL, metadata=owned_by("DaemonSet"))
    assert summary(a_look(ended, daemon, a_pod("web", node=VIRTUAL))).gates[0].pods == 1


def test_an_opted_in_pod_that_asks_for_other_nodes_is_refused() -> None:
    found = summary(a_look(a_pressing_pod("gpu", nodeSelector={"gpu": "yes"}))).refused
    assert [(each.code, each.oldest) for each in found] == [("AsksForOtherNodes", "shop/gpu")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            {"nodes": (a_virtual_node(annotations={names.GATE: "closed"}),)},
            "fargate-1a is closed, as its annotation spillway.dev/gate=closed says",
            id="annotation",
        ),
        pytest.param(
            {"policy": Policy(gate=GateConfig(gate="observe"))},
            "fargate-1a only observes, as --gate (extender.settings.gate) says",
            id="flag",
        ),
    ],
)
def test_a_gate_that_somebody_closed_is_a_note_and_no_trouble(fields: dict[str, Any], said: str) -> None:
    found = summary(a_look(**fields))
    assert ([each.message for each in found.notes], found.troubles) == (
        [f"no gate is open, so nothing new bursts: {said}"],
        (),
    )


@pytest.mark.parametrize("option", ["--namespace", "--spillway-namespace"])
def test_without_a_leader_the_namespace_is_named_and_the_commands_own_option(option: str) -> None:
    (found,) = summary(a_look(gate_lease=None, namespace="sys", option=option)).troubles
    assert f"in namespace sys ({option} names another)" in found.message


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param((a_virtual_node(),), id="open"),
        pytest.param((a_virtual_node(annotations={names.GATE: "ajar"}),), id="trouble-already"),
        pytest.param(
            (a_virtual_node(annotations={names.GATE: "closed"}), a_virtual_node("b")), id="one-of-two"
        ),
        pytest.param((), id="no-node"),
    ],
)
def test_else_nothing_is_noted(nodes: tuple[Node, ...]) -> None:
    assert summary(a_look(nodes=nodes)).notes == ()


@pytest.mark.parametrize(
    ("word", "said"), [pytest.param("ajar", 1, id="still-so"), pytest.param("auto", 0, id="mended")]
)
def test_what_was_wrong_with_a_nodes_word_is_said_while_it_is(word: str, said: int) -> None:
    event = Event(reason="InvalidGate", message="ajar", reporting_component="spillway-extender")
    node = a_virtual_node(annotations={names.GATE: word})
    assert len(summary(a_look(nodes=(node,), events=(event,))).said) == said
