"""Early burst: pods that allow it go to Fargate while real nodes still have room, and nobody else does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeNode
from app.model import names
from app.model.early import read_early
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, on_fargate, running
from tests.system.conftest import KINDS
from tests.system.pods import SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=KINDS)
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """One node of 4 cpu, whose pressure is high from a half on."""
    directory = tmp_path_factory.mktemp(f"early-{request.param}")
    marks = {"high-watermark": "0.5", "low-watermark": "0.3", "dwell": "1s"}
    options = LocalOptions(
        directory=directory,
        nodes=(FakeNode(name="ec2-0", cpu="4", memory="8Gi", zone="us-east-1a"),),
        fargate=FargateConfig(pace=FAST, journal_path=directory / "fargate.jsonl"),
        embedded=request.param == "embedded",
        helper=False,
        early_burst=True,
        flags={"extender": {**marks, "early-room": "3"}},
    )
    async with LocalStack(options, clock=SystemClock()) as started:
        yield started


async def replicas(actors: Actors, space: str, count: int, *, early: bool) -> None:
    """A ReplicaSet `web` of half a core each."""
    template: dict[str, Any] = {
        "metadata": {
            "labels": {"app": "web"},
            "annotations": {names.EARLY: "allowed"} if early else {},
        },
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "python:3.13-slim",
                    "command": ["python3", "-u", "-c", SLEEP],
                    "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
                }
            ],
            "terminationGracePeriodSeconds": 2,
            "automountServiceAccountToken": False,
        },
    }
    selector = {"matchLabels": {"app": "web"}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web"},
        "spec": {"replicas": count, "selector": selector, "template": template},
    }
    await actors.request("POST", f"/apis/apps/v1/namespaces/{space}/replicasets", body)


async def scale(actors: Actors, space: str, count: int) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/replicasets/web"
    merge = "application/merge-patch+json"
    await actors.request("PATCH", path, {"spec": {"replicas": count}}, content_type=merge)


async def seats_are_open(actors: Actors) -> bool:
    return read_early((await actors.virtual_node()).metadata.annotations) is not None


async def seats_are_closed(actors: Actors) -> bool:
    return not await seats_are_open(actors)


async def test_above_the_high_mark_willing_pods_burst_early_and_others_do_not(actors: Actors) -> None:
    willing = await actors.namespace(overflow="enabled")
    await replicas(actors, willing, 3, early=True)
    pods = await actors.until(willing, "three pods on the node", lambda pods: len(running(pods)) == 3)
    assert on_fargate(pods) == []

    other = await actors.namespace(overflow="enabled")
    await replicas(actors, other, 2, early=False)
    await actors.until(other, "two more", lambda pods: len(running(pods)) == 2)
    await actors.until_so("early room", lambda: seats_are_open(actors))

    await scale(actors, willing, 5)
    pods = await actors.until(willing, "five pods to run", lambda pods: len(running(pods)) == 5)
    assert len(on_fargate(pods)) == 2
    await scale(actors, other, 3)
    pods = await actors.until(other, "the third", lambda pods: len(running(pods)) == 3)
    assert on_fargate(pods) == []

    await scale(actors, other, 0)
    await scale(actors, willing, 1)
    await actors.until_so("the room to close", lambda: seats_are_closed(actors))
