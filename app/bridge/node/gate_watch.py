"""Closes the node by force while nobody minds the gate."""

from collections.abc import Callable, Iterable

from app.bridge.config import NodeConfig
from app.bridge.node.lease_age import LeaseAge
from app.bridge.node.manifest import closed_body
from app.model.names import GATE_LEASE, GATE_MANAGER
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import NotFound
from app.ports.kubernetes import Lease, Leases, Nodes
from app.telemetry import logs

log = logs.get(__name__)


class GateWatch:
    """Judges the gate by its Lease."""

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
        self._config = config
        self._bound = bound
        self._age = LeaseAge(clock)
        self._was_minded = False

    async def check(self) -> None:
        """Look at the Lease once; while it is stale, keep the node exactly as full as it is.

        Raises:
            PortFailure: Kubernetes did not answer; the Lease grows no younger by that.
        """
        if self._age.see(await self._read()):
            self._was_minded = True
        if not self._age.is_stale():
            return
        if self._was_minded:
            log.warning("the gate is no longer minded: closing the node", node=self._config.name)
            self._was_minded = False
        await self.close()

    async def close(self) -> None:
        """Take every grant and all free room away.

        What we wrote last says nothing of what stands there: a leader that was frozen for longer than its
        Lease may have written since. Where nobody did, the API server finds no difference and stores nothing.

        No uid binds it to one node: grants and pods go by the node's name, so that one which was made anew
        meanwhile is to be closed all the same. One that is gone is not made by its status.
        """
        body = closed_body(self._config, bound=self._bound())
        await self._nodes.apply_status(body, manager=GATE_MANAGER)

    async def _read(self) -> Lease | None:
        try:
            return await self._leases.read(self._config.gate_namespace, GATE_LEASE)
        except NotFound:
            return None
