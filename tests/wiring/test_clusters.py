"""A part of a local cluster that dies is told, not waited for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.local.controlplane import ControlPlaneError
from app.tls.authority import Authority
from app.wiring.clock import SystemClock
from app.wiring.local.clusters import Embedded


@pytest.fixture
async def cluster() -> AsyncIterator[Embedded]:
    """A running embedded cluster."""
    clock = SystemClock()
    made = Embedded(clock=clock, authority=Authority.create("test", now=clock.now()))
    await made.start()
    yield made
    await made.stop()


async def test_a_healthy_cluster_passes_its_check(cluster: Embedded) -> None:
    cluster.check()


async def test_controllers_that_ended_fail_the_check_by_name(cluster: Embedded) -> None:
    [controllers] = cluster._tasks
    controllers.cancel()
    await asyncio.wait({controllers})
    with pytest.raises(ControlPlaneError, match="controller"):
        cluster.check()
