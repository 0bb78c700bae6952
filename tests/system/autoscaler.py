"""A stand-in for a cluster autoscaler: some time after it sees Unschedulable pods, there is a new node."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from app.local.kubelets import FakeKubelets, FakeNode
from app.model.pod import Pod, condition
from app.ports.failures import NotFound
from app.timing.waiting import cancelled
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from tests.system.actors import Actors


@contextlib.asynccontextmanager
async def autoscaler(actors: Actors, space: str, node: FakeNode, *, delay: float) -> AsyncIterator[None]:
    """Watches one namespace and adds the node, once; afterwards both are as empty as before."""
    scaling = asyncio.create_task(_scale_up(actors, space, node, delay=delay))
    try:
        yield
    finally:
        await asyncio.gather(*map(actors.delete_by_force, await actors.pods(space)))
        await cancelled(scaling)
        with contextlib.suppress(NotFound):
            await actors.request("DELETE", f"/api/v1/nodes/{node.name}")


async def _scale_up(actors: Actors, space: str, node: FakeNode, *, delay: float) -> None:
    await actors.until(space, "an Unschedulable pod", lambda pods: any(map(is_unschedulable, pods)))
    await actors.pass_time(delay)
    clock = SystemClock()
    parts = kubernetes.parts(actors.stack.connection, clock=clock, component="autoscaler")
    pods = parts.watch_pods()
    kubelets = FakeKubelets(
        (node,), nodes_api=parts.nodes, pods_api=parts.pods, leases=parts.leases, pods=pods, clock=clock
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pods.run())
        tasks.create_task(kubelets.run())


def is_unschedulable(pod: Pod) -> bool:
    """Whether the scheduler found no node for the pod, in the words that autoscalers go by."""
    found = condition(pod, "PodScheduled")
    return found is not None and (found.status, found.reason) == ("False", "Unschedulable")


def on(node: FakeNode, pods: Sequence[Pod]) -> list[Pod]:
    """Those bound to the node."""
    return [pod for pod in pods if pod.spec.node_name == node.name]
