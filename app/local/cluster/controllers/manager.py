"""All controllers of the embedded cluster, as one task: its kube-controller-manager."""

import asyncio

from app.local.cluster.api import Api
from app.local.cluster.controllers.daemon_sets import DaemonSets
from app.local.cluster.controllers.deployments import Deployments
from app.local.cluster.controllers.garbage import GarbageCollector
from app.local.cluster.controllers.node_lifecycle import NodeLifecycle
from app.local.cluster.controllers.pod_gc import PodGarbage
from app.local.cluster.controllers.replica_sets import ReplicaSets
from app.ports.clock import Clock


class ControllerManager:
    """Deployments, ReplicaSets, DaemonSets, garbage collection, nodes and their orphaned pods."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._controllers = (
            Deployments(api, clock=clock),
            ReplicaSets(api, clock=clock),
            DaemonSets(api, clock=clock),
            GarbageCollector(api, clock=clock),
            NodeLifecycle(api, clock=clock),
            PodGarbage(api, clock=clock),
        )

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            for controller in self._controllers:
                group.create_task(controller.run())
