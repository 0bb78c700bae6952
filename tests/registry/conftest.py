from collections.abc import AsyncIterator

import pytest

from app.registry.images import RegistryImages
from app.registry.transport import Bounds, Transport
from tests.fakes import VirtualClock
from tests.registry.fakes import FakeRegistry, serving


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with serving(FakeRegistry()) as fake:
        yield fake


@pytest.fixture
async def storage() -> AsyncIterator[FakeRegistry]:
    """Another host, where a registry may keep its blobs."""
    async with serving(FakeRegistry()) as fake:
        yield fake


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport(bounds=Bounds(request=2.0))
    yield made
    await made.close()


@pytest.fixture
async def images(transport: Transport, clock: VirtualClock) -> AsyncIterator[RegistryImages]:
    made = RegistryImages(transport, clock=clock)
    yield made
    await made.close()
