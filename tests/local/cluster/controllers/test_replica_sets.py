from tests.local.cluster.controllers.fakes import World


async def test_a_lost_pod_is_replaced_once(world: World) -> None:
    await world.node()
    await world.deployment(replicas=3)
    await world.run_all()
    await world.api.delete("pods", "default", world.pods()[0]["metadata"]["name"])
    await world.quiet()
    assert len(world.pods()) == 3


async def test_a_failed_pod_is_replaced_and_kept_for_people_to_read(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1)
    await world.run_all()
    await world.report(world.pods()[0], phase="Failed", ready=False)
    await world.quiet()
    assert sorted(each["status"]["phase"] for each in world.pods()) == ["Failed", "Pending"]


async def test_a_burst_creates_exactly_as_many_as_asked(world: World) -> None:
    await world.deployment(replicas=100)
    assert len(world.pods()) == 100
    assert (
        world.status("replicasets", world.api.list("replicasets")[0]["metadata"]["name"])["replicas"] == 100
    )


async def test_pods_with_a_lower_deletion_cost_go_first(world: World) -> None:
    await world.node()
    await world.deployment(replicas=3)
    await world.run_all()
    cheap = world.pods()[1]["metadata"]["name"]
    patch = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-100"}}}
    await world.api.patch("pods", "default", cheap, patch, kind="merge")
    await world.scale(2)
    assert cheap not in {each["metadata"]["name"] for each in world.pods()}


async def test_waiting_for_min_ready_seconds_delays_availability(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1, minReadySeconds=30)
    await world.run_all()
    assert world.status().get("availableReplicas", 0) == 0
    await world.advance(35)
    assert world.status()["availableReplicas"] == 1
