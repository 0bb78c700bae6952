"""`spillway drain`: overflow is brought to an end, nothing is billed any more, and our objects are gone."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.local.processes import Child
from app.model.names import GATE
from app.ports.failures import NotFound
from app.wiring.clock import SystemClock
from app.wiring.local import programs
from tests.system.actors import Actors, on_fargate, on_nodes, running
from tests.system.conftest import ON_REAL
from tests.system.drain_rights import kubeconfig_of_a_drain

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

NODE = f"/api/v1/nodes/{programs.NODE}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
MERGE = "application/merge-patch+json"
ONLY_VIRTUAL = {"type": "virtual-kubelet"}


class Drainer:
    """Runs the command beside a stack, and sets all back in the end."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self._stack = actors.stack

    def command(self, *flags: str, kubeconfig: Path | None = None) -> list[str]:
        """The command line."""
        config = kubeconfig or self._stack.kubeconfig
        return [sys.executable, "-m", "app", "drain", f"--kubeconfig={config}", *flags]

    async def drain(self, *flags: str, kubeconfig: Path | None = None) -> tuple[int, dict[str, Any], str]:
        """Exit code, the JSON object, and what was told meanwhile."""
        process = await asyncio.create_subprocess_exec(
            *self.command("--json", *flags, kubeconfig=kubeconfig),
            env=programs.environment(self._stack.places),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, json.loads(out or b"{}"), err.decode()

    async def start(self, *flags: str) -> Child:
        """The same in the background."""
        return await Child.start(
            "drain",
            self.command(*flags),
            directory=self._stack.options.directory,
            environment=programs.environment(self._stack.places),
        )

    async def undo(self) -> None:
        """Give the node back to its bridge, with an open gate."""
        await self._drop(f"{LEASES}/{programs.NODE}", unless="spillway-drain")
        await self._actors.until_so("the node to be back", self._is_there)
        body = {"metadata": {"annotations": {GATE: None}}, "spec": {"unschedulable": None}}
        await self._actors.request("PATCH", NODE, body, content_type=MERGE)

    async def node_is_gone(self) -> bool:
        """Whether there is no Node."""
        return not await self._is_there()

    async def holder(self) -> str:
        """Who holds the node's Lease; empty where there is none."""
        try:
            return str(
                (await self._actors.request("GET", f"{LEASES}/{programs.NODE}"))["spec"]["holderIdentity"]
            )
        except NotFound:
            return ""

    async def _drop(self, path: str, *, unless: str) -> None:
        if await self.holder() == unless:
            await self._actors.request("DELETE", path)

    async def _is_there(self) -> bool:
        try:
            await self._actors.request("GET", NODE)
        except NotFound:
            return False
        return True


@pytest_asyncio.fixture(loop_scope="session")
async def drainer(actors: Actors) -> AsyncIterator[Drainer]:
    """The command; the stack is as before afterwards."""
    acting = Drainer(actors)
    yield acting
    await acting.undo()


async def a_burst(actors: Actors, *, replicas: int = 12) -> str:
    """A namespace with a Deployment that fills the two nodes and bursts with the rest."""
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=replicas)
    pods = await actors.until(space, f"{replicas} running pods", lambda pods: len(running(pods)) == replicas)
    assert len(on_fargate(pods)) == replicas - 8
    return space


async def test_after_a_drain_no_task_is_left_and_pods_are_pending_or_at_home(
    drainer: Drainer, actors: Actors
) -> None:
    space = await a_burst(actors)
    code, told, lines = await drainer.drain("--successor-wait=2s")
    assert (code, told["nothingLeft"], told["proven"], told["evicted"]) == (0, True, True, 4), lines
    assert actors.truth().left == 0
    pods = await actors.pods(space)
    assert on_fargate(pods) == []
    assert len(on_nodes(running(pods))) == 8
    node = await actors.virtual_node()
    assert (node.metadata.annotations[GATE], node.spec.unschedulable) == ("closed", True)
    code, again, lines = await drainer.drain()
    assert (code, again) == (0, {**told, "evicted": 0}), lines


