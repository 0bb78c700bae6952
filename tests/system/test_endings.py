"""An end is told as soon as all is known of it."""

from datetime import datetime
from typing import Any

import pytest

from app.wiring.clock import SystemClock
from tests.system.actors import Actors

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

ONLY_VIRTUAL = {"type": "virtual-kubelet"}
WAIT_FOR_RECORDS = 20.0
"""Seconds that an end waits for records of the helper that never come."""


async def test_a_pod_of_several_containers_that_records_nothing_ends_when_its_task_does(
    actors: Actors,
) -> None:
    if not actors.stack.has_helper:
        pytest.skip("the in-task helper cannot be built here")
    space = await actors.namespace(overflow="enabled")
    second = {"name": "second", "image": "python:3.13-slim", "command": ["python3", "-c", "print('two')"]}
    first = {**second, "name": "first", "command": ["python3", "-c", "print('one')"]}
    await actors.pod(space, "pair", "", nodeSelector=ONLY_VIRTUAL, containers=[first, second])
    (pod,) = await actors.until(
        space, "it to succeed", lambda pods: [each.status.phase for each in pods] == ["Succeeded"]
    )
    ended = max(_finished(each) for each in pod.status.container_statuses)
    assert SystemClock().now().timestamp() - ended < WAIT_FOR_RECORDS - 5


def _finished(status: dict[str, Any]) -> float:
    """When the container ended."""
    return datetime.fromisoformat(status["state"]["terminated"]["finishedAt"]).timestamp()
