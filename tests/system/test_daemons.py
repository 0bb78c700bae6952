"""A DaemonSet that tolerates everything meets the virtual node: no task is started for it, nobody makes way.

Asked by the scheduler, the extender keeps its pod off. A plain scheduler binds it, and the bridge leaves it
there, never started.
"""

from collections.abc import Sequence

import pytest

from app.model.names import MARKER, PodUid
from app.model.pod import Pod, condition
from app.wiring.local.programs import NODE
from tests.system.actors import Actors, on_fargate, running
from tests.system.conftest import BY_TOLERATION, ON_REAL, TOLERATING_ON_REAL
from tests.system.pods import SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
TOLERATE_ALL = [{"operator": "Exists"}]
NODE_CRITICAL = "system-node-critical"
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


async def test_a_node_critical_daemon_set_neither_preempts_nor_starts_a_task(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10, cpu="450m")
    before = await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    overflow = {pod.uid for pod in on_fargate(before)}
    launches = actors.truth().launches
    await actors.daemon_set(space, tolerations=TOLERATE_ALL, priorityClassName="system-node-critical")
    await actors.until(space, "a daemon pod without a node", lambda pods: len(homeless_daemons(pods)) == 1)
    await actors.pass_time(10)
    after = await actors.pods(space)
    assert overflow <= {pod.uid for pod in on_fargate(running(after))}
    assert actors.truth().launches == launches
    assert len(homeless_daemons(after)) == 1


async def test_no_place_stands_open_for_a_daemon_that_is_kept_off(actors: Actors) -> None:
    """Whoever else bears the taint could take it, and evict somebody there."""
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10, cpu="450m")
    await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    await actors.daemon_set(space, tolerations=TOLERATE_ALL, priorityClassName="system-node-critical")
    await actors.until(space, "a daemon pod without a node", lambda pods: len(homeless_daemons(pods)) == 1)
    node = await actors.until_virtual(lambda node: node.status.allocatable["pods"] == "0")
    assert node.name == NODE


@ON_REAL
async def test_when_the_extender_dies_a_waiting_daemon_preempts_nobody(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=10, cpu="450m")
    before = await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    overflow = {pod.uid for pod in on_fargate(before)}
    launches = actors.truth().launches
    await actors.daemon_set(space, tolerations=TOLERATE_ALL, priorityClassName="system-node-critical")
    await actors.until(space, "a daemon pod without a node", lambda pods: len(homeless_daemons(pods)) == 1)
    async with actors.without("extender"):
        await actors.pass_time(12)
    after = await actors.pods(space)
    assert overflow <= {pod.uid for pod in on_fargate(running(after))}
    assert actors.truth().launches == launches


@pytest.mark.parametrize(
    ("tolerations", "marked"),
    [pytest.param(TOLERATE_ALL, True, id="tolerant"), pytest.param([], False, id="intolerant")],
)
async def test_the_scheduler_is_to_ask_about_pods_of_the_system_that_bear_the_taint_and_no_others(
    actors: Actors, tolerations: list[dict[str, str]], marked: bool
) -> None:
    container = {"name": "main", "image": "agent:1", "resources": {"requests": {"cpu": "100m"}}}
    created = await actors.request(
        "POST",
        "/api/v1/namespaces/kube-system/pods?dryRun=All",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "agent"},
            "spec": {"containers": [container], "tolerations": tolerations},
        },
    )
    [stored] = created["spec"]["containers"]
    assert (MARKER in stored["resources"].get("limits", {})) is marked
    assert stored["resources"]["requests"]["cpu"] == "100m"


def homeless_daemons(pods: Sequence[Pod]) -> list[Pod]:
    """The DaemonSet's pods that have no node: the one for the virtual node, once the others are placed."""
    daemons = [pod for pod in pods if pod.metadata.labels.get("app") == "agent"]
    return [pod for pod in daemons if not pod.spec.node_name] if len(daemons) == 3 else []


