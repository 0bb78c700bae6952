"""All controllers of the embedded cluster, as one task: its kube-controller-manager."""

import asyncio
from typing import Protocol

from app.local.cluster.apiserver.api import Api
from app.local.cluster.controllers.claim_binding import ClaimBinding
from app.local.cluster.controllers.daemon_sets import DaemonSets
from app.local.cluster.controllers.deployments import Deployments
from app.local.cluster.controllers.garbage import GarbageCollector
from app.local.cluster.controllers.node_lifecycle import NodeLifecycle
from app.local.cluster.controllers.pod_gc import PodGarbage
from app.local.cluster.controllers.replica_sets import ReplicaSets
from app.ports.clock import Clock
from app.telemetry import logs

_RESTART = 1.0

log = logs.get(__name__)


class Controller(Protocol):
    """One control loop. What it watches begins anew with each run, so a run may follow a broken one."""

    async def run(self) -> None:
        """Control until cancelled."""
        ...


class ControllerManager:
    """Deployments, ReplicaSets, DaemonSets, garbage collection, nodes and their orphaned pods, claims."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._clock = clock
        self._controllers: tuple[Controller, ...] = (
            Deployments(api, clock=clock),
            ReplicaSets(api, clock=clock),
            DaemonSets(api, clock=clock),
            GarbageCollector(api, clock=clock),
            NodeLifecycle(api, clock=clock),
            PodGarbage(api, clock=clock),
            ClaimBinding(api, clock=clock),
        )

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as group:
            for controller in self._controllers:
                group.create_task(self._keep_running(controller))

    async def _keep_running(self, controller: Controller) -> None:
        while True:
            try:
                await controller.run()
            except Exception:
                # A mistake of ours in one controller must not stop the others; it is told, and begins anew.
                log.exception("a controller broke and begins anew", controller=type(controller).__name__)
            await self._clock.sleep(_RESTART)
