"""While ECS answers nothing, nothing is lost, nobody is blamed for it, and afterwards all catches up."""

import contextlib
from collections.abc import Iterator, Sequence

import pytest

from app.local.fargate.faults.orders import Fault
from app.model.node import is_ready
from app.model.pod import Pod
from tests.system.actors import Actors, running
from tests.system.pods import SLEEP, create, python

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


@contextlib.contextmanager
def ecs_away(actors: Actors) -> Iterator[None]:
    """Every call of AWS's APIs fails."""
    faults = actors.stack.fargate.faults
    faults.add(Fault(operation="*", kind="error", probability=1.0))
    try:
        yield
    finally:
        faults.clear()


def phases(pods: Sequence[Pod]) -> dict[str, str]:
    return {pod.metadata.name: pod.status.phase for pod in pods}


async def test_what_happens_while_ecs_is_away_is_told_when_it_is_back(actors: Actors) -> None:
    before = actors.truth()
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "lives", python(SLEEP))
    ending = python("import time; time.sleep(5); print('over'); raise SystemExit(4)")
    await create(actors, space, "ends", ending)
    await actors.until(space, "2 running pods", lambda pods: len(running(pods)) == 2)
    with ecs_away(actors):
        await create(actors, space, "late", python(SLEEP))
        await actors.until_told(space, "FailedSync")
        assert phases(await actors.pods(space)) == {"lives": "Running", "ends": "Running", "late": "Pending"}
        assert is_ready(await actors.virtual_node())
    expected = {"lives": "Running", "ends": "Failed", "late": "Running"}
    pods = await actors.until(space, "all to catch up", lambda pods: phases(pods) == expected)
    [ended] = [pod for pod in pods if pod.metadata.name == "ends"]
    assert ended.status.container_statuses[0]["state"]["terminated"]["exitCode"] == 4
    after = actors.truth()
    assert (after.launches - before.launches, after.duplicates) == (3, 0)
