"""What becomes of a pod after each thing that RunTask can come to (`app.ports.failures`)."""

from typing import Any

import pytest

from app.bridge.translation.material import Material
from app.bridge.translation.task_spec import client_token
from app.model.meta import ObjectMeta
from app.model.names import CAPACITY
from app.model.objects import ConfigMap
from app.model.pod import Pod, condition
from app.model.task import Launch, Task
from app.ports.failures import Conflict, NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable
from tests.bridge.fake_ecs import FakeEcs
from tests.bridge.fakes import World
from tests.builders import VIRTUAL, a_container, a_pod, identity_of, owned_by


class AskedEcs(FakeEcs):
    """Remembers every launch that it was asked for, and with which definition."""

    asked: list[Launch]

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        self.asked.append(launch)
        return await super().run(launch, definition_arn=definition_arn)


class AskedWorld(World):
    """A world whose ECS is one."""

    def __init__(self, *failures: PortFailure) -> None:
        super().__init__()
        self.ecs = self.asked = AskedEcs(self.door, self.clock)
        self.asked.asked = []
        self.door.failures["run"] = list(failures)

    @property
    def launches(self) -> list[Launch]:
        return self.asked.asked


def a_bound_pod(name: str = "web-1", **fields: Any) -> Pod:
    return a_pod(name, node=VIRTUAL, **fields)


def material(value: str) -> Material:
    settings = ConfigMap(metadata=ObjectMeta(name="settings", namespace="shop"), data={"mode": value})
    return Material(config_maps={"settings": settings})


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Throttled("Rate exceeded"), id="throttled"),
        pytest.param(Unavailable("ServerException"), id="server-failed"),
        pytest.param(Unavailable("AWS did not answer"), id="no-answer"),
        pytest.param(Unavailable("ExpiredTokenException"), id="credentials-expired"),
        pytest.param(NotFound("TaskDefinition is inactive"), id="definition-gone"),
    ],
)
async def test_what_passes_is_asked_for_again_with_the_same_token_and_subnets(failure: PortFailure) -> None:
    world, pod = AskedWorld(failure, failure), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(20)
    assert {launch.client_token for launch in world.launches} == {client_token(identity_of(pod), attempt=1)}
    assert [launch.turn for launch in world.launches] == [0, 0, 0]
    assert world.pod(pod).status.phase == "Running"
    await world.stop()


async def test_no_capacity_leads_to_every_subnet_by_itself_each_with_its_own_token() -> None:
    world, pod = AskedWorld(*[NoCapacity("not enough free addresses")] * 3), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(120)
    assert [launch.turn for launch in world.launches] == [0, 1, 2, 3]
    assert len({launch.client_token for launch in world.launches}) == 4
    assert world.pod(pod).status.phase == "Running"
    await world.stop()


@pytest.mark.parametrize(
    ("wish", "capacities"),
    [
        pytest.param("on-demand", ["on-demand", "on-demand"], id="on-demand"),
        pytest.param("spot", ["spot", "spot"], id="spot"),
        pytest.param("spot-first", ["spot", "on-demand"], id="spot-first"),
    ],
)
async def test_no_capacity_on_spot_leads_to_on_demand_where_the_pod_lets_it(
    wish: str, capacities: list[str]
) -> None:
    world, pod = AskedWorld(NoCapacity("none")), a_bound_pod(annotations={CAPACITY: wish})
    world.start()
    world.pods.bind(pod)
    await world.advance(20)
    assert [launch.capacity for launch in world.launches] == capacities
    await world.stop()


async def test_no_capacity_for_long_gives_the_pod_back_to_the_scheduler() -> None:
    world = AskedWorld(*[NoCapacity("Capacity is unavailable at this time")] * 100)
    pod = a_bound_pod(metadata=owned_by("ReplicaSet"))
    world.start()
    world.pods.bind(pod)
    await world.advance(1000, step=5)
    now = world.pod(pod)
    assert (now.status.phase, now.status.reason) == ("Failed", "FargateNoCapacity")
    assert "Capacity is unavailable" in now.status.message
    disrupted = condition(now, "DisruptionTarget")
    assert disrupted is not None
    assert disrupted.status == "True"
    await world.stop()


async def test_a_refusal_stands_on_the_pod_and_in_an_event_and_is_seldom_tried_again() -> None:
    why = "BlockedException: your account was blocked (ask AWS Support why)"
    world, pod = AskedWorld(*[Refused(why)] * 100), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(620, step=5)
    waiting = world.pod(pod).status.container_statuses[0]["state"]["waiting"]
    assert (waiting["reason"], waiting["message"]) == ("CreateContainerConfigError", why)
    assert world.events.reasons(pod.metadata.name) == ["FailedLaunch"]
    assert [launch.turn for launch in world.launches] == [0, 1, 2]
    await world.stop()


async def test_a_repeated_launch_whose_material_changed_adopts_the_task_that_exists() -> None:
    reference = {"name": "settings", "key": "mode"}
    variable = {"name": "MODE", "valueFrom": {"configMapKeyRef": reference}}
    world, pod = AskedWorld(), a_bound_pod(containers=[a_container(env=[variable])])
    world.materials.found[pod.key] = material("old")
    world.door.lost["run"] = 1
    world.start()
    await world.advance(1)
    world.door.failures["arns RUNNING"] = [Unavailable("no listing")] * 100
    world.pods.bind(pod)
    await world.clock.advance(0.5)
    world.materials.found[pod.key] = material("new")
    world.door.failures["run"] = [Unavailable("no answer")] * 6
    await world.advance(120)
    assert world.launches[0].overrides != world.launches[-1].overrides
    assert len(world.ecs.runs) == 1
    assert world.pod(pod).status.phase == "Running"
    assert world.registry.get_sample_value("spillway_bridge_launches_total", {"outcome": "adopted"}) == 1
    await world.stop()


async def test_a_conflict_that_names_no_task_waits_for_the_listing_that_shows_it() -> None:
    world, pod = AskedWorld(*[Conflict("the clientToken is in use")] * 100), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(3)
    token = client_token(identity_of(pod), attempt=1)
    world.ecs.launch_behind_our_back("arn:x/its-own", identity_of(pod), token)
    await world.advance(120)
    assert [run.arn for run in world.ecs.live()] == ["arn:x/its-own"]
    assert world.pod(pod).status.phase == "Running"
    assert {launch.client_token for launch in world.launches} == {token}
    await world.stop()
