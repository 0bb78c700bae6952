"""An API with a clock of the test's own, and names that count up."""

import itertools
from collections.abc import AsyncIterator

import pytest

from app.local.cluster.apiserver.api import Api
from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.tls.authority import Authority
from tests.fakes import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def api(clock: VirtualClock) -> Api:
    """Empty but for the default namespace."""
    numbers = itertools.count(1)
    made = Api(clock=clock, ids=lambda: f"uid-{next(numbers)}")
    await made.create("namespaces", "", {"metadata": {"name": "default"}})
    return made


@pytest.fixture
def authority(clock: VirtualClock) -> Authority:
    return Authority.create("tests", now=clock.now())


@pytest.fixture
async def cluster(clock: VirtualClock, authority: Authority) -> AsyncIterator[EmbeddedCluster]:
    """A cluster that is served over HTTPS."""
    numbers = itertools.count(1)
    made = EmbeddedCluster(
        ClusterConfig(token="secret"), clock=clock, ids=lambda: f"uid-{next(numbers)}", authority=authority
    )
    await made.start()
    yield made
    await made.stop()
