import asyncio
from collections.abc import AsyncIterator, Mapping
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


def found(task: Task, health: str) -> Task:
    """The task with the outcome of ECS's health check."""
    seen = tuple(msgspec.structs.replace(each, health=health) for each in task.containers)
    return msgspec.structs.replace(task, containers=seen)


def running(pod: Pod, attempt: int = 1) -> Task:
    return a_task(pod, attempt=attempt, ip=IP)


class Scene:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.probes = FakeProbes()
        self.events = FakeEvents(Door())
        self.changed: list[str] = []
        self.leads = True
        self.prober = Prober(
            self.probes, events=self.events, clock=self.clock, jitter=lambda: 0.5, leads=lambda: self.leads
        )
        self.prober.on_change(lambda key: self.changed.append(key.path))

    def attend(self, pod: Pod, task: Task | None, **runs: int) -> None:
        self.prober.attend(key_of(pod), pod, task, runs=runs)

    def ready(self, pod: Pod, task: Task) -> bool:
        return self.prober.health(key_of(pod), task)["main"].ready

    def started(self, pod: Pod, task: Task) -> bool:
        return self.prober.health(key_of(pod), task)["main"].started

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


COMMAND: dict[str, Any] = {"exec": {"command": ["check"]}}
DIED = "Container main failed {} probe, will be restarted"


async def test_who_has_started_by_a_command_is_not_restarted_for_being_unready(scene: Scene) -> None:
    pod = a_probed_pod(startupProbe=COMMAND, readinessProbe=COMMAND)
    task = running(pod)
    scene.attend(pod, task)
    assert not scene.started(pod, task)
    assert scene.ready(pod, found(task, "HEALTHY"))
    await scene.clock.advance(100)
    unwell = found(task, "UNHEALTHY")
    assert (scene.started(pod, unwell), scene.ready(pod, unwell), scene.failed(pod, unwell)) == (
        True,
        False,
        "",
    )


async def test_a_bridge_that_starts_knows_who_had_started(scene: Scene) -> None:
    plain = a_probed_pod(startupProbe=COMMAND, readinessProbe=COMMAND)
    task = found(running(plain), "UNHEALTHY")
    status = {"name": "main", "started": True, "containerID": f"fargate://{task.task_id}/main"}
    pod = a_probed_pod({"containerStatuses": [status]}, startupProbe=COMMAND, readinessProbe=COMMAND)
    scene.attend(pod, task)
    await scene.clock.advance(100)
    assert (scene.started(pod, task), scene.failed(pod, task)) == (True, "")


async def test_what_is_written_of_an_earlier_run_says_nothing_of_the_next(scene: Scene) -> None:
    plain = a_probed_pod(readinessProbe=a_probe("/ready"))
    task = running(plain)
    status = {"name": "main", "ready": True, "containerID": f"fargate://{task.task_id}/main@2"}
    pod = a_probed_pod({"containerStatuses": [status]}, readinessProbe=a_probe("/ready"))
    scene.attend(pod, task, main=2)
    assert scene.ready(pod, task)
    scene.attend(pod, task, main=3)
    assert not scene.ready(pod, task)


async def test_a_command_may_take_as_long_to_start_as_it_says_though_ecs_counts_300_s(scene: Scene) -> None:
    pod = a_probed_pod(startupProbe={**COMMAND, "periodSeconds": 10, "failureThreshold": 60})
    task = found(running(pod), "UNHEALTHY")
    scene.attend(pod, task)
    await scene.clock.advance(500)
    assert (scene.failed(pod, task), scene.changed) == ("", [])
    await scene.clock.advance(100)
    assert scene.changed == ["shop/web-1"]
    assert scene.failed(pod, task) == DIED.format("startup")


async def test_a_command_that_ecs_found_to_fail_is_told_once(scene: Scene) -> None:
    pod = a_probed_pod(livenessProbe=COMMAND)
    task = running(pod)
    scene.attend(pod, found(task, "HEALTHY"))
    scene.attend(pod, found(task, "UNHEALTHY"))
    scene.attend(pod, found(task, "UNHEALTHY"))
    await scene.clock.advance(1)
    said = "Liveness probe failed: ECS's health check finds container main UNHEALTHY"
    assert scene.events.told == [("web-1", "Unhealthy", said)]


async def test_only_the_probe_that_counts_is_told_of_a_command(scene: Scene) -> None:
    pod = a_probed_pod(startupProbe=COMMAND, readinessProbe=COMMAND)
    task = running(pod)
    scene.attend(pod, found(task, "UNHEALTHY"))
    scene.attend(pod, found(task, "HEALTHY"))
    scene.attend(pod, found(task, "UNHEALTHY"))
    await scene.clock.advance(1)
    kinds = [message.split()[0] for _, _, message in scene.events.told]
    assert kinds == ["Startup", "Readiness"]


async def test_who_does_not_lead_asks_nobody_and_tells_nobody(scene: Scene) -> None:
    pod = a_probed_pod(readinessProbe=a_probe("/ready"), livenessProbe=COMMAND)
    task = running(pod)
    scene.probes.answers[READY] = DOWN
    scene.attend(pod, task)
    await scene.clock.advance(1)
    scene.leads = False
    scene.attend(pod, found(task, "UNHEALTHY"))
    await scene.clock.advance(60)
    assert scene.probes.asked == [READY]
    assert [reason for _, reason, _ in scene.events.told] == ["Unhealthy"]
    scene.leads = True
    await scene.clock.advance(10)
    assert scene.probes.asked == [READY, READY]


class BrokenProbes(FakeProbes):
    async def http(self, url: str, *, headers: Mapping[str, str], within: float) -> Answer:
        raise ValueError("no such header")


async def test_a_probe_that_cannot_be_made_fails_and_ends_nobody_elses() -> None:
    clock, events = VirtualClock(), FakeEvents(Door())
    prober = Prober(BrokenProbes(), events=events, clock=clock, jitter=lambda: 0.5)
    living = asyncio.get_running_loop().create_task(prober.run())
    await asyncio.sleep(0)
    pod = a_probed_pod(livenessProbe=a_probe("/live"))
    prober.attend(key_of(pod), pod, running(pod), runs={})
    await clock.advance(1)
    said = "Liveness probe failed: the probe cannot be made: no such header"
    assert events.told == [("web-1", "Unhealthy", said)]
    assert not living.done()
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
