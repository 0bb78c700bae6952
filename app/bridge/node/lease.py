"""Which bridge keeps the node: the one whose identity its Lease names.

Kubelets write the node's name there, which nothing reads; we write an identity that no two running bridges
share. A bridge that comes back under its own identity (a restarted container keeps its host name) goes on at
once; another waits until the Lease is released or stale.

Two bridges may take over the same stale Lease at once: the last to write holds it, and the first learns so at
its next round. Until then it does no harm: a launch carries the attempt's client token, so ECS runs it once,
and before an orphan is stopped the Lease is read again.

https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
"""

import asyncio
import math
from typing import Final

from app.bridge.config import NodeConfig
from app.bridge.node.lease_age import LeaseAge
from app.model.node import Node
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import Lease, Leases
from app.telemetry import logs

NODE_LEASES: Final = "kube-node-lease"
"""Namespace of the nodes' Leases."""

log = logs.get(__name__)


class NodeLease:
    """Our claim to the node."""

    def __init__(self, leases: Leases, *, clock: Clock, config: NodeConfig) -> None:
        self._leases = leases
        self._clock = clock
        self._config = config
        self._age = LeaseAge(clock)
        self._renewed_at = -math.inf
        self._waits_for = ""
        self._held = asyncio.Event()

    def is_held(self) -> bool:
        """Whether the node is ours: we renewed the Lease within its duration, and saw nobody else there."""
        fresh = self._clock.steady() - self._renewed_at < self._config.lease_seconds
        return self._held.is_set() and fresh

    async def held(self) -> None:
        """Return as soon as the node is ours."""
        while not self.is_held():
            self._held.clear()
            await self._held.wait()

    async def may_renew(self) -> bool:
        """Whether the Lease is ours, free or stale; a Lease that somebody else took is lost to us.

        Raises:
            PortFailure: Kubernetes did not answer, so nothing is known.
        """
        lease = await self._read()
        self._age.see(lease)
        if lease is None or lease.holder in {"", self._config.identity} or self._age.is_stale():
            return True
        self._wait_for(lease.holder)
        return False

    async def renew(self, owner: Node) -> None:
        """Write our identity, after `may_renew` said so.

        Raises:
            PortFailure: it is unknown whether it was written.
        """
        begun = self._clock.steady()
        config = self._config
        await self._leases.renew(
            NODE_LEASES, config.name, holder=config.identity, seconds=config.lease_seconds, owner=owner
        )
        if not self.is_held():
            log.info("keeping the virtual node", node=config.name, identity=config.identity)
        self._renewed_at = begun
        self._waits_for = ""
        self._held.set()

    async def is_surely_held(self) -> bool:
        """A consistent read: whether the Lease names us at this moment."""
        lease = await self._read()
        return self.is_held() and lease is not None and lease.holder == self._config.identity

    async def release(self) -> None:
        """Let the next bridge begin at once; where that fails, the Lease goes stale by itself."""
        if not self.is_held():
            return
        self._held.clear()
        try:
            await self._leases.renew(NODE_LEASES, self._config.name, holder="", seconds=1)
        except PortFailure as failure:
            log.warning("the node's Lease is not released: it expires", error=str(failure))

    def _wait_for(self, holder: str) -> None:
        self._held.clear()
        if self._waits_for != holder:
            log.warning(
                "another bridge keeps this node: waiting for its Lease", node=self._config.name, holder=holder
            )
        self._waits_for = holder

    async def _read(self) -> Lease | None:
        try:
            return await self._leases.read(NODE_LEASES, self._config.name)
        except NotFound:
            return None
