"""Closes the node by force while nobody minds the gate."""

from collections.abc import Callable, Iterable, Mapping

from app.bridge.config import NodeConfig
from app.bridge.node_object import closed_body
from app.model.names import GATE_LEASE, GATE_MANAGER
from app.model.pod import Json, Pod
from app.ports.clock import Clock
from app.ports.failures import NotFound
from app.ports.kubernetes import Lease, Leases, Nodes
from app.telemetry import logs

log = logs.get(__name__)


class GateWatch:
    """Judges the gate's Lease by our own steady clock: that its record changes matters, not its times."""

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
        self._bound = bound
        self._lease: Lease | None = None
        self._changed = clock.steady()
        self._applied: Mapping[str, Json] | None = None

    async def check(self) -> None:
        """Look at the Lease once; while it is stale, keep the node exactly as full as it is.

        Raises:
            PortFailure: Kubernetes did not answer; the Lease grows no younger by that.
        """
        lease = await self._read()
        if lease is not None and (self._lease is None or lease.record != self._lease.record):
            self._changed = self._clock.steady()
            self._applied = None
        self._lease = lease
        if lease is None or self._clock.steady() - self._changed > lease.duration:
            await self.close()

    async def close(self) -> None:
        """Take every grant and all free room away, unless that is done."""
        body = closed_body(self._config, bound=self._bound())
        if body == self._applied:
            return
        log.warning("the gate is not minded: closing the node", node=self._config.name)
        await self._nodes.apply_status(body, manager=GATE_MANAGER)
        self._applied = body

    async def _read(self) -> Lease | None:
        try:
            return await self._leases.read(self._config.gate_namespace, GATE_LEASE)
        except NotFound:
            return None
