"""Two bridges for one node: the other takes over from one that hangs, which does no harm when it is back."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from app.local.loopback import free_ports
from app.local.processes import Child
from app.wiring.clock import SystemClock
from app.wiring.local import programs
from tests.system.actors import Actors, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{programs.NODE}"
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


@contextlib.asynccontextmanager
async def second_bridge(actors: Actors) -> AsyncIterator[None]:
    """Another bridge of the same node, with ports and a name of its own."""
    stack = actors.stack
    kubelet_port, probe_port = free_ports(2)
    places = dataclasses.replace(stack.places, kubelet_port=kubelet_port, probe_port=probe_port)
    command = programs.commands(places, log_level="info")["bridge"]
    child = await Child.start(
        "bridge-2",
        [*command, "--identity=second"],
        directory=stack.options.directory,
        environment=programs.environment(places),
    )
    try:
        yield
    finally:
        await child.stop(clock=SystemClock())


async def holder(actors: Actors) -> str:
    """Who keeps the node."""
    return str((await actors.request("GET", LEASE))["spec"].get("holderIdentity", ""))


async def until_held_by(actors: Actors, identity: str) -> None:
    """Wait until the node is kept by it."""
    async with asyncio.timeout(90):
        while await holder(actors) != identity:
            await actors.pass_time(0.2)


async def test_a_leader_that_hangs_loses_the_node_and_does_no_harm_when_it_comes_back(actors: Actors) -> None:
    before, first = actors.truth(), await holder(actors)
    space = await actors.namespace(overflow="enabled")
    leader = actors.stack.programs["bridge"]
    async with second_bridge(actors):
        await actors.deployment(space, replicas=24, nodeSelector=ONLY_VIRTUAL)
        await actors.until_launched(before.launches + 4)
        leader.pause()
        try:
            await actors.until(space, "24 running pods", lambda pods: len(running(pods)) == 24)
            assert await holder(actors) == "second"
            await actors.scale(space, 12)
        finally:
            leader.resume()
        await actors.until(space, "12 pods", lambda pods: len(pods) == len(running(pods)) == 12)
        await actors.pass_time(2)
        after = actors.truth()
        assert (after.launches - before.launches, after.left, after.duplicates) == (24, 12, 0)
    await until_held_by(actors, first)
