"""Keeps the virtual node registered, Ready and leased while we run, whether or not ECS answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from app.bridge.config import NodeConfig
from app.bridge.node import manifest as node_object
from app.bridge.node.gate_watch import GateWatch
from app.bridge.node.lease import NodeLease
from app.model.names import BRIDGE_MANAGER
from app.model.node import Node, is_ready
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure
from app.ports.kubernetes import Leases, Nodes
from app.telemetry import logs

log = logs.get(__name__)


class NodeKeeper:
    """Node, status and Lease, as a kubelet keeps its own; while the Lease is another bridge's, it waits."""

    def __init__(
        self,
        nodes: Nodes,
        leases: Leases,
        *,
        clock: Clock,
        config: NodeConfig,
        lease: NodeLease,
        bound: Callable[[], Iterable[Pod]],
    ) -> None:
        self._nodes = nodes
        self._clock = clock
        self._config = config
        self._lease = lease
        self._gate = GateWatch(nodes, leases, clock=clock, config=config, bound=bound)
        self._is_met = False
        self._status_due = 0.0

    async def run(self) -> None:
        """Work until cancelled; survives every failure of Kubernetes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_on())
            await self._lease.held()
            group.create_task(self._mind_the_gate())

    async def keep(self) -> None:
        """One round: see that the node is there, untouched, well reported, and leased.

        Raises:
            PortFailure: a request failed; the next round makes up for it.
        """
        if not await self._lease.may_renew():
            return
        node = await self._node()
        if not self._lease.is_held() or not is_ready(node):
            self._status_due = self._clock.steady()
        if self._clock.steady() >= self._status_due:
            body = node_object.status_body(self._config, node=node, now=self._clock.now())
            await self._nodes.apply_status(body, manager=BRIDGE_MANAGER)
            self._status_due = self._clock.steady() + self._config.status_period
        await self._lease.renew(node)

    async def _node(self) -> Node:
        """The node; made anew where it is gone, and closed when met for the first time.

        Nobody knows at that moment whether the gate is minded; if it is, it opens the node again at once.
        """
        try:
            node = await self._restored(await self._nodes.get(self._config.name))
        except NotFound:
            node = await self._create()
        else:
            if not self._is_met:
                log.info("closing the node until the gate opens it", node=self._config.name)
                await self._gate.close()
        self._is_met = True
        return node

    async def _restored(self, node: Node) -> Node:
        """The node with our taint and labels: without the taint it would look real to everybody."""
        if node_object.is_intact(self._config, node):
            return node
        if self._is_met:
            log.warning("restoring the virtual node's taint and labels", node=self._config.name)
        return await self._nodes.apply(node_object.metadata_body(self._config, node), manager=BRIDGE_MANAGER)

    async def _create(self) -> Node:
        log.info("registering the virtual node", node=self._config.name)
        self._status_due = self._clock.steady()
        try:
            return await self._nodes.create(node_object.manifest(self._config, now=self._clock.now()))
        except Conflict:
            return await self._nodes.get(self._config.name)

    async def _keep_on(self) -> None:
        while True:
            await self._tried(self.keep)
            held = self._lease.is_held()
            await self._clock.sleep(self._config.lease_period if held else self._config.retry_period)

    async def _mind_the_gate(self) -> None:
        while True:
            await self._lease.held()
            await self._tried(self._gate.check)
            await self._clock.sleep(self._config.gate_period)

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except PortFailure as failure:
            log.warning("Kubernetes does not answer", node=self._config.name, error=str(failure))
