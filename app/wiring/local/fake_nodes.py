"""The real nodes of a local stack, which are fake: their pods count as running."""

import asyncio

from app.kube.connection import Connection
from app.local.kubelets import FakeKubelets, FakeNode
from app.ports.clock import Clock
from app.wiring import kubernetes


def started(nodes: tuple[FakeNode, ...], connection: Connection, *, clock: Clock) -> list[asyncio.Task[None]]:
    """Their kubelets, at work in tasks that the caller cancels."""
    parts = kubernetes.parts(connection, clock=clock, component="fake-kubelet")
    pods = parts.watch_pods()
    kubelets = FakeKubelets(
        nodes,
        nodes_api=parts.nodes,
        pods_api=parts.pods,
        leases=parts.leases,
        pods=pods,
        clock=clock,
    )
    return [asyncio.create_task(pods.run()), asyncio.create_task(kubelets.run())]
