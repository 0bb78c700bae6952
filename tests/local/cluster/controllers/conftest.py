"""One embedded cluster with its controllers, on a clock that the test moves."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from app.local.cluster.apiserver.api import Api
from app.local.cluster.controllers.manager import ControllerManager
from tests.fakes import VirtualClock
from tests.local.cluster.controllers.fakes import World


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[World]:
    numbers = itertools.count(1)
    api = Api(clock=clock, ids=lambda: f"uid-{next(numbers)}")
    for name in ("default", "kube-node-lease"):
        await api.create("namespaces", "", {"metadata": {"name": name}})
    running = asyncio.create_task(ControllerManager(api, clock=clock).run())
    yield World(api, clock)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
