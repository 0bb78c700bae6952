from typing import Any

from app.local.cluster.apiserver.api import Object
from app.model.names import TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from tests.local.cluster.controllers.fakes import World, a_workload

PROVIDER = {"key": TAINT_KEY, "value": TAINT_VALUE, "effect": TAINT_EFFECT}


async def add_daemons(world: World, **spec: Any) -> None:
    await world.api.create("daemonsets", "default", a_workload("DaemonSet", "agent", "agent:1", spec))
    await world.quiet()


def target(pod: Object) -> str:
    affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(affinity["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


async def start_daemons(world: World) -> None:
    for pod in world.pods():
        if not pod["spec"].get("nodeName"):
            await world.bind(pod, target(pod))
            await world.report(pod)
    await world.quiet()


async def test_every_node_gets_one_daemon_pinned_to_it(world: World) -> None:
    await world.node("ec2-0")
    await add_daemons(world)
    await world.node("ec2-1")
    assert sorted(target(pod) for pod in world.pods()) == ["ec2-0", "ec2-1"]


async def test_a_tainted_virtual_node_gets_none_unless_tolerated(world: World) -> None:
    await world.node("ec2-0")
    await world.node("fargate", spec={"taints": [PROVIDER]})
    await add_daemons(world)
    assert [target(pod) for pod in world.pods()] == ["ec2-0"]


async def test_a_daemon_that_tolerates_everything_comes_to_the_virtual_node(world: World) -> None:
    await world.node("fargate", spec={"taints": [PROVIDER]})
    await add_daemons(world, pod={"tolerations": [{"operator": "Exists"}]})
    assert [target(pod) for pod in world.pods()] == ["fargate"]


async def test_daemons_bear_with_their_nodes_troubles_but_not_with_our_taint(world: World) -> None:
    await world.node()
    await add_daemons(world)
    keys = {each.get("key") for each in world.pods()[0]["spec"]["tolerations"]}
    assert keys == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/unschedulable",
    }


async def test_a_failed_daemon_is_recreated_at_once_then_ever_later(world: World) -> None:
    await world.node()
    await add_daemons(world)
    names = [world.pods()[0]["metadata"]["name"]]
    await world.report(world.pods()[0], phase="Failed", ready=False)
    await world.quiet()
    names.append(world.pods()[0]["metadata"]["name"])
    await world.report(world.pods()[0], phase="Failed", ready=False)
    await world.quiet()
    assert [each["metadata"]["name"] for each in world.pods()] == [names[1]]
    await world.advance(5)
    assert len(world.pods()) == 1
    assert world.pods()[0]["metadata"]["name"] not in names


async def test_the_status_counts_nodes(world: World) -> None:
    for name in ("ec2-0", "ec2-1"):
        await world.node(name)
    await add_daemons(world)
    await start_daemons(world)
    status = world.status("daemonsets", "agent")
    keys = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    assert [status[key] for key in keys] == [2, 2, 2, 2]


async def test_an_update_takes_one_node_at_a_time(world: World) -> None:
    for name in ("ec2-0", "ec2-1"):
        await world.node(name)
    await add_daemons(world)
    await start_daemons(world)
    container = {"name": "main", "image": "agent:2"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    await world.api.patch("daemonsets", "default", "agent", patch, kind="strategic")
    await world.quiet()
    assert len(world.pods()) == 1
    for _ in range(4):
        await world.run_all("ec2-0")
        await start_daemons(world)
    assert world.images() == ["agent:2"] * 2


async def test_daemons_of_a_node_that_no_longer_fits_go(world: World) -> None:
    await world.node(metadata={"name": "ec2-0", "labels": {"pool": "a"}})
    await add_daemons(world, pod={"nodeSelector": {"pool": "a"}})
    await start_daemons(world)
    await world.api.patch("nodes", "", "ec2-0", {"metadata": {"labels": {"pool": "b"}}}, kind="merge")
    await world.quiet()
    assert world.pods() == []
