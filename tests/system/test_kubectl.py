"""What people see through kubectl: logs, exit codes, warnings, graceful ends."""

import asyncio
import json
import shutil

import pytest

from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.pods import ended

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH"),
]
ONLY_VIRTUAL = {"type": "virtual-kubelet"}
TEN_LINES = "for n in range(10): print('line', n)"


async def ended_pod(actors: Actors, script: str, *, phase: str) -> str:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "job", script, nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, f"phase {phase}", lambda pods: pods[0].status.phase == phase)
    return space


async def test_logs_of_an_ended_pod_hold_every_line_once(actors: Actors) -> None:
    space = await ended_pod(actors, TEN_LINES, phase="Succeeded")
    code, out, err = await actors.kubectl("logs", "-n", space, "job")
    assert (code, out.splitlines()) == (0, [f"line {n}" for n in range(10)]), err


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        pytest.param("3", ["line 7", "line 8", "line 9"], id="three"),
        pytest.param("0", [], id="none"),
        pytest.param("99", [f"line {n}" for n in range(10)], id="more than there are"),
    ],
)
async def test_tail_gives_the_last_lines(actors: Actors, tail: str, expected: list[str]) -> None:
    space = await ended_pod(actors, TEN_LINES, phase="Succeeded")
    _, out, err = await actors.kubectl("logs", "-n", space, "job", f"--tail={tail}")
    assert out.splitlines() == expected, err


async def test_following_shows_lines_as_they_come_and_ends_with_the_container(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    script = "import time\nfor n in range(20): print('line', n); time.sleep(0.2)"
    await actors.pod(space, "job", script, nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    async with asyncio.timeout(60):
        code, out, err = await actors.kubectl("logs", "-f", "-n", space, "job")
    assert (code, out.splitlines()) == (0, [f"line {n}" for n in range(20)]), err


async def test_previous_shows_the_run_that_ended_before(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    script = """
import os
attempt = int(os.environ.get("SPILLWAY_ATTEMPT", "1"))
print("attempt", attempt)
raise SystemExit(0 if attempt > 1 else 3)
"""
    await actors.pod(space, "job", script, nodeSelector=ONLY_VIRTUAL, restartPolicy="OnFailure")
    await actors.until(space, "the second run", ended)
    logs = ("logs", "-n", space, "job")
    assert await actors.kubectl(*logs) == (0, "attempt 2\n", "")
    assert await actors.kubectl(*logs, "--previous") == (0, "attempt 1\n", "")


async def test_a_pod_that_was_never_restarted_has_no_previous_log(actors: Actors) -> None:
    space = await ended_pod(actors, TEN_LINES, phase="Succeeded")
    code, _, err = await actors.kubectl("logs", "-n", space, "job", "--previous")
    assert code == 1
    assert 'previous terminated container "main" in pod "job" not found' in err


async def test_a_failed_pod_says_its_exit_code(actors: Actors) -> None:
    space = await ended_pod(actors, "import sys; sys.exit(7)", phase="Failed")
    [pod] = await actors.pods(space)
    terminated = pod.status.container_statuses[0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (7, "Error")


async def test_an_unknown_container_is_named_in_the_error(actors: Actors) -> None:
    space = await ended_pod(actors, TEN_LINES, phase="Succeeded")
    code, _, err = await actors.kubectl("logs", "-n", space, "job", "-c", "nobody")
    assert code == 1
    assert "nobody" in err


async def test_a_pod_that_fargate_cannot_run_is_admitted_with_every_reason(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "special", "namespace": space},
        "spec": {
            "hostNetwork": True,
            "volumes": [{"name": "data", "hostPath": {"path": "/var"}}],
            "containers": [{"name": "main", "image": "busybox", "securityContext": {"privileged": True}}],
        },
    }
    code, _, err = await actors.kubectl_apply(json.dumps(body))
    assert code == 0, err
    assert all(word in err for word in ("hostNetwork", "hostPath", "securityContext")), err


async def test_deleting_a_pod_gives_it_time_to_end_by_itself(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('goodbye'), sys.exit(0)))\n"
        "print('hello')\nwhile True: time.sleep(0.1)"
    )
    await actors.pod(space, "polite", script, nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "the pod to run", lambda pods: len(running(pods)) == 1)
    follower = asyncio.create_task(actors.kubectl("logs", "-f", "-n", space, "polite"))
    await actors.pass_time(2)
    code, _, err = await actors.kubectl("delete", "pod", "-n", space, "polite")
    assert code == 0, err
    _, out, _ = await follower
    assert out.splitlines() == ["hello", "goodbye"]


async def test_describe_shows_the_virtual_node_and_its_taint(actors: Actors) -> None:
    code, out, err = await actors.kubectl("describe", "node", "fargate")
    assert code == 0, err
    assert "virtual-kubelet.io/provider=fargate:NoSchedule" in out


async def test_a_token_volume_is_told_in_an_event_only_where_it_is_left_out(
    stack: LocalStack, actors: Actors
) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "job", TEN_LINES, nodeSelector=ONLY_VIRTUAL, automountServiceAccountToken=True)
    await actors.until(space, "the end", lambda pods: pods[0].status.phase == "Succeeded")
    messages = [message for _, message in await actors.events(space)]
    assert any("kube-api-access" in message for message in messages) is not stack.has_helper, messages
