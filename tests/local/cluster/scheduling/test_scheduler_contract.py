"""What a scheduler does that Spillway relies on, on the embedded one and on a real kube-scheduler."""

import pytest

from app.wiring.clock import SystemClock
from tests.builders import opted_in_toleration
from tests.local.cluster.scheduling.builders import WEB, named, required_affinity, spread_over
from tests.local.cluster.scheduling.clusters import (
    Cluster,
    eventually,
)
from tests.local.cluster.scheduling.steps import (
    HOST,
    add_node,
    add_pod,
    node_of,
    scheduled_condition,
    set_room,
)
from tests.local.cluster.scheduling.stub_extender import StubExtender, holding, vetoing

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYTHING = [{"operator": "Exists"}]
NODE_CRITICAL = "system-node-critical"


async def a_full_virtual_node(cluster: Cluster) -> str:
    """An overflow pod on a virtual node that has no more room; the pod's name."""
    await add_node(cluster, "fargate", virtual=True, cpu="600m", pods="1")
    victim = await add_pod(cluster, tolerations=[opted_in_toleration()])
    assert await node_of(cluster, victim) == "fargate"
    return victim


async def test_a_pod_without_room_is_told_why(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0")
    await add_node(cluster, "ec2-1", cpu="500m")
    await add_node(cluster, "fargate", virtual=True, cpu="1m", pods="0")
    first = await add_pod(cluster)
    assert await node_of(cluster, first) == "ec2-0"
    second = await add_pod(cluster)
    reason, message = await scheduled_condition(cluster, second)
    assert reason == "Unschedulable"
    assert message == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    )


async def test_the_extender_is_not_asked_while_no_node_fits(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "fargate", virtual=True, cpu="1m", pods="0")
    pod = await add_pod(cluster, tolerations=[opted_in_toleration()])
    reason, message = await scheduled_condition(cluster, pod)
    assert (reason, "1 Insufficient cpu, 1 Too many pods" in message) == ("Unschedulable", True)
    assert extender.calls == []


async def test_raised_room_binds_waiting_pods(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "fargate", virtual=True, cpu="1m", pods="0")
    pods = [await add_pod(cluster, tolerations=[opted_in_toleration()]) for _ in range(2)]
    await scheduled_condition(cluster, pods[1])
    await set_room(cluster, "fargate", cpu="1200m", pods="2")
    assert [await node_of(cluster, pod) for pod in pods] == ["fargate", "fargate"]


async def test_the_extender_sees_names_and_a_pod_without_kind(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "ec2-0")
    pod = await add_pod(cluster)
    await node_of(cluster, pod)
    arguments = extender.asked("filter")[0]
    assert (arguments["Nodes"], arguments["NodeNames"]) == (None, ["ec2-0"])
    assert arguments["Pod"]["metadata"]["name"] == pod
    assert "kind" not in arguments["Pod"]


async def test_a_rejection_by_the_extender_is_told_in_its_words(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "fargate", virtual=True)
    extender.answers["filter"] = holding("fargate")
    pod = await add_pod(cluster, tolerations=[opted_in_toleration()])
    reason, message = await scheduled_condition(cluster, pod)
    assert reason == "Unschedulable"
    assert message == (
        "0/1 nodes are available: 1 held by the test. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


async def test_a_pod_that_the_extender_rejects_goes_quiet(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "fargate", virtual=True)
    extender.answers["filter"] = holding("fargate")
    pod = await add_pod(cluster, tolerations=[opted_in_toleration()])
    await scheduled_condition(cluster, pod)
    await SystemClock().sleep(0.5)
    asked = len(extender.asked("filter"))
    await SystemClock().sleep(1.5)
    assert 1 <= asked <= 3
    assert len(extender.asked("filter")) == asked


async def test_an_annotation_on_the_node_wakes_every_pod_that_the_extender_rejected(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "fargate", virtual=True, cpu="4")
    extender.answers["filter"] = holding("fargate")
    pods = [await add_pod(cluster, tolerations=[opted_in_toleration()]) for _ in range(5)]
    for pod in pods:
        await scheduled_condition(cluster, pod)
    await SystemClock().sleep(0.5)
    extender.reset()
    await cluster.patch("nodes", "", "fargate", {"metadata": {"annotations": {"spillway.dev/grants": "[]"}}})
    assert [await node_of(cluster, pod) for pod in pods] == ["fargate"] * 5


async def test_a_node_critical_daemon_preempts_on_a_full_virtual_node(
    cluster: Cluster, extender: StubExtender
) -> None:
    victim = await a_full_virtual_node(cluster)
    daemon = await add_pod(
        cluster,
        cpu="100m",
        tolerations=EVERYTHING,
        affinity=required_affinity(named("fargate")),
        priorityClassName=NODE_CRITICAL,
    )
    assert await node_of(cluster, daemon) == "fargate"
    assert await cluster.get("pods", "default", victim) is None
    assert list(extender.asked("preempt")[0]["NodeNameToMetaVictims"]) == ["fargate"]


async def test_the_extenders_veto_saves_the_victims(cluster: Cluster, extender: StubExtender) -> None:
    victim = await a_full_virtual_node(cluster)
    extender.answers["preempt"] = vetoing("fargate")
    daemon = await add_pod(
        cluster,
        cpu="100m",
        tolerations=EVERYTHING,
        affinity=required_affinity(named("fargate")),
        priorityClassName=NODE_CRITICAL,
    )
    reason, message = await scheduled_condition(cluster, daemon)
    assert reason == "Unschedulable"
    assert message == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods. "
        "no new claims to deallocate, preemption: no candidate node for preemption"
    )
    assert await node_of(cluster, victim) == "fargate"


