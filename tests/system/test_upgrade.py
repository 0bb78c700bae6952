"""An upgrade of the bridge: every task definition would be another, and what runs is not touched."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from app.local.processes import Child
from app.wiring.clock import SystemClock
from app.wiring.local import programs
from tests.system.actors import Actors, on_fargate, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

OTHERWISE = {
    "log-group": "/spillway/another",
    "log-mode": "blocking",
    "helper-image": "registry.example/spillway:another",
    "execution-role": "arn:aws:iam::123456789012:role/another",
    "exec": "off",
    "cluster-domain": "another.local",
    "kubernetes-host": "10.0.0.1",
}
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


@contextlib.asynccontextmanager
async def upgraded_bridge(actors: Actors) -> AsyncIterator[None]:
    """The time in which another bridge keeps the node, one that translates every pod otherwise."""
    stack = actors.stack
    await actors.stop_program("bridge")
    places = dataclasses.replace(stack.places, flags={"bridge": OTHERWISE})
    child = await Child.start(
        "bridge-upgraded",
        programs.commands(places, log_level="info")["bridge"],
        directory=stack.options.directory,
        environment=programs.environment(places),
    )
    try:
        yield
    finally:
        await child.stop(clock=SystemClock())
        await stack.start_program("bridge")
        await stack.until_ready("bridge")


async def last_line(actors: Actors, path: str) -> int:
    """The number of the last line of a worker's log; -1 where the bridge does not answer yet."""
    namespace, _, name = path.partition("/")
    code, out, _ = await actors.kubectl("logs", "-n", namespace, name, "--tail=1")
    return int(out.split()[-1]) if code == 0 and out.strip() else -1


async def test_an_upgrade_that_changes_every_hash_launches_nothing_and_logs_go_on(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    token = actors.stack.has_helper
    await actors.deployment(space, replicas=3, nodeSelector=ONLY_VIRTUAL, automountServiceAccountToken=token)
    pods = await actors.until(space, "3 on Fargate", lambda found: len(on_fargate(running(found))) == 3)
    before = actors.truth()
    seen = {pod.uid: await last_line(actors, pod.key) for pod in pods}
    async with upgraded_bridge(actors):

        async def goes_on() -> bool:
            return all([await last_line(actors, pod.key) > seen[pod.uid] + 10 for pod in pods])

        await actors.until_so("the logs to go on", goes_on)
        await actors.pass_time(5)
        after = await actors.pods(space)
        assert {pod.uid for pod in running(after)} == set(seen)
        assert [each.get("restartCount") for pod in after for each in pod.status.container_statuses] == [
            0
        ] * 3
        truth = actors.truth()
        assert (truth.launches - before.launches, truth.left, truth.duplicates) == (0, 3, 0)
        await actors.scale(space, 2)
        await actors.until(space, "2 pods", lambda found: len(found) == 2)
