"""The node: registered and kept Ready; each pod that is bound to it gets a life of its own."""

import asyncio
import itertools
from pathlib import Path
from typing import Final

from app.local.kubelet_objects import FakeNode, node_manifest, status_manifest
from app.ports.clock import Clock
from app.timing.waiting import cancelled
from app.wiring.kubernetes import Parts
from tests.system.machine.cluster import Cluster, Json
from tests.system.machine.container import Place
from tests.system.machine.life import Life

NAME: Final = "machine"
LABEL: Final = {"spillway.test/machine": "this"}
TAINT: Final = {"key": "spillway.test/machine", "value": "this", "effect": "NoSchedule"}
"""Only pods that name both run here."""

_LOOK: Final = 0.2


class Machine:
    """`run` it in a task; pods get addresses of `block` (a /16 of loopback, as `held_block` gives one)."""

    def __init__(self, *, parts: Parts, place: Place, directory: Path, block: str, clock: Clock) -> None:
        self._parts = parts
        self._cluster = Cluster(parts.connection)
        self._place = place
        self._directory = directory
        self._clock = clock
        self._prefix = block.removesuffix(".0.0/16")
        self._numbers = itertools.count(1)
        self._lives: dict[str, Life] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}

    @property
    def restarts(self) -> int:
        """How many containers ended that should have gone on."""
        return sum(life.restarts for life in self._lives.values())

    def log(self, pod: str) -> str:
        """What pods whose name begins so have printed."""
        return "".join(path.read_text() for path in sorted(self._directory.glob(f"{pod}*/*/*.log")))

    async def run(self) -> None:
        """Serve its pods until cancelled; what runs then is ended."""
        fake = FakeNode(name=NAME, cpu="16", memory="64Gi")
        manifest = node_manifest(fake)
        manifest["metadata"]["labels"] |= LABEL
        node = await self._parts.nodes.create({**manifest, "spec": {"taints": [TAINT]}})
        await self._parts.nodes.apply_status(status_manifest(fake, now=self._clock.now()), manager=NAME)
        beats = 0.0
        try:
            while True:
                if self._clock.steady() > beats:
                    beats = self._clock.steady() + 10
                    await self._parts.leases.renew(
                        "kube-node-lease", NAME, holder=NAME, seconds=40, owner=node
                    )
                for pod in await self._cluster.pods(fieldSelector=f"spec.nodeName={NAME}"):
                    self._see(pod)
                self._check()
                await self._clock.sleep(_LOOK)
        finally:
            await cancelled(*self._leaving.values(), *self._tasks.values())

    def _see(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._lives:
            self._lives[uid] = self._born(pod)
            self._tasks[uid] = asyncio.create_task(self._lives[uid].run())
        elif "deletionTimestamp" in pod["metadata"] and uid not in self._leaving:
            self._leaving[uid] = asyncio.create_task(self._leave(pod))

    def _born(self, pod: Json) -> Life:
        number = next(self._numbers)
        return Life(
            pod,
            address=f"{self._prefix}.{number // 250}.{number % 250 + 2}",
            directory=self._directory / pod["metadata"]["name"] / str(number),
            place=self._place,
            cluster=self._cluster,
            clock=self._clock,
        )

    async def _leave(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if not self._tasks[uid].done():
            await self._lives[uid].leave()
            await cancelled(self._tasks[uid])
        await self._cluster.remove(pod)

    def _check(self) -> None:
        for task in (*self._tasks.values(), *self._leaving.values()):
            if task.done() and not task.cancelled():
                task.result()
