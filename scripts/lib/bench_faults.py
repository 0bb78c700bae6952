"""Whether the bridge stays truthful while everything goes wrong: a campaign of at most three minutes.

The bridge runs as its own process, against the embedded API server and an embedded Fargate that loses
answers, fails calls, refuses capacity and takes Spot tasks back; meanwhile the bridge is killed, again and
again. Then the storm ends, and what the pods say is compared with Fargate's journal, by an oracle that knows
nothing of the bridge.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from app.local.fargate.config import FAST, FargateConfig
from app.local.fargate.faults.orders import Fault
from app.local.fargate.faults.outcomes import outcome
from app.local.fargate.journal import Entry
from app.local.fargate.oracle.history import histories
from app.local.fargate.oracle.tally import orphans, tally
from app.local.fargate.oracle.truthfulness import untruthful
from app.local.fargate.running.simulated import SCRIPT_VARIABLE
from app.model.names import CAPACITY, ENABLED, OVERFLOW
from app.ports.clock import Clock
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.programs import NODE
from app.wiring.local.stack import LocalStack

NAMESPACE: Final = "bench"
PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
LONGEST: Final = 175.0
"""Seconds that the whole campaign may take."""

LOST_ANSWERS: Final = 0.2
FAILED_CALLS: Final = 0.1
REFUSED_CAPACITY: Final = 0.3
INTERRUPTED: Final = 0.1
"""The share of running Spot tasks that each round of interruptions ends."""

ROUGH: Final = (
    Fault(operation="ListTasks", kind="partial", share=0.3, probability=0.3, seed=11),
    Fault(operation="DescribeTasks", kind="partial", share=0.1, probability=0.2, seed=12),
    Fault(operation="RunTask", kind="foreign-container", probability=0.1, seed=13),
    Fault(operation="RunTask", kind="no-spot-capacity", probability=0.2, seed=14),
    Fault(operation="RunTask", kind="retirement", probability=0.03, seed=15, seconds=10),
    Fault(operation="RunTask", kind="infrastructure-health", probability=0.03, seed=16, seconds=10),
    Fault(operation="RunTask", kind="user-stop", probability=0.03, seed=17, seconds=10),
    outcome("throttled-by-ec2", probability=0.05, seed=19),
    outcome("vcpu-limit", probability=0.05, seed=20),
)
"""What `--rough` adds: partial answers, foreign containers, tasks that AWS or a user stops.

Not `vanish`: that a task is MISSING proves nothing for five minutes, longer than the campaign lasts.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

_LOOK: Final = 0.5
_DELETED: Final = 5
"""Every fifth pod is deleted in the middle of the storm."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of pod, and how many of twenty are of it."""

    name: str
    policy: str
    script: dict[str, Any]
    capacity: str = "on-demand"
    weight: int


KINDS: Final = (
    Kind(name="spot", policy="Always", script={}, capacity="spot-first", weight=7),
    Kind(name="worker", policy="Always", script={}, weight=5),
    Kind(name="done", policy="Never", script={"run_seconds": 5}, weight=3),
    Kind(name="failed", policy="Never", script={"run_seconds": 5, "exit_code": 3}, weight=2),
    Kind(name="memory", policy="Never", script={"run_seconds": 5, "oom": True}, weight=1),
    Kind(name="again", policy="OnFailure", script={"run_seconds": 5, "exit_code": 4}, weight=2),
)