async def test_pods_go_home_one_after_another_where_nodes_have_room(drainer: Drainer, actors: Actors) -> None:
    filler = await actors.namespace(overflow="disabled")
    await actors.deployment(filler, replicas=8)
    await actors.until(filler, "8 running pods", lambda pods: len(running(pods)) == 8)
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=3)
    await actors.until(space, "3 on Fargate", lambda pods: len(on_fargate(running(pods))) == 3)
    await actors.scale(filler, 0)
    await actors.until(filler, "no pod", lambda pods: not pods)
    code, told, lines = await drainer.drain()
    assert (code, told["evicted"]) == (0, 3), lines
    # The last one is asked to leave, and its next one is not waited for: nobody leaves after it.
    await actors.until(space, "3 at home", lambda pods: len(on_nodes(running(pods))) == 3)


async def test_nodes_and_leases_are_gone_though_the_bridge_still_runs(
    drainer: Drainer, actors: Actors
) -> None:
    await a_burst(actors, replicas=10)
    code, told, lines = await drainer.drain("--delete-nodes", "--successor-wait=1s")
    assert (code, told["removed"]["nodes"]) == (0, [programs.NODE]), lines
    await actors.pass_time(15)
    assert (await drainer.node_is_gone(), await drainer.holder()) == (True, "spillway-drain")
    await actors.stop_program("bridge")
    try:
        code, told, lines = await drainer.drain("--delete-nodes", "--after-uninstall")
        assert code == 0, lines
        assert f"kube-node-lease/{programs.NODE}" in told["removed"]["leases"]
        assert (await drainer.node_is_gone(), await drainer.holder(), actors.truth().left) == (True, "", 0)
    finally:
        await actors.stack.start_program("bridge")
        await actors.stack.until_ready("bridge")


async def test_a_bridge_that_was_said_to_be_gone_and_still_runs_is_named(
    drainer: Drainer, actors: Actors
) -> None:
    keeper = await drainer.holder()
    code, told, lines = await drainer.drain("--delete-nodes", "--after-uninstall", "--skip-aws")
    assert (code, [each["reason"] for each in told["left"]]) == (1, ["ComesBack"]), lines
    assert keeper in told["left"][0]["message"]
    await actors.pass_time(15)
    assert (await drainer.node_is_gone(), await drainer.holder()) == (True, "spillway-drain")


async def test_who_opens_the_gate_again_and_again_is_named(drainer: Drainer, actors: Actors) -> None:
    async def meddle() -> None:
        body = {"metadata": {"annotations": {GATE: "auto"}}, "spec": {"unschedulable": None}}
        while True:
            await actors.request("PATCH", NODE, body, content_type=MERGE)
            await asyncio.sleep(0.5)

    meddling = asyncio.ensure_future(meddle())
    try:
        code, told, lines = await drainer.drain("--skip-aws", "--timeout=6s")
    finally:
        meddling.cancel()
        await asyncio.gather(meddling, return_exceptions=True)
    assert (code, [each["reason"] for each in told["left"]]) == (1, ["GateReopened"]), lines
    assert f"{GATE} says auto (written by " in told["left"][0]["message"]


@ON_REAL
async def test_the_rights_that_the_chart_gives_are_enough(drainer: Drainer, actors: Actors) -> None:
    space = await a_burst(actors, replicas=10)
    account = await kubeconfig_of_a_drain(actors, space)
    code, told, lines = await drainer.drain(
        "--delete-nodes", "--force", "--successor-wait=1s", kubeconfig=account
    )
    assert (code, told["proven"], told["evicted"]) == (0, True, 2), lines
    assert "forbidden" not in lines
    after = ("--delete-nodes", "--after-uninstall", "--skip-aws")
    async with actors.without("bridge"):
        code, told, lines = await drainer.drain(*after, kubeconfig=account)
    assert (code, "spillway/spillway-gate" in told["removed"]["leases"]) == (0, True), lines


