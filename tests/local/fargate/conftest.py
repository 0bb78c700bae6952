from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Build


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Makes embedded Fargates, with AWS's throttles off unless told otherwise."""
    made: list[Aws] = []

    def make(**config: Any) -> Aws:
        made.append(Aws(**{"throttles": False, **config}))
        return made[-1]

    yield make
    for each in made:
        each.driver.cancel()


@pytest.fixture
async def aws(build: Build) -> Aws:
    """An embedded Fargate that simulates every task, with AWS's throttles off."""
    return build()
