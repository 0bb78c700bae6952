"""ECS's events reach the bridge through the queue."""

import re

import pytest

from app.local.http_client import HttpClient
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def heard(stack: LocalStack) -> float:
    """How many events have been news to the bridge."""
    client = HttpClient(f"http://127.0.0.1:{stack.places.probe_port}", timeout=5.0)
    text = (await client.request("GET", "/metrics")).body.decode()
    await client.close()
    found = re.search(r'spillway_bridge_task_events_total\{kind="news"\} (\S+)', text)
    return float(found[1]) if found else 0.0


async def test_the_bridge_hears_of_its_tasks(stack: LocalStack, actors: Actors) -> None:
    before = await heard(stack)
    space = await actors.namespace(overflow="permitted")
    only = {"spillway.dev/overflow": "required"}
    await actors.pod(space, "only", "import time; time.sleep(600)", labels=only)
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    await actors.request("DELETE", f"/api/v1/namespaces/{space}/pods/only")

    async def told() -> bool:
        return await heard(stack) > before

    await stack.until("news from the queue", told)