async def test_stopped_in_the_middle_it_leaves_the_gate_closed_and_says_how_to_go_on(
    drainer: Drainer, actors: Actors
) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "bare", "import time; time.sleep(600)", nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "it to run", lambda pods: len(on_fargate(running(pods))) == 1)
    running_drain = await drainer.start()
    await actors.until_so("the gate to be closed", lambda: _is_cordoned(actors))
    await running_drain.stop(clock=SystemClock())
    said = running_drain.log.read_text()
    assert running_drain.exit_code == 130, said
    assert "the gate stays closed. Go on: run the same command again." in said
    assert f"kubectl uncordon {programs.NODE}" in said
    assert await _is_cordoned(actors)


async def test_where_ecs_cannot_be_asked_it_says_what_it_could_not_prove(
    drainer: Drainer, actors: Actors
) -> None:
    code, told, lines = await drainer.drain("--dry-run", "--ecs-cluster=nowhere")
    assert (code, told["proven"], told["unproven"] != "") == (1, False, True), lines
    code, told, lines = await drainer.drain("--dry-run", "--skip-aws")
    assert (code, [each["reason"] for each in told["left"]]) == (1, ["GateOpen"]), lines
    assert not (await actors.virtual_node()).spec.unschedulable


async def test_what_a_budget_holds_is_named_and_goes_with_force(drainer: Drainer, actors: Actors) -> None:
    space = await a_burst(actors, replicas=9)
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all"},
        "spec": {"minAvailable": 9, "selector": {"matchLabels": {"app": "web"}}},
    }
    await actors.request("POST", f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets", budget)
    code, told, lines = await drainer.drain("--timeout=10s", "--delete-nodes")
    assert (code, [(each["kind"], each["reason"]) for each in told["left"] if each["kind"] == "pod"]) == (
        1,
        [("pod", "HeldByBudget")],
    ), lines
    assert "disruption budget all" in told["left"][0]["message"]
    assert not await drainer.node_is_gone()
    code, told, lines = await drainer.drain("--timeout=4s", "--force")
    assert (code, told["left"], actors.truth().left) == (0, [], 0), lines


async def test_a_bare_pod_is_named_until_somebody_says_that_it_may_end(
    drainer: Drainer, actors: Actors
) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.pod(space, "bare", "import time; time.sleep(600)", nodeSelector=ONLY_VIRTUAL)
    await actors.until(space, "it to run", lambda pods: len(on_fargate(running(pods))) == 1)
    code, told, lines = await drainer.drain("--timeout=2s")
    named = [(each["name"], each["reason"]) for each in told["left"] if each["kind"] == "pod"]
    assert (code, named) == (1, [(f"{space}/bare", "BarePod")]), lines
    code, told, lines = await drainer.drain("--stop-bare-pods")
    assert (code, told["left"], actors.truth().left) == (0, [], 0), lines


async def test_a_drain_that_was_killed_is_ended_by_the_next(drainer: Drainer, actors: Actors) -> None:
    await a_burst(actors, replicas=14)
    first = await drainer.start("--at-once=1", "--successor-wait=2s")
    await actors.until_so("the first task to stop", lambda: _stopped_one(actors))
    await first.kill()
    assert actors.truth().left > 0
    code, told, lines = await drainer.drain("--successor-wait=1s")
    assert (code, told["proven"], actors.truth().left) == (0, True, 0), lines


async def test_without_a_bridge_force_ends_pods_and_their_tasks(drainer: Drainer, actors: Actors) -> None:
    space = await a_burst(actors, replicas=10)
    async with actors.without("bridge"):
        code, told, lines = await drainer.drain("--timeout=8s")
        assert (code, "Leaving" in {each["reason"] for each in told["left"]}) == (1, True), lines
        code, told, lines = await drainer.drain("--timeout=1s", "--kill-after=3s", "--force")
        assert (code, told["left"], actors.truth().left) == (0, [], 0), lines
    assert on_fargate(await actors.pods(space)) == []


async def _is_cordoned(actors: Actors) -> bool:
    return (await actors.virtual_node()).spec.unschedulable


async def _stopped_one(actors: Actors) -> bool:
    return actors.truth().left < 6
