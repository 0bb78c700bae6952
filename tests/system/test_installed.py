"""The released chart: real helm, a real control plane, and the programs as the chart has them run.

Arguments, variables, mounted files, service accounts' tokens and rights are the chart's; the pods are made by
Kubernetes' own controllers, and run by `tests.system.machine`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.ports.failures import NotFound
from app.timing.waiting import cancelled
from app.wiring.local.programs import NODE
from tests.chart.rendering import Json, merged, path_of
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.conftest import NEEDS_REAL, NODES
from tests.system.machine import sandbox
from tests.system.release import Release, prepared
from tests.system.test_drain import Drainer
from tests.system.test_upgrade import last_line

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
    NEEDS_REAL,
    pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no container can be made: {sandbox.why_not()}"),
]

BY_TOLERATION: Json = {}
BY_SECOND_SCHEDULER: Json = {
    "actuator": "scheduler",
    "scheduler": {"enabled": True, "replicas": 1},
    "extender": {"settings": {"earlyBurst": True}},
}
SCHEDULER = "registry.k8s.io/kube-scheduler"
OTHERWISE: Json = {"bridge": {"settings": {"logMode": "blocking", "clusterDomain": "another.local"}}}
"""Every pod would get another task definition."""


@pytest_asyncio.fixture(loop_scope="session")
async def release(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Release]:
    async with prepared(tmp_path_factory.mktemp("release"), nodes=NODES) as ready:
        yield ready


@contextlib.asynccontextmanager
async def all_mutated(actors: Actors, space: str) -> AsyncIterator[list[bool]]:
    """Meanwhile pods are tried one after another; whether the webhook saw each."""
    seen: list[bool] = []

    async def try_pods() -> None:
        container = {"name": "main", "image": "registry.example/app:1"}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "probe-"},
            "spec": {"containers": [container]},
        }
        while True:
            answer = await actors.stack.connection.request(
                "POST", f"/api/v1/namespaces/{space}/pods", body=body, query={"dryRun": "All"}
            )
            seen.append("affinity" in json.loads(answer)["spec"])
            await asyncio.sleep(0.05)

    trying = asyncio.create_task(try_pods())
    try:
        yield seen
    finally:
        await cancelled(trying)


async def is_there(actors: Actors, path: str) -> bool:
    try:
        await actors.request("GET", path)
    except NotFound:
        return False
    return True


async def a_burst(actors: Actors) -> str:
    """Twelve pods that have room for eight on nodes."""
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=12, automountServiceAccountToken=actors.stack.has_helper)
    pods = await actors.until(space, "12 running pods", lambda pods: len(running(pods)) == 12)
    assert (len(on_nodes(pods)), len(on_fargate(pods))) == (8, 4)
    return space


@contextlib.asynccontextmanager
async def unnoticed(actors: Actors, space: str) -> AsyncIterator[None]:
    """Inside, an upgrade happens: no task is launched or lost, no pod is admitted unseen, logs go on."""
    before = actors.truth()
    overflow = on_fargate(await actors.pods(space))
    lines = {pod.key: await last_line(actors, pod.key) for pod in overflow}
    async with all_mutated(actors, space) as mutated:
        yield
    assert len(mutated) > 20
    assert [place for place, seen in enumerate(mutated) if not seen] == []

    async def logs_go_on() -> bool:
        return all([await last_line(actors, key) > line + 10 for key, line in lines.items()])

    await actors.until_so("the logs to go on", logs_go_on)
    after = actors.truth()
    assert (after.launches - before.launches, after.duplicates, after.left) == (0, 0, len(overflow))


async def it_bursts_on(actors: Actors, space: str) -> None:
    """Two more pods, and no more room on nodes."""
    await actors.scale(space, 14)
    await actors.until(space, "6 on Fargate", lambda pods: len(on_fargate(running(pods))) == 6)


async def what_is_left(release: Release, values: Json) -> list[str]:
    """The objects of the release that are still there, the node among them."""
    paths = [path_of(each) for each in await release.rendered(values)]
    return [path for path in [*paths, f"/api/v1/nodes/{NODE}"] if await is_there(release.actors, path)]


async def test_helm_installs_upgrades_and_takes_away_what_does_the_main_job(release: Release) -> None:
    actors = release.actors
    values = release.values(BY_TOLERATION)
    await release.helm("install", release.chart, "--wait", "--timeout=90s", values=values)
    space = await a_burst(actors)
    release.another_version()
    values = release.values(merged(BY_TOLERATION, OTHERWISE))
    async with unnoticed(actors, space):
        await release.helm("upgrade", release.chart, "--wait", "--timeout=90s", values=values)
        await release.until_images({"spillway:0.1.1"})
    await it_bursts_on(actors, space)
    assert release.machine.restarts == 0, release.logs()
    await release.helm("uninstall", "--wait", "--timeout=300s")
    assert (actors.truth().left, actors.truth().duplicates) == (0, 0), release.logs()
    assert await what_is_left(release, values) == []


async def test_what_kubectl_applies_does_the_main_job_with_a_scheduler_of_its_own(release: Release) -> None:
    actors = release.actors
    values = release.values(BY_SECOND_SCHEDULER)
    complaints = await release.kubectl("apply", "--validate=strict", values=values)
    assert complaints == ""
    await release.until_rolled_out()
    space = await a_burst(actors)
    release.another_version()
    values = release.values(merged(BY_SECOND_SCHEDULER, OTHERWISE))
    async with unnoticed(actors, space):
        await release.kubectl("apply", "--validate=strict", values=values)
        await release.until_rolled_out()
        await release.until_images({"spillway:0.1.1", f"{SCHEDULER}:{actors.stack.kubernetes}"})
    await it_bursts_on(actors, space)
    assert release.machine.restarts == 0, release.logs()
    code, told, lines = await Drainer(actors).drain("--delete-nodes", "--successor-wait=2s")
    assert (code, told["proven"], actors.truth().left) == (0, True, 0), lines
    await release.kubectl("delete", "--wait", "--timeout=60s", values=values)
    code, told, lines = await Drainer(actors).drain("--delete-nodes", "--after-uninstall")
    assert (code, told["proven"], actors.truth().left) == (0, True, 0), lines
    assert await what_is_left(release, values) == []
