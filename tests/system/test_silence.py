"""What would go wrong in silence is told: a webhook that is away, misspelt keys, `kubectl debug`."""

import asyncio
import json
import sys
from typing import Any

import pytest

from app.wiring.local.clusters import EMBEDDED
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.pods import SLEEP, create, python

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def status(actors: Actors) -> dict[str, Any]:
    """What `spillway status` says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "status", "--json", "--kubeconfig", str(actors.stack.kubeconfig)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    said: dict[str, Any] = json.loads(out)
    return said


async def test_a_webhook_that_is_away_is_told_of_while_its_pods_are_there(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    async with actors.without("webhook"):
        await create(actors, space, "bare", python(SLEEP))
    missed = [each for each in (await status(actors))["troubles"] if each["code"] == "WebhookMissed"]
    assert len(missed) == 1
    assert f"{space}/bare" in missed[0]["message"]


async def test_a_misspelt_budget_is_told_in_its_namespace(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.request(
        "PATCH",
        f"/api/v1/namespaces/{space}",
        {"metadata": {"annotations": {"spillway.dev/max-pod": "1"}}},
        content_type="application/merge-patch+json",
    )
    said = await actors.until_told(space, "OverflowKeyNotRead")
    assert "do you mean spillway.dev/max-pods?" in said


async def test_kubectl_debug_is_told_that_no_container_can_be_added(
    actors: Actors, stack: LocalStack
) -> None:
    if stack.kubernetes == EMBEDDED:
        pytest.skip("the embedded API server knows no ephemeral containers")
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "web", python(SLEEP))
    await actors.until(space, "the pod to run", lambda pods: bool(running(pods)))
    debugger = {"name": "debugger-x", "image": "busybox"}
    await actors.request(
        "PATCH",
        f"/api/v1/namespaces/{space}/pods/web/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [debugger]}},
        content_type="application/strategic-merge-patch+json",
    )
    said = await actors.until_told(space, "EphemeralContainersUnsupported")
    assert "use kubectl exec" in said
    [pod] = await actors.until(
        space, "the status", lambda pods: all(each.status.ephemeral_container_statuses for each in pods)
    )
    waiting = pod.status.ephemeral_container_statuses[0]["state"]["waiting"]
    assert waiting["reason"] == "EphemeralContainersUnsupported"
    code, _, err = await actors.kubectl("logs", "-n", space, "web", "-c", "debugger-x")
    assert code == 1
    assert 'container "debugger-x" in pod "web" is waiting to start' in err
