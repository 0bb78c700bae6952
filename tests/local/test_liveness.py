import asyncio

import pytest

from app.local.controlplane import ControlPlaneError
from app.local.liveness import require_running


async def broken() -> None:
    raise KeyError("spec")


async def over() -> None:
    """Return, which a part that should run for ever must not."""


async def test_a_part_that_runs_is_well() -> None:
    task = asyncio.create_task(asyncio.Event().wait(), name="the scheduler")
    require_running(task)
    task.cancel()


async def test_a_part_that_broke_is_told_by_name_with_its_error() -> None:
    task = asyncio.create_task(broken(), name="the scheduler")
    await asyncio.wait((task,))
    with pytest.raises(ControlPlaneError, match=r"the scheduler ended by itself: KeyError\('spec'\)") as told:
        require_running(task)
    assert isinstance(told.value.__cause__, KeyError)


async def test_a_part_that_only_returned_is_told_as_well() -> None:
    task = asyncio.create_task(over(), name="the scheduler")
    await task
    with pytest.raises(ControlPlaneError, match="the scheduler ended by itself: without an error"):
        require_running(task)
