import pytest

from tests.local.fargate.session_manager.far_side import FarSide


@pytest.fixture
async def far() -> FarSide:
    """A session that nobody is connected to yet."""
    return FarSide()
