"""A cluster whose scheduler asks an extender that tests hold in their hands, embedded and real."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.local.controlplane import find_assets, missing_assets
from tests.local.cluster.scheduling.clusters import Cluster, EmbeddedScheduling, RealScheduling
from tests.local.cluster.scheduling.steps import emptied
from tests.local.cluster.scheduling.stub_extender import StubExtender


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["embedded", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Cluster, StubExtender]]:
    """One for all tests of a module; asked about marked pods alone where the module says `MARKED_ONLY`."""
    marked_only = getattr(request.module, "MARKED_ONLY", False)
    assets = find_assets(os.environ)
    if request.param == "real" and assets is None:
        pytest.skip(f"no real control plane: {', '.join(missing_assets(os.environ))} not found")
    extender = StubExtender()
    await extender.start()
    cluster = (
        RealScheduling(assets, extender, marked_only=marked_only)
        if request.param == "real" and assets is not None
        else EmbeddedScheduling(extender, marked_only=marked_only)
    )
    try:
        await cluster.start()
        yield cluster, extender
    finally:
        await cluster.stop()
        await extender.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(world: tuple[Cluster, StubExtender]) -> Cluster:
    """The cluster without nodes and pods."""
    made, extender = world
    await emptied(made)
    extender.reset()
    return made


@pytest_asyncio.fixture(loop_scope="module")
async def extender(world: tuple[Cluster, StubExtender]) -> StubExtender:
    return world[1]
