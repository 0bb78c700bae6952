"""The real nodes of a local stack, which are fake: their pods count as running."""

import asyncio

from app.kube.connection import Connection
from app.local.kubelets import FakeKubelets, FakeNode
from app.ports.clock import Clock
from app.wiring import kubernetes
from app.wiring.local.options import LocalStackError


class FakeNodes:
    """Their kubelets, at work from start to stop."""

    def __init__(self, nodes: tuple[FakeNode, ...], *, clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, connection: Connection) -> None:
        """Set them to work; nothing where there is no node."""
        if not self._nodes:
            return
        parts = kubernetes.parts(connection, clock=self._clock, component="fake-kubelet")
        pods = parts.watch_pods()
        kubelets = FakeKubelets(
            self._nodes,
            nodes_api=parts.nodes,
            pods_api=parts.pods,
            leases=parts.leases,
            pods=pods,
            clock=self._clock,
        )
        self._tasks = [asyncio.create_task(pods.run()), asyncio.create_task(kubelets.run())]

    def check(self) -> None:
        """Raise LocalStackError where they have stopped by themselves."""
        for task in self._tasks:
            if task.done():
                raise LocalStackError(f"the fake nodes stopped: {task.exception()!r}")

    async def stop(self) -> None:
        """End their work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