async def test_a_daemon_pinned_to_a_full_node_is_told_of_the_other_nodes(
    cluster: Cluster, extender: StubExtender
) -> None:
    for name in ("ec2-0", "ec2-1"):
        await add_node(cluster, name)
    await add_node(cluster, "fargate", virtual=True, cpu="1m", pods="0")
    daemon = await add_pod(
        cluster, cpu="100m", tolerations=EVERYTHING, affinity=required_affinity(named("fargate"))
    )
    reason, message = await scheduled_condition(cluster, daemon)
    assert reason == "Unschedulable"
    assert message == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 Too many pods, "
        "2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )


async def test_hostname_spread_does_not_count_a_node_without_the_label(
    cluster: Cluster, extender: StubExtender
) -> None:
    for name in ("ec2-0", "ec2-1"):
        await add_node(cluster, name, cpu="4")
    await add_node(cluster, "fargate", virtual=True, cpu="4")
    pods = [
        await add_pod(cluster, cpu="100m", labels=WEB, topologySpreadConstraints=[spread_over(HOST)])
        for _ in range(6)
    ]
    assert sorted([await node_of(cluster, pod) for pod in pods]) == ["ec2-0"] * 3 + ["ec2-1"] * 3


async def test_an_extender_that_fails_is_skipped(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0")
    extender.status = 500
    assert await node_of(cluster, await add_pod(cluster)) == "ec2-0"


async def test_a_gated_pod_waits_for_its_gate(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0")
    pod = await add_pod(cluster, schedulingGates=[{"name": "example.com/quota"}])
    assert await node_of(cluster, pod, within=0.5) == ""
    await cluster.patch("pods", "default", pod, {"spec": {"schedulingGates": []}})
    assert await node_of(cluster, pod) == "ec2-0"


async def test_a_pod_of_another_scheduler_is_left_alone(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0")
    pod = await add_pod(cluster, schedulerName="somebody-else")
    assert await node_of(cluster, pod, within=0.5) == ""


async def test_an_added_toleration_lets_a_waiting_pod_go(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "fargate", virtual=True)
    pod = await add_pod(cluster)
    assert "1 node(s) had untolerated taint(s)" in (await scheduled_condition(cluster, pod))[1]
    found = await cluster.get("pods", "default", pod)
    assert found is not None
    tolerations = [*found["spec"]["tolerations"], opted_in_toleration()]
    await cluster.patch("pods", "default", pod, {"spec": {"tolerations": tolerations}})
    assert await node_of(cluster, pod) == "fargate"


async def test_scheduling_leaves_events(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0", cpu="100m")
    pod = await add_pod(cluster)
    await scheduled_condition(cluster, pod)
    await set_room(cluster, "ec2-0", cpu="1")
    assert await node_of(cluster, pod) == "ec2-0"

    async def told() -> bool:
        events = await cluster.list("events")
        mine = {each["reason"] for each in events if each["involvedObject"]["name"] == pod}
        return mine >= {"FailedScheduling", "Scheduled"}

    assert await eventually(told)
