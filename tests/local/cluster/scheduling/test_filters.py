from typing import Any

import pytest

from app.local.cluster.scheduling.filters import filtered
from app.model import names
from tests.builders import a_node, a_pod, a_virtual_node, opted_in_toleration
from tests.local.cluster.scheduling.builders import (
    WEB,
    a_snapshot,
    expression,
    named,
    required_affinity,
    spread_over,
)

ZONE = names.ZONE_LABEL
HOST = "kubernetes.io/hostname"


@pytest.mark.parametrize(
    ("node", "pod", "reasons", "resolvable"),
    [
        pytest.param(
            a_node(cpu="1"), a_pod(cpu="2"), ("Insufficient cpu",), False, id="more-than-the-empty-node"
        ),
        pytest.param(
            a_node(cpu="4", memory="1Gi"),
            a_pod(cpu="5", memory="2Gi"),
            ("Insufficient cpu", "Insufficient memory"),
            False,
            id="every-shortage-is-told",
        ),
        pytest.param(a_node(pods="0"), a_pod(), ("Too many pods",), True, id="no-pod-slot"),
        pytest.param(
            a_virtual_node(),
            a_pod(),
            ("node(s) had untolerated taint(s)",),
            False,
            id="untolerated-taint-comes-before-room",
        ),
        pytest.param(
            a_virtual_node(),
            a_pod(tolerations=[opted_in_toleration()]),
            ("Too many pods", "Insufficient cpu", "Insufficient memory"),
            False,
            id="closed-virtual-node",
        ),
        pytest.param(
            a_node(),
            a_pod(nodeSelector={"disk": "ssd"}),
            ("node(s) didn't match Pod's node affinity/selector",),
            False,
            id="node-selector",
        ),
        pytest.param(
            a_node(labels={"disk": "hdd"}),
            a_pod(affinity=required_affinity(expression("disk", "In", "ssd"))),
            ("node(s) didn't match Pod's node affinity/selector",),
            False,
            id="required-affinity",
        ),
        pytest.param(
            a_node(),
            a_pod(topologySpreadConstraints=[spread_over(HOST)], labels=WEB),
            ("node(s) didn't match pod topology spread constraints (missing required label)",),
            False,
            id="spread-over-a-label-the-node-lacks",
        ),
    ],
)
def test_a_rejection_has_kube_schedulers_words(
    node: Any, pod: Any, reasons: tuple[str, ...], resolvable: bool
) -> None:
    found = filtered(pod, a_snapshot(nodes=[node])).rejected[node.name]
    assert (found.reasons, found.resolvable) == (reasons, resolvable)


def test_a_full_node_can_be_emptied_by_preemption() -> None:
    node = a_node(cpu="1")
    snapshot = a_snapshot({node.name: [a_pod(cpu="800m")]}, nodes=[node])
    found = filtered(a_pod(cpu="500m"), snapshot).rejected[node.name]
    assert (found.reasons, found.resolvable) == (("Insufficient cpu",), True)


def test_a_pod_that_asks_for_nothing_needs_only_a_slot() -> None:
    node = a_node(cpu="1m", memory="0")
    pod = a_pod(containers=[{"name": "main"}])
    assert filtered(pod, a_snapshot(nodes=[node])).feasible == (node.name,)


def test_a_cordoned_node_takes_only_pods_that_bear_with_it() -> None:
    node = a_node()
    cordoned = type(node)(
        metadata=node.metadata, spec=type(node.spec)(unschedulable=True), status=node.status
    )
    daemon = a_pod(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])
    snapshot = a_snapshot(nodes=[cordoned])
    assert filtered(a_pod(), snapshot).rejected[node.name].reasons == ("node(s) were unschedulable",)
    assert filtered(daemon, snapshot).feasible == (node.name,)


def test_a_pod_pinned_to_a_node_is_not_tried_on_others() -> None:
    snapshot = a_snapshot(nodes=[a_node("ec2-0"), a_node("ec2-1"), a_node("ec2-2")])
    found = filtered(a_pod(cpu="64", affinity=required_affinity(named("ec2-1"))), snapshot)
    assert tuple(found.rejected) == ("ec2-1",)
    assert found.absent is not None
    assert found.absent.reasons == ("node(s) didn't satisfy plugin(s) [NodeAffinity]",)


def test_a_term_without_a_node_name_looks_at_every_node() -> None:
    snapshot = a_snapshot(nodes=[a_node("ec2-0", labels={"disk": "ssd"}), a_node("ec2-1")])
    pod = a_pod(affinity=required_affinity(named("ec2-1"), expression("disk", "Exists")))
    assert filtered(pod, snapshot).feasible == ("ec2-0", "ec2-1")


def test_room_for_a_nominated_pod_of_higher_priority_is_taken() -> None:
    node = a_node(cpu="1")
    waiting = a_pod("urgent", cpu="800m", priority=10)
    snapshot = a_snapshot(nodes=[node], nominated={node.name: (waiting,)})
    assert filtered(a_pod(cpu="500m"), snapshot).feasible == ()
    assert filtered(a_pod(cpu="500m", priority=11), snapshot).feasible == (node.name,)
    assert filtered(waiting, snapshot).feasible == (node.name,)


def test_two_pods_do_not_share_a_host_port() -> None:
    node = a_node()
    port = {"containerPort": 80, "hostPort": 80}
    first, second = (a_pod(containers=[{"name": "main", "ports": [port]}]) for _ in range(2))
    snapshot = a_snapshot({node.name: [first]}, nodes=[node])
    found = filtered(second, snapshot).rejected[node.name]
    assert found.reasons == ("node(s) didn't have free ports for the requested pod ports",)


@pytest.mark.parametrize(
    ("requirement", "accepted"),
    [
        pytest.param(expression("disk", "In", "ssd"), True, id="in"),
        pytest.param(expression("disk", "NotIn", "hdd"), True, id="not-in"),
        pytest.param(expression("gpu", "NotIn", "a100"), True, id="not-in-without-the-label"),
        pytest.param(expression("gpu", "DoesNotExist"), True, id="does-not-exist"),
        pytest.param(expression("cores", "Gt", "8"), True, id="greater"),
        pytest.param(expression("cores", "Lt", "8"), False, id="not-less"),
        pytest.param(expression("disk", "Gt", "8"), False, id="a-word-is-no-number"),
        pytest.param(expression("disk", "Near", "ssd"), False, id="unknown-operator"),
        pytest.param({}, False, id="an-empty-term-matches-nothing"),
    ],
)
def test_a_required_term_is_read_as_the_scheduler_reads_it(
    requirement: dict[str, Any], accepted: bool
) -> None:
    node = a_node(labels={"disk": "ssd", "cores": "16"})
    pod = a_pod(affinity=required_affinity(requirement))
    assert (filtered(pod, a_snapshot(nodes=[node])).feasible == (node.name,)) is accepted
