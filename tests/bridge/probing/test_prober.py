import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from app.bridge.pod_views import key_of
from app.bridge.probing.prober import Prober
from app.model.pod import Pod
from app.model.task import Task
from app.ports.probes import Answer
from tests.bridge.door import Door
from tests.bridge.fake_kubernetes import FakeEvents
from tests.bridge.fakes import FakeProbes
from tests.builders import a_container, a_pod, a_task
from tests.fakes import VirtualClock

IP = "10.1.0.7"
LIVE = f"http://{IP}:8080/live"
READY = f"http://{IP}:8080/ready"
STARTED = f"http://{IP}:8080/started"
DOWN = Answer(ok=False, output="HTTP probe failed with statuscode: 503")


def a_probe(path: str, **fields: Any) -> dict[str, Any]:
    return {"httpGet": {"port": 8080, "path": path}, "periodSeconds": 10, **fields}


def a_probed_pod(status: dict[str, Any] | None = None, **probes: Any) -> Pod:
    return a_pod("web-1", uid="u1", containers=[a_container(**probes)], status=status)


def running(pod: Pod, attempt: int = 1) -> Task:
    return a_task(pod, attempt=attempt, ip=IP)


class Scene:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.probes = FakeProbes()
        self.events = FakeEvents(Door())
        self.changed: list[str] = []
        self.prober = Prober(self.probes, events=self.events, clock=self.clock, jitter=lambda: 0.5)
        self.prober.on_change(lambda key: self.changed.append(key.path))

    def attend(self, pod: Pod, task: Task | None, **runs: int) -> None:
        self.prober.attend(key_of(pod), pod, task, runs=runs)

    def ready(self, pod: Pod, task: Task) -> bool:
        return self.prober.health(key_of(pod), task)["main"].ready

    def failed(self, pod: Pod, task: Task) -> str:
        return self.prober.health(key_of(pod), task)["main"].failed


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    running = asyncio.get_running_loop().create_task(scene.prober.run())
    await asyncio.sleep(0)
    yield scene
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_container_is_ready_once_it_says_so(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(pod)
    scene.attend(pod, task)
    assert not scene.ready(pod, task)
    await scene.clock.advance(1)
    assert scene.ready(pod, task)
    assert scene.changed == ["shop/web-1"]


async def test_it_is_unready_after_three_failures_and_ready_again_after_one_success(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(pod)
    scene.attend(pod, task)
    await scene.clock.advance(1)
    scene.probes.answers[READY] = DOWN
    await scene.clock.advance(20)
    assert scene.ready(pod, task)
    await scene.clock.advance(10)
    assert not scene.ready(pod, task)
    del scene.probes.answers[READY]
    await scene.clock.advance(10)
    assert scene.ready(pod, task)


async def test_each_failure_is_told_as_a_kubelet_tells_it(scene: Scene) -> None:
    pod = a_probed_pod(livenessProbe=a_probe("/live"))
    scene.probes.answers[LIVE] = DOWN
    scene.attend(pod, running(pod))
    await scene.clock.advance(1)
    said = "Liveness probe failed: HTTP probe failed with statuscode: 503"
    assert scene.events.told == [("web-1", "Unhealthy", said)]


async def test_a_dead_container_is_asked_no_more(scene: Scene) -> None:
    pod = a_probed_pod(livenessProbe=a_probe("/live", failureThreshold=2))
    task = running(pod)
    scene.probes.answers[LIVE] = DOWN
    scene.attend(pod, task)
    await scene.clock.advance(100)
    assert scene.failed(pod, task) == "Container main failed liveness probe, will be restarted"
    assert scene.probes.asked == [LIVE, LIVE]


async def test_the_others_wait_for_the_startup_probe(scene: Scene) -> None:
    pod = a_probed_pod(startupProbe=a_probe("/started"), livenessProbe=a_probe("/live"))
    scene.probes.answers[STARTED] = DOWN
    scene.attend(pod, running(pod))
    await scene.clock.advance(15)
    assert set(scene.probes.asked) == {STARTED}
    del scene.probes.answers[STARTED]
    await scene.clock.advance(20)
    assert LIVE in scene.probes.asked


async def test_the_initial_delay_counts_from_the_containers_start(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready", initialDelaySeconds=30))
    task = msgspec.structs.replace(running(pod), started_at=scene.clock.now())
    await scene.clock.advance(20)
    scene.attend(pod, task)
    await scene.clock.advance(10)
    assert scene.probes.asked == []
    await scene.clock.advance(1)
    assert scene.probes.asked == [READY]


async def test_nothing_is_asked_twice_however_often_the_pod_is_looked_at(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    for _ in range(5):
        scene.attend(pod, running(pod))
    await scene.clock.advance(1)
    assert scene.probes.asked == [READY]


async def test_a_task_that_is_told_to_stop_is_asked_no_more(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(pod)
    scene.attend(pod, task)
    await scene.clock.advance(1)
    scene.attend(pod, msgspec.structs.replace(task, desired_status="STOPPED"))
    await scene.clock.advance(60)
    assert scene.probes.asked == [READY]


@pytest.mark.parametrize(
    ("again", "runs"),
    [
        pytest.param(2, {}, id="another-task"),
        pytest.param(1, {"main": 2}, id="another-run-inside-the-task"),
    ],
)
async def test_another_life_is_probed_from_the_beginning(
    scene: Scene, again: int, runs: dict[str, int]
) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    scene.attend(pod, running(pod))
    await scene.clock.advance(1)
    following = running(pod, attempt=again)
    scene.attend(pod, following, **runs)
    assert not scene.ready(pod, following)


async def test_a_bridge_that_starts_takes_no_traffic_away(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(pod)
    status = {"name": "main", "ready": True, "containerID": f"fargate://{task.task_id}/main"}
    known = a_probed_pod({"containerStatuses": [status]}, readinessProbe=a_probe("/ready"))
    scene.attend(known, task)
    assert scene.ready(known, task)


async def test_a_pod_that_is_gone_leaves_nothing_behind(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(pod)
    scene.attend(pod, task)
    scene.prober.attend(key_of(pod), None, None, runs={})
    await scene.clock.advance(30)
    assert scene.probes.asked == []
    assert scene.prober.health(key_of(pod), task) == {}
