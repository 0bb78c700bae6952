"""The gate holds, whoever fails, whoever insists, and strangers do not notice it."""

from collections import Counter

import pytest

from app.model.names import COMPUTE_TYPE_LABEL, GRANTS, OVERFLOW, TAINT_KEY
from app.model.node import is_virtual
from app.wiring.local.programs import NODE
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.conftest import BOTH_ACTUATORS
from tests.system.stopwatch import stopwatch

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session"), BOTH_ACTUATORS]
TOLERATE_ALL = [{"operator": "Exists"}]


async def test_with_the_extender_killed_nothing_new_bursts_and_with_it_back_it_does(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=9)
    await actors.until(space, "9 running pods", lambda pods: len(running(pods)) == 9)
    async with actors.without("extender"):
        await actors.scale(space, 12)
        await actors.pass_time(8)
        pods = await actors.pods(space)
        assert (len(on_nodes(pods)), len(on_fargate(pods)), len(pods)) == (8, 1, 12)
        assert (await actors.virtual_node()).status.allocatable["pods"] == "0"
    pods = await actors.until(space, "12 running pods", lambda pods: len(running(pods)) == 12)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 4)


async def test_real_nodes_are_scheduled_while_the_extender_is_down(actors: Actors) -> None:
    async with actors.without("extender"):
        space = await actors.namespace(overflow="enabled")
        await actors.deployment(space, replicas=4)
        pods = await actors.until(space, "4 running pods", lambda pods: len(running(pods)) == 4)
        assert len(on_nodes(pods)) == 4


async def test_pods_that_are_none_of_ours_do_not_wait_for_an_extender_that_hangs(actors: Actors) -> None:
    """To be asked about costs each of them the two seconds that the scheduler waits: 40 in all."""
    space = await actors.namespace()
    extender = actors.stack.programs["extender"]
    extender.pause()
    try:
        await actors.deployment(space, replicas=20, cpu="50m")
        await actors.until(space, "20 bound pods", lambda pods: len(on_nodes(pods)) == 20)
    finally:
        extender.resume()
    await actors.until_closed()


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("kubernetes.io/hostname", id="hostname"),
        pytest.param("topology.kubernetes.io/zone", id="zone"),
    ],
)
async def test_pods_of_unlabelled_namespaces_spread_over_real_nodes_as_before(
    actors: Actors, key: str
) -> None:
    space = await actors.namespace()
    constraint = {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    await actors.deployment(space, replicas=6, topologySpreadConstraints=[constraint])
    pods = await actors.until(space, "6 running pods", lambda pods: len(running(pods)) == 6)
    assert Counter(pod.spec.node_name for pod in pods) == {"ec2-0": 3, "ec2-1": 3}


async def test_a_pod_of_an_unlabelled_namespace_never_bursts_whatever_it_tolerates(actors: Actors) -> None:
    space = await actors.namespace()
    await actors.deployment(space, replicas=10, tolerations=TOLERATE_ALL)
    await actors.until(space, "8 running pods", lambda pods: len(running(pods)) == 8)
    await actors.pass_time(3)
    assert on_fargate(await actors.pods(space)) == []


async def test_a_pod_of_an_unlabelled_namespace_that_names_the_virtual_node_itself_starts_no_task(
    actors: Actors,
) -> None:
    space = await actors.namespace()
    launches = actors.truth().launches
    await actors.pod(space, "thief", "print()", nodeName=NODE)
    [pod] = await actors.until(space, "the pod to fail", lambda pods: pods[0].status.phase == "Failed")
    assert pod.status.reason == "OverflowNotAllowed"
    assert f"kubectl label namespace {space} {OVERFLOW}=enabled" in pod.status.message
    assert await actors.until_told(space, "OverflowNotAllowed")
    assert actors.truth().launches == launches


async def test_a_pod_of_a_labelled_namespace_that_names_the_virtual_node_itself_starts_no_task(
    actors: Actors,
) -> None:
    space = await actors.namespace(overflow="enabled")
    launches = actors.truth().launches
    await actors.pod(space, "hasty", "print()", nodeName=NODE)
    [pod] = await actors.until(space, "the pod to fail", lambda pods: pods[0].status.phase == "Failed")
    assert pod.status.reason == "NotScheduled"
    assert "leave spec.nodeName out" in pod.status.message
    assert actors.truth().launches == launches


async def test_pods_of_unlabelled_namespaces_are_not_touched(actors: Actors) -> None:
    space = await actors.namespace()
    created = await actors.pod(space, "stranger", "print()")
    assert not [each for each in created["spec"]["tolerations"] if each.get("key") == TAINT_KEY]
    assert "affinity" not in created["spec"]
    assert "limits" not in created["spec"]["containers"][0]["resources"]


async def test_taint_and_labels_that_were_taken_off_the_virtual_node_are_back_soon(actors: Actors) -> None:
    merge = "application/merge-patch+json"
    await actors.request("PATCH", f"/api/v1/nodes/{NODE}", {"spec": {"taints": []}}, content_type=merge)
    await actors.until_virtual(is_virtual)
    change = {"metadata": {"labels": {COMPUTE_TYPE_LABEL: None}}}
    await actors.request("PATCH", f"/api/v1/nodes/{NODE}", change, content_type=merge)
    node = await actors.until_virtual(lambda node: COMPUTE_TYPE_LABEL in node.metadata.labels)
    assert is_virtual(node)


async def test_granted_pods_are_bound_at_once(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.until_closed()
    async with stopwatch(actors) as watch:
        await actors.deployment(space, replicas=20, cpu="100m", nodeSelector={"type": "virtual-kubelet"})
        await actors.until(space, "20 bound pods", lambda pods: len(on_fargate(pods)) == 20)
        await actors.pass_time(0.5)
        seconds = watch.seconds()
    print(f"from grant to binding: median {seconds[10]:.3f} s, longest {seconds[-1]:.3f} s")  # noqa: T201
    assert len(seconds) == 20
    # Pods that nothing wakes are tried again after five minutes.
    assert seconds[-1] < 60


async def test_an_idle_gate_is_closed(actors: Actors) -> None:
    await actors.until_closed()
    node = await actors.virtual_node()
    assert node.status.allocatable["cpu"] == "1m"
    assert node.metadata.annotations.get(GRANTS, "[]") == "[]"
