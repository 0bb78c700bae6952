from tests.local.cluster.controllers.fakes import World, conditions_of


async def test_a_deployment_gets_its_pods(world: World) -> None:
    await world.deployment(replicas=3)
    assert world.images() == ["app:1"] * 3
    assert world.sizes() == [3]


async def test_pods_carry_the_hash_and_their_owner(world: World) -> None:
    await world.deployment(replicas=1)
    pod, replica_set = world.pods()[0], world.api.list("replicasets")[0]
    digest = pod["metadata"]["labels"]["pod-template-hash"]
    owner = pod["metadata"]["ownerReferences"][0]
    assert replica_set["metadata"]["name"] == f"web-{digest}"
    assert (owner["kind"], owner["uid"]) == ("ReplicaSet", replica_set["metadata"]["uid"])
    assert pod["metadata"]["name"].startswith(f"web-{digest}-")


async def test_the_status_is_what_rollout_status_reads(world: World) -> None:
    await world.node()
    await world.deployment(replicas=2)
    waiting = world.status()
    await world.run_all()
    done = world.status()
    assert conditions_of(waiting) == {
        "Available": ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", "ReplicaSetUpdated"),
    }
    assert conditions_of(done) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    counts = [done[key] for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    assert (counts, done["observedGeneration"]) == ([2, 2, 2, 2], 1)


async def test_scaling_reaches_the_pods_both_ways(world: World) -> None:
    await world.node()
    await world.deployment(replicas=2)
    await world.run_all()
    await world.scale(5)
    assert len(world.pods()) == 5
    await world.scale(1)
    assert len(world.pods()) == 1
    assert world.status()["observedGeneration"] == 3


async def test_a_rollout_never_exceeds_its_limits_and_ends(world: World) -> None:
    await world.node()
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    await world.deployment(replicas=4, strategy=rolling)
    await world.run_all()
    await world.set_image("app:2")
    assert world.images() == ["app:1"] * 3 + ["app:2"] * 2
    for _ in range(8):
        assert 3 <= len(world.pods()) <= 5
        await world.run_all()
    assert world.images() == ["app:2"] * 4
    assert conditions_of(world.status())["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert world.sizes() == [4, 0]


async def test_a_new_image_that_never_gets_ready_keeps_the_old_pods(world: World) -> None:
    await world.node()
    await world.deployment(replicas=4)
    await world.run_all()
    await world.set_image("broken:1")
    assert world.images() == ["app:1"] * 3 + ["broken:1"] * 2
    await world.advance(700)
    assert world.images() == ["app:1"] * 3 + ["broken:1"] * 2
    assert conditions_of(world.status())["Progressing"] == ("False", "ProgressDeadlineExceeded")


async def test_going_back_reuses_the_old_replica_set(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1)
    await world.run_all()
    first = world.api.list("replicasets")[0]["metadata"]["name"]
    await world.set_image("app:2")
    for _ in range(3):
        await world.run_all()
    await world.set_image("app:1")
    for _ in range(3):
        await world.run_all()
    assert len(world.api.list("replicasets")) == 2
    revisions = {
        each["metadata"]["name"]: each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for each in world.api.list("replicasets")
    }
    assert revisions[first] == "3"


async def test_recreate_waits_until_every_old_pod_is_gone(world: World) -> None:
    await world.node()
    await world.deployment(replicas=2, strategy={"type": "Recreate"})
    await world.run_all()
    await world.set_image("app:2")
    assert world.images() == []
    await world.run_all()
    assert world.images() == ["app:2"] * 2


async def test_history_beyond_its_limit_goes(world: World) -> None:
    await world.node()
    await world.deployment(replicas=1, revisionHistoryLimit=1)
    await world.run_all()
    for version in (2, 3, 4):
        await world.set_image(f"app:{version}")
        for _ in range(3):
            await world.run_all()
    assert len(world.api.list("replicasets")) == 2


async def test_a_paused_deployment_scales_but_does_not_roll(world: World) -> None:
    await world.deployment(replicas=1)
    await world.api.patch("deployments", "default", "web", {"spec": {"paused": True}}, kind="merge")
    await world.set_image("app:2")
    await world.scale(3)
    assert world.images() == ["app:1"] * 3


async def test_deleting_a_deployment_takes_everything_with_it(world: World) -> None:
    await world.deployment(replicas=2)
    await world.api.delete("deployments", "default", "web")
    await world.quiet()
    assert (world.api.list("replicasets"), world.pods()) == ([], [])


async def test_orphaning_keeps_the_pods(world: World) -> None:
    await world.deployment(replicas=2)
    replica_set = world.api.list("replicasets")[0]["metadata"]["name"]
    await world.api.delete("deployments", "default", "web", propagation="Orphan")
    await world.quiet()
    assert [each["metadata"]["name"] for each in world.api.list("replicasets")] == [replica_set]
    assert len(world.pods()) == 2


async def test_scaling_is_told_in_events(world: World) -> None:
    await world.deployment(replicas=2)
    messages = [each["message"] for each in world.api.list("events") if each["reason"] == "ScalingReplicaSet"]
    name = world.api.list("replicasets")[0]["metadata"]["name"]
    assert messages == [f"Scaled up replica set {name} from 0 to 2"]
