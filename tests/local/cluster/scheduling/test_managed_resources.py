"""Whom a scheduler asks about that asks about marked pods alone, embedded and real, and where those go."""

from typing import Any

import pytest

from app.model.names import MARKER
from tests.builders import opted_in_toleration
from tests.local.cluster.scheduling.clusters import Cluster
from tests.local.cluster.scheduling.steps import (
    a_container,
    add_node,
    add_pod,
    node_of,
    scheduled_condition,
)
from tests.local.cluster.scheduling.stub_extender import StubExtender, holding, vetoing

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKED_ONLY = True
MARKED: dict[str, Any] = {"limits": {MARKER: "0"}, "requests": {MARKER: "0"}}
NODE_CRITICAL = "system-node-critical"


def asked_about(extender: StubExtender, pod: str) -> set[str]:
    """The verbs by which the extender was asked about the pod."""
    return {verb for verb, arguments in extender.calls if arguments["Pod"]["metadata"]["name"] == pod}


async def test_a_marked_pod_lands_where_nothing_is_known_of_the_resource_and_is_asked_about(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "ec2-0")
    await add_node(cluster, "ec2-1")
    pod = await add_pod(cluster, resources=MARKED)
    assert await node_of(cluster, pod) in {"ec2-0", "ec2-1"}
    assert asked_about(extender, pod) == {"filter", "prioritize"}


async def test_any_other_pod_is_asked_about_by_no_verb(cluster: Cluster, extender: StubExtender) -> None:
    await add_node(cluster, "ec2-0")
    await add_node(cluster, "ec2-1")
    pod = await add_pod(cluster)
    assert await node_of(cluster, pod) in {"ec2-0", "ec2-1"}
    assert extender.calls == []


@pytest.mark.parametrize(
    ("containers", "init"),
    [
        pytest.param([{}, MARKED], None, id="on-the-second-container"),
        pytest.param([{}], MARKED, id="on-an-init-container"),
        pytest.param([{"limits": {MARKER: "0"}}], None, id="by-the-limit-alone"),
    ],
)
async def test_the_marker_counts_wherever_it_stands(
    cluster: Cluster, extender: StubExtender, containers: list[Any], init: Any
) -> None:
    await add_node(cluster, "ec2-0")
    spec: dict[str, Any] = {"containers": [a_container(f"c{at}", each) for at, each in enumerate(containers)]}
    inits = [a_container("init", init)] if init else []
    pod = await add_pod(cluster, **spec, initContainers=inits)
    assert await node_of(cluster, pod) == "ec2-0"
    assert asked_about(extender, pod) == {"filter"}


async def test_a_marked_pod_that_the_extender_holds_stays_unscheduled(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "fargate", virtual=True)
    extender.answers["filter"] = holding("fargate")
    pod = await add_pod(cluster, resources=MARKED, tolerations=[opted_in_toleration()])
    reason, message = await scheduled_condition(cluster, pod)
    assert (reason, "1 held by the test" in message) == ("Unschedulable", True)


async def test_more_than_nothing_of_the_resource_is_had_nowhere(
    cluster: Cluster, extender: StubExtender
) -> None:
    await add_node(cluster, "ec2-0")
    one = {"limits": {MARKER: "1"}, "requests": {MARKER: "1"}}
    _, message = await scheduled_condition(cluster, await add_pod(cluster, resources=one))
    assert f"1 Insufficient {MARKER}" in message


@pytest.mark.parametrize(
    ("resources", "asked"),
    [pytest.param(MARKED, True, id="marked"), pytest.param({}, False, id="unmarked")],
)
async def test_preemption_asks_about_marked_pods_alone(
    cluster: Cluster, extender: StubExtender, resources: dict[str, Any], asked: bool
) -> None:
    await add_node(cluster, "ec2-0")
    assert await node_of(cluster, await add_pod(cluster)) == "ec2-0"
    extender.answers["preempt"] = vetoing("ec2-0")
    pod = await add_pod(cluster, resources=resources, priorityClassName=NODE_CRITICAL)
    await scheduled_condition(cluster, pod)
    assert ("preempt" in asked_about(extender, pod)) is asked
