"""What an operator is told of launches and stops: log lines and counts."""

import pytest
from structlog.testing import capture_logs

from app.bridge.config import RecordConfig
from app.bridge.decision.commands import LaunchTask
from app.bridge.known import Known
from app.bridge.launcher import Launcher
from app.bridge.log_places import LogPlaces
from app.bridge.memories import Memories
from app.bridge.metrics import BridgeMetrics
from app.bridge.node.lease import NodeLease
from app.bridge.pod_views import PodViews, key_of
from app.bridge.records import Records
from app.bridge.task_store import TaskStore
from app.bridge.translation.material import Material
from app.bridge.translation.task_spec import Translated, translate
from app.ports.failures import NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable
from tests.bridge.fakes import NODE, TASK, World
from tests.builders import VIRTUAL, a_pod, identity_of


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        pytest.param(Throttled("slow"), "throttled", id="throttled"),
        pytest.param(Unavailable("503"), "unavailable", id="no-answer"),
        pytest.param(NotFound("TaskDefinition is inactive"), "unavailable", id="definition-gone"),
        pytest.param(NoCapacity("none"), "no-capacity", id="no-capacity"),
        pytest.param(Refused("denied"), "refused", id="refused"),
    ],
)
async def test_every_launch_is_counted_and_timed_by_its_outcome(failure: PortFailure, outcome: str) -> None:
    world = World()
    world.door.failures["run"] = [failure]
    world.start()
    world.pods.bind(a_pod(node=VIRTUAL))
    await world.advance(15)
    count, timed = "spillway_bridge_launches_total", "spillway_bridge_launch_seconds_count"
    assert world.registry.get_sample_value(count, {"outcome": outcome}) == 1
    assert world.registry.get_sample_value(timed, {"outcome": outcome}) == 1
    await world.stop()


async def test_a_launch_and_a_stop_are_logged_with_pod_task_attempt_and_family() -> None:
    world, pod = World(), a_pod(node=VIRTUAL)
    with capture_logs() as lines:
        world.start()
        world.pods.bind(pod)
        await world.advance(10)
        world.pods.delete(pod)
        await world.advance(10)
    [run] = world.ecs.of(pod)
    [launched] = [line for line in lines if line["event"] == "task launched"]
    [stopping] = [line for line in lines if line["event"] == "stopping task"]
    assert (launched["pod"], launched["task"], launched["attempt"]) == (pod.key, run.arn, 1)
    assert launched["family"] in launched["definition"]
    assert (stopping["pod"], stopping["task"], stopping["attempt"]) == (pod.key, run.arn, 1)
    await world.stop()


@pytest.mark.parametrize(
    ("failure", "event"),
    [
        pytest.param(NoCapacity("none left"), "Fargate has no capacity", id="no-capacity"),
        pytest.param(Refused("denied"), "ECS refuses the launch", id="refused"),
    ],
)
async def test_a_definite_no_is_warned_of_with_its_reason(failure: PortFailure, event: str) -> None:
    world, pod = World(), a_pod(node=VIRTUAL)
    world.door.failures["run"] = [failure]
    with capture_logs() as lines:
        world.start()
        world.pods.bind(pod)
        await world.advance(5)
    [told] = [line for line in lines if line["event"] == event]
    assert (told["log_level"], told["pod"], told["error"]) == ("warning", pod.key, str(failure))
    await world.stop()


async def test_a_launch_whose_turn_comes_after_the_node_was_lost_is_not_made() -> None:
    world, pod = World(), a_pod(node=VIRTUAL)
    world.pods.bind(pod)
    metrics = BridgeMetrics(world.registry)
    outside = world.outside(metrics)
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    lease = NodeLease(outside.leases, clock=world.clock, config=NODE)
    known = Known(
        views=PodViews(outside.watched),
        tasks=store,
        memories=Memories(),
        records=Records(
            outside.streams,
            store,
            clock=world.clock,
            places=LogPlaces(PodViews(outside.watched), settings=TASK),
            config=RecordConfig(),
            held=lease.held,
        ),
        lease=lease,
    )
    launcher = Launcher(outside, known=known, slots=1, metrics=metrics)
    translated = translate(pod, material=Material(), config=TASK, identity=identity_of(pod), attempt=1)
    assert isinstance(translated, Translated)
    await launcher.launch(key_of(pod), LaunchTask(launch=translated.launch, attempt=1))
    assert "run" not in world.door.calls
    assert world.registry.get_sample_value("spillway_bridge_launches_total", {"outcome": "not-wanted"}) == 1