_MIX: Final = tuple(itertools.chain.from_iterable(itertools.repeat(kind, kind.weight) for kind in KINDS))


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark prints; `duplicates`, `orphans`, `untruthful` and `unlaunched` are to be 0.

    Attributes:
        seconds: from the first pod until nothing was untrue any more, or the time was over.
        launches, interrupted: tasks that were launched, and Spot tasks that were taken back.
        unlaunched: pods that live and never had a task.
    """

    pods: int
    kills: int
    lost_answers: int
    duplicates: int
    orphans: int
    untruthful: int
    seconds: float
    launches: int
    interrupted: int
    unlaunched: int


@dataclass(kw_only=True)
class Campaign:
    """One run against a stack that is up."""

    stack: LocalStack
    clock: Clock
    pods: int
    kills: int
    rough: bool
    chance: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311  (the same each time)
    killed: int = 0
    interrupted: int = 0

    async def run(self) -> Result:
        """Create the pods, let the storm rage, and wait for calm."""
        began = self.clock.steady()
        self._order_faults()
        await asyncio.gather(*(self._create(index) for index in range(self.pods)))
        raging = asyncio.create_task(self._interrupt())
        await self._kill_and_delete()
        raging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await raging
        self.stack.fargate.faults.clear()
        print("the storm is over")
        end = await self._calm(began + LONGEST)
        for each in end.untruths[:20]:
            print(f"untrue: {each.pod}: {each.about}: said {each.said}; true is {each.true}")
        return self._result(end, seconds=self.clock.steady() - began)

    def _order_faults(self) -> None:
        faults = self.stack.fargate.faults
        faults.add(Fault(operation="*", kind="timeout-after-effect", probability=LOST_ANSWERS, seed=1))
        faults.add(Fault(operation="*", kind="error", probability=FAILED_CALLS, seed=2))
        faults.add(outcome("no-capacity", probability=REFUSED_CAPACITY, seed=3))
        for fault in ROUGH if self.rough else ():
            faults.add(fault)

    async def _kill_and_delete(self) -> None:
        pause = min(60.0, LONGEST / 3) / max(self.kills, 1)
        for number in range(self.kills):
            await self.clock.sleep(pause)
            await self.stack.kill_program("bridge")
            await self.stack.start_program("bridge")
            self.killed += 1
            if number == self.kills // 2:
                await asyncio.gather(*(self._delete(index) for index in range(0, self.pods, _DELETED)))
        await self.clock.sleep(pause)

    async def _interrupt(self) -> None:
        interruptions = self.stack.fargate.interruptions
        while True:
            await self.clock.sleep(3.0)
            for arn in interruptions.spot_tasks():
                if self.chance.random() < INTERRUPTED:
                    interruptions.interrupt_spot(arn)
                    self.interrupted += 1

    async def _calm(self, deadline: float) -> "End":
        """What is wrong: nothing as soon as nothing is, else what there is at the deadline."""
        while True:
            end = End(pods=await self._pods(), entries=tuple(self.stack.fargate.journal.since()))
            if end.is_well or self.clock.steady() > deadline:
                return end
            await self.clock.sleep(_LOOK)

    def _result(self, end: "End", *, seconds: float) -> Result:
        counts = tally(end.entries)
        return Result(
            pods=self.pods,
            kills=self.killed,
            lost_answers=counts.lost_answers,
            duplicates=counts.duplicates,
            orphans=len(end.orphans),
            untruthful=len({each.uid for each in end.untruths}),
            seconds=round(seconds, 1),
            launches=counts.launches,
            interrupted=self.interrupted,
            unlaunched=len(end.unlaunched),
        )

    async def _pods(self) -> list[dict[str, Any]]:
        data = await self.stack.connection.request("GET", PODS)
        items: list[dict[str, Any]] = msgspec.json.decode(data)["items"]
        return items

    async def _create(self, index: int) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": f"pod-{index}"},
            "target": target,
        }
        await self.stack.connection.request("POST", PODS, body=_pod(index, _MIX[index % len(_MIX)]))
        await self.stack.connection.request("POST", f"{PODS}/pod-{index}/binding", body=binding)

    async def _delete(self, index: int) -> None:
        await self.stack.connection.request("DELETE", f"{PODS}/pod-{index}")


class End:
    """The pods and the journal at one moment, and what is wrong with them."""

    def __init__(self, *, pods: Sequence[dict[str, Any]], entries: Sequence[Entry]) -> None:
        uids = {each["metadata"]["uid"] for each in pods}
        self.entries = entries
        self.untruths = untruthful(pods, entries)
        self.orphans = orphans(entries, pods=uids)
        self.unlaunched = uids - histories(entries).keys()

    @property
    def is_well(self) -> bool:
        """Whether every pod has had its task and tells the truth, and no task is without a pod."""
        return not (self.untruths or self.orphans or self.unlaunched)


def _pod(index: int, kind: Kind) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "simulated/worker:1",
        "command": ["work"],
        "env": [{"name": SCRIPT_VARIABLE, "value": msgspec.json.encode(kind.script).decode()}],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"pod-{index}",
            "labels": {"kind": kind.name},
            "annotations": {CAPACITY: kind.capacity},
        },
        "spec": {
            "schedulerName": "bench",
            "restartPolicy": kind.policy,
            "containers": [container],
            "terminationGracePeriodSeconds": 2,
        },
    }


async def bench(pods: int, *, kills: int, rough: bool, directory: Path) -> Result:
    """Run the campaign on a stack of its own."""
    clock = SystemClock()
    options = LocalOptions(
        directory=directory,
        nodes=(),
        fargate=FargateConfig(pace=FAST, simulate_all=True),
        embedded=True,
        programs=("bridge",),
    )
    async with LocalStack(options, clock=clock, progress=print) as stack:
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {OVERFLOW: ENABLED}},
        }
        await stack.connection.request("POST", "/api/v1/namespaces", body=body)
        return await Campaign(stack=stack, clock=clock, pods=pods, kills=kills, rough=rough).run()


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench faults", description=__doc__)
    parser.add_argument("--pods", type=int, default=300, help="how many pods (default 300)")
    parser.add_argument("--kills", type=int, default=10, help="how often the bridge is killed (default 10)")
    parser.add_argument("--rough", action="store_true", help="and everything else that AWS may do")
    arguments = parser.parse_args()
    logs.configure(level="error", as_json=False)
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as directory:
        result = asyncio.run(
            bench(arguments.pods, kills=arguments.kills, rough=arguments.rough, directory=Path(directory))
        )
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
