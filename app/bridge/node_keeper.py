"""Keeps the virtual node registered, Ready and leased while we run, whether or not ECS answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from app.bridge import node_object
from app.bridge.config import NodeConfig
from app.bridge.gate_watch import GateWatch
from app.model.names import BRIDGE_MANAGER
from app.model.node import Node, is_ready
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure
from app.ports.kubernetes import Leases, Nodes
from app.telemetry import logs

log = logs.get(__name__)


class NodeKeeper:
    """Node, status and Lease, as a kubelet keeps its own."""

    def __init__(
        self,
        nodes: Nodes,
        leases: Leases,
        *,
        clock: Clock,
        config: NodeConfig,
        bound: Callable[[], Iterable[Pod]],
    ) -> None:
        self._nodes = nodes
        self._leases = leases
        self._clock = clock
        self._config = config
        self._gate = GateWatch(nodes, leases, clock=clock, config=config, bound=bound)
        self._registered = asyncio.Event()
        self._status_due = 0.0

    async def registered(self) -> None:
        """Return once the node exists and is leased."""
        await self._registered.wait()

    async def run(self) -> None:
        """Work until cancelled; survives every failure of Kubernetes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self.keep, self._config.lease_period))
            await self._registered.wait()
            group.create_task(self._repeat(self._gate.check, self._config.gate_period))

    async def keep(self) -> None:
        """One round: see that the node is there, well reported, and leased.

        Raises:
            PortFailure: a request failed; the next round makes up for it.
        """
        node = await self._node()
        if not self._registered.is_set() or not is_ready(node):
            self._status_due = self._clock.steady()
        if self._clock.steady() >= self._status_due:
            body = node_object.status_body(self._config, node=node, now=self._clock.now())
            await self._nodes.apply_status(body, manager=BRIDGE_MANAGER)
            self._status_due = self._clock.steady() + self._config.status_period
        await self._leases.renew(
            node_object.NODE_LEASES,
            self._config.name,
            holder=self._config.lease_holder,
            seconds=self._config.lease_seconds,
            owner=node,
        )
        self._registered.set()

    async def _node(self) -> Node:
        """The node; made anew where it is gone, and closed when met for the first time.

        Nobody knows at that moment whether the gate is minded; if it is, it opens the node again at once.
        """
        try:
            node = await self._nodes.get(self._config.name)
        except NotFound:
            return await self._create()
        if not self._registered.is_set():
            body = node_object.metadata_body(self._config, node)
            node = await self._nodes.apply(body, manager=BRIDGE_MANAGER)
            await self._gate.close()
        return node

    async def _create(self) -> Node:
        log.info("registering the virtual node", node=self._config.name)
        self._status_due = self._clock.steady()
        try:
            return await self._nodes.create(node_object.manifest(self._config, now=self._clock.now()))
        except Conflict:
            return await self._nodes.get(self._config.name)

    async def _repeat(self, work: Callable[[], Awaitable[None]], period: float) -> None:
        while True:
            try:
                await work()
            except PortFailure as failure:
                log.warning("Kubernetes does not answer", node=self._config.name, error=str(failure))
            await self._clock.sleep(period)
