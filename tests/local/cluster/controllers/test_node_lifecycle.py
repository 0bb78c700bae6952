from tests.local.cluster.controllers.fakes import World

UNREACHABLE = "node.kubernetes.io/unreachable"


def ready_of(world: World, node: str = "ec2-0") -> str:
    conditions = world.api.get("nodes", "", node)["status"]["conditions"]
    return next(str(each["status"]) for each in conditions if each["type"] == "Ready")


def taints_of(world: World, node: str = "ec2-0") -> list[tuple[str, str]]:
    taints = world.api.get("nodes", "", node)["spec"].get("taints", [])
    return [(each["key"], each["effect"]) for each in taints]


async def test_a_ready_node_loses_the_taint_that_it_was_born_with(world: World) -> None:
    await world.node()
    assert taints_of(world) == []


async def test_a_node_that_renews_its_lease_stays_ready(world: World) -> None:
    await world.node()
    await world.advance(300)
    assert ready_of(world) == "True"


async def test_a_silent_node_is_unknown_after_fifty_seconds_and_tainted(world: World) -> None:
    await world.node()
    world.silence("ec2-0")
    await world.advance(45)
    assert ready_of(world) == "True"
    await world.advance(15)
    assert ready_of(world) == "Unknown"
    assert taints_of(world) == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]


async def test_the_pods_of_a_silent_node_are_not_ready_any_more(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1)
    await world.run_all()
    world.silence("ec2-0")
    await world.advance(60)
    assert world.status()["conditions"][0]["status"] == "False"


async def test_pods_are_evicted_after_their_own_tolerance(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1)
    await world.run_all()
    first = world.pods()[0]["metadata"]["name"]
    world.silence("ec2-0")
    await world.advance(300)
    assert [each["metadata"]["name"] for each in world.pods()] == [first]
    await world.advance(70)
    assert first not in {each["metadata"]["name"] for each in world.pods()}


async def test_a_pod_that_tolerates_for_ever_is_never_evicted(world: World) -> None:
    await world.node()
    tolerations = [{"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute"}]
    await world.deployment(replicas=1, pod={"tolerations": tolerations})
    await world.run_all()
    world.silence("ec2-0")
    await world.advance(900)
    assert len(world.pods()) == 1


async def test_others_taints_are_left_alone(world: World) -> None:
    taint = {"key": "virtual-kubelet.io/provider", "value": "fargate", "effect": "NoSchedule"}
    await world.node(spec={"taints": [taint]})
    world.silence("ec2-0")
    await world.advance(60)
    assert taints_of(world)[0] == ("virtual-kubelet.io/provider", "NoSchedule")


async def test_a_node_that_speaks_again_is_ready_again(world: World) -> None:
    await world.node()
    world.silence("ec2-0")
    await world.advance(60)
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"status": {"conditions": [ready]}}
    await world.api.patch("nodes", "", "ec2-0", status, kind="strategic", subresource="status")
    await world.quiet()
    assert (ready_of(world), taints_of(world)) == ("True", [])


async def test_a_cordoned_node_is_tainted_and_untainted(world: World) -> None:
    await world.node()
    await world.api.patch("nodes", "", "ec2-0", {"spec": {"unschedulable": True}}, kind="merge")
    await world.quiet()
    assert taints_of(world) == [("node.kubernetes.io/unschedulable", "NoSchedule")]
    await world.api.patch("nodes", "", "ec2-0", {"spec": {"unschedulable": None}}, kind="merge")
    await world.quiet()
    assert taints_of(world) == []


async def test_pods_of_a_node_that_is_gone_are_removed_after_a_while(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1)
    await world.run_all()
    first = world.pods()[0]["metadata"]["name"]
    await world.api.delete("nodes", "", "ec2-0")
    await world.advance(20)
    assert first in {each["metadata"]["name"] for each in world.api.list("pods")}
    await world.advance(60)
    assert first not in {each["metadata"]["name"] for each in world.api.list("pods")}


async def test_the_lease_of_a_node_that_is_gone_goes_too(world: World) -> None:
    await world.node()
    node = world.api.get("nodes", "", "ec2-0")
    owner = {"apiVersion": "v1", "kind": "Node", "name": "ec2-0", "uid": node["metadata"]["uid"]}
    patch = {"metadata": {"ownerReferences": [owner]}}
    await world.api.patch("leases", "kube-node-lease", "ec2-0", patch, kind="merge")
    await world.api.delete("nodes", "", "ec2-0")
    await world.quiet()
    assert world.api.list("leases") == []