def idle_daemons(pods: Sequence[Pod]) -> list[Pod]:
    """The DaemonSet's pods on the virtual node, once the others are placed, too."""
    daemons = [pod for pod in pods if pod.metadata.labels.get("app") == "agent" and pod.spec.node_name]
    return [pod for pod in daemons if pod.spec.node_name == NODE] if len(daemons) == 3 else []


async def overflow_of(actors: Actors, space: str) -> set[PodUid]:
    """Pods that fill the nodes and overflow; the uids of those on Fargate."""
    await actors.deployment(space, replicas=10, cpu="450m")
    pods = await actors.until(space, "10 running pods", lambda pods: len(running(pods)) == 10)
    return {pod.uid for pod in on_fargate(pods)}


@BY_TOLERATION
async def test_a_plain_scheduler_binds_the_daemon_which_never_starts_nor_evicts(
    actors: Actors,
) -> None:
    space = await actors.namespace(overflow="enabled")
    overflow = await overflow_of(actors, space)
    launches = actors.truth().launches
    await actors.daemon_set(space, tolerations=TOLERATE_ALL, priorityClassName=NODE_CRITICAL)
    pods = await actors.until(space, "an idle daemon", lambda pods: len(idle_daemons(pods)) == 1)
    assert overflow <= {pod.uid for pod in on_fargate(running(pods))}
    assert "never started" in await actors.until_told(space, "DaemonSetOnFargate")
    await actors.pass_time(3)
    [daemon] = idle_daemons(await actors.pods(space))
    assert (daemon.status.phase, actors.truth().launches) == ("Pending", launches)
    assert (await actors.virtual_node()).status.allocatable["pods"] == "0"


@TOLERATING_ON_REAL
async def test_with_the_extender_dead_a_plain_scheduler_evicts_nobody_for_a_daemon(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    overflow = await overflow_of(actors, space)
    async with actors.without("extender"):
        await actors.pass_time(8)
        await actors.daemon_set(space, tolerations=TOLERATE_ALL, priorityClassName=NODE_CRITICAL)
        await actors.until(
            space, "a daemon pod without a node", lambda pods: len(homeless_daemons(pods)) == 1
        )
        await actors.pass_time(5)
        pods = await actors.pods(space)
        assert overflow <= {pod.uid for pod in on_fargate(running(pods))}
        assert idle_daemons(pods) == []
    await actors.until(space, "an idle daemon", lambda pods: len(idle_daemons(pods)) == 1)


@BY_TOLERATION
async def test_pods_of_any_size_and_the_highest_priority_evict_nobody_while_none_is_awaited(
    actors: Actors,
) -> None:
    space, other = await actors.namespace(overflow="enabled"), await actors.namespace()
    overflow = await overflow_of(actors, space)
    important = {
        "tolerations": TOLERATE_ALL,
        "nodeSelector": ONLY_VIRTUAL,
        "priorityClassName": NODE_CRITICAL,
    }
    for name, requests in (("large", {"cpu": "400m"}), ("small", {"cpu": "1m"}), ("none", {})):
        await actors.pod(other, name, SLEEP, container={"resources": {"requests": requests}}, **important)
    await actors.until(other, "3 verdicts", lambda pods: sum(map(is_unschedulable, pods)) == 3)
    await actors.pass_time(5)
    assert overflow <= {pod.uid for pod in on_fargate(running(await actors.pods(space)))}
    assert on_fargate(await actors.pods(other)) == []


async def insist(actors: Actors, space: str, name: str, requests: dict[str, str]) -> None:
    """A pod that wants the virtual node and nothing else, and is more important than any on it."""
    await actors.pod(
        space,
        name,
        SLEEP,
        container={"resources": {"requests": requests}},
        tolerations=TOLERATE_ALL,
        nodeSelector=ONLY_VIRTUAL,
        priorityClassName=NODE_CRITICAL,
    )


def is_unschedulable(pod: Pod) -> bool:
    """Whether the scheduler found no node for the pod."""
    found = condition(pod, "PodScheduled")
    return found is not None and found.reason == "Unschedulable"
