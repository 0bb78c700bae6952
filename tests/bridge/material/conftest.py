import pytest

from tests.bridge.material.fakes import Outskirts


@pytest.fixture
def outskirts() -> Outskirts:
    return Outskirts()
