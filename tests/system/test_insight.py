"""`spillway explain` and `spillway status` on a running stack: pods that wait, burst, and are refused."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.extender.insight.life import life_of
from app.model.names import MAX_WAIT, POLICY
from app.wiring.local.programs import NODE
from tests.system.actors import Actors, on_fargate
from tests.system.conftest import ON_REAL
from tests.system.pods import SLEEP

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
LOOP = "CrashLoopBackOff"
ELSEWHERE = {"type": "virtual-kubelet"}


async def spillway(*arguments: str, kubeconfig: Path) -> tuple[int, str, str]:
    """The command as people run it: its exit code, output and complaints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *arguments, "--kubeconfig", str(kubeconfig)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def explained(actors: Actors, pod: str) -> Any:
    _, out, err = await spillway("explain", pod, "--json", kubeconfig=actors.stack.kubeconfig)
    assert not err
    [found] = json.loads(out)["live"]
    return found


async def three_pods(actors: Actors) -> str:
    """A namespace with pods that fit on no real node: one bursts, one waits for an hour, one is refused."""
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "bursts", SLEEP, nodeSelector=ELSEWHERE)
    await actors.pod(space, "waits", SLEEP, nodeSelector=ELSEWHERE, annotations={MAX_WAIT: "1h"})
    await actors.pod(space, "refused", SLEEP, nodeSelector=ELSEWHERE, annotations={MAX_WAIT: "soon"})
    await actors.until(space, "one pod on Fargate", lambda pods: len(on_fargate(pods)) == 1)
    await actors.until_told(space, "OverflowRefused")
    return space


async def test_explain_tells_the_three_apart(actors: Actors) -> None:
    space = await three_pods(actors)
    bursts, waits, refused = [
        await explained(actors, f"{space}/{name}") for name in ("bursts", "waits", "refused")
    ]
    assert (bursts["state"], bursts["node"], bursts["home"]["code"]) == ("on-fargate", NODE, "BarePod")
    assert bursts["price"]["hourly"] > 0
    assert [each["reason"] for each in bursts["said"] if each["by"] == "spillway-extender"] == ["Bursting"]
    assert (waits["state"], waits["maxWait"]) == ("waiting", 3600.0)
    assert [each["code"] for each in waits["reasons"]] == ["MaxWait"]
    assert (refused["state"], [each["code"] for each in refused["reasons"]]) == (
        "refused",
        ["InvalidMaxWait"],
    )
    assert [each["reason"] for each in refused["said"]] == ["OverflowRefused"]


async def test_status_shows_all_three_and_that_all_is_well(actors: Actors) -> None:
    space = await three_pods(actors)
    code, out, err = await spillway("status", "--json", kubeconfig=actors.stack.kubeconfig)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["troubles"], found["assumed"]) == ([], False)
    assert [(each["namespace"], each["pods"]) for each in found["overflow"]] == [(space, 1)]
    assert {each["code"]: each["oldest"] for each in found["waiting"]} == {"MaxWait": f"{space}/waits"}
    assert {each["code"]: each["pods"] for each in found["refused"]} == {"InvalidMaxWait": 1}
    assert found["home"]["staying"][0]["code"] == "BarePod"


async def test_the_screen_names_what_people_look_for(actors: Actors) -> None:
    space = await three_pods(actors)
    code, out, _ = await spillway("status", kubeconfig=actors.stack.kubeconfig)
    assert code == 0
    labels = " ".join(line.split()[0] for line in out.splitlines() if not line.startswith(" "))
    assert labels == "Spillway well gate pressure overflow budgets waiting refused home"
    code, out, _ = await spillway("explain", f"{space}/waits", kubeconfig=actors.stack.kubeconfig)
    assert code == 1
    code, out, _ = await spillway("explain", f"{space}/refused", kubeconfig=actors.stack.kubeconfig)
    assert code == 1
    assert out.startswith(f"Pod {space}/refused: does not burst\n  why ")


@ON_REAL
async def test_without_an_extender_status_ends_with_1_and_says_so(actors: Actors) -> None:
    async with actors.without("extender"):
        await actors.pass_time(30)
        code, out, _ = await spillway("status", kubeconfig=actors.stack.kubeconfig)
    assert code == 1
    assert "TROUBLE   no extender leads" in out


async def test_the_leader_publishes_what_it_decides_by(actors: Actors) -> None:
    node = await actors.until_virtual(lambda node: POLICY in node.metadata.annotations)
    policy = json.loads(node.metadata.annotations[POLICY])
    assert policy["gate"]["preferences"]["by_class"]["test-wait"] == "wait"


async def test_a_broken_kubeconfig_names_the_mend(tmp_path: Path) -> None:
    broken = tmp_path / "kubeconfig"
    broken.write_text("clusters: none")
    for command in (("status",), ("explain", "shop/web-1")):
        code, out, err = await spillway(*command, kubeconfig=broken)
        assert (code, out) == (2, "")
        assert "check that the file is there and that `kubectl cluster-info` works with it" in err
        assert "Traceback" not in err


async def test_a_pod_that_is_not_there_ends_with_2(actors: Actors) -> None:
    code, _, err = await spillway("explain", "default/nobody", kubeconfig=actors.stack.kubeconfig)
    assert code == 2
    assert "kubectl get pods" in err


CRASHES = "raise SystemExit(3)"


async def test_a_crash_loop_is_listed_and_is_no_trouble_of_ours(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "loops", CRASHES, nodeSelector=ELSEWHERE, restartPolicy="Always")
    await actors.until(space, "a crash loop", lambda pods: [life_of(pod).reason for pod in pods] == [LOOP])
    found = await explained(actors, f"{space}/loops")
    assert (found["state"], found["node"], found["life"]["exitCode"]) == ("failing", NODE, 3)
    code, out, _ = await spillway("status", "--json", kubeconfig=actors.stack.kubeconfig)
    seen = json.loads(out)
    assert (code, seen["troubles"]) == (0, [])
    assert {each["code"]: each["oldest"] for each in seen["failing"]} == {LOOP: f"{space}/loops"}


async def test_a_pod_that_asks_for_other_nodes_is_told_so(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "gpu", SLEEP, nodeSelector={"gpu": "yes"})
    await actors.until_told(space, "OverflowRefused")
    found = await explained(actors, f"{space}/gpu")
    assert [each["code"] for each in found["reasons"]] == ["AsksForOtherNodes"]
    assert [each["past"] for each in found["said"]] == [False]
    _, out, _ = await spillway("status", "--json", kubeconfig=actors.stack.kubeconfig)
    assert "AsksForOtherNodes" in {each["code"] for each in json.loads(out)["refused"]}
