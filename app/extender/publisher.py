"""Publishes the policy on the virtual nodes while this replica leads, so that people can be told of it.

It is one annotation with a field manager of its own: nobody else's write takes it away, and it takes away
nobody's. It stays when the leader is gone, as what the last one decided by.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from app.extender.cluster.facts import Facts
from app.extender.insight.policy import Policy, written_policy
from app.model.names import POLICY, POLICY_MANAGER
from app.model.node import Node, is_virtual
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import Nodes
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of, within

_log = logs.get(__name__)

_AGAIN: Final = 30.0
_PACE: Final = 1.0
_SECONDS: Final = 5.0


class Publisher:
    """One of the leader's chores.

    Args:
        policy: what the leader decides by.
        watched: all nodes.
        nodes: where it is written.
        clock: time.
        leads: whether the Lease is surely ours.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        watched: Watched[Node],
        nodes: Nodes,
        clock: Clock,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._text = written_policy(policy)
        self._watched = watched
        self._nodes = nodes
        self._clock = clock
        self._leads = leads
        self._changed = asyncio.Event()
        watched.on_change(self._node_changed)

    async def run(self, _: Callable[[], Facts]) -> None:
        """Write it wherever it is missing or another, until cancelled."""
        while True:
            self._changed.clear()
            for node in self._watched.all():
                if self._leads() and self._lacks(node):
                    await self._write(node.name)
            await first_of(self._clock.sleep(_AGAIN), self._changed)
            await self._clock.sleep(_PACE)

    def _lacks(self, node: Node) -> bool:
        return is_virtual(node) and node.metadata.annotations.get(POLICY) != self._text

    async def _write(self, name: str) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "annotations": {POLICY: self._text}},
        }
        try:
            await within(self._clock, _SECONDS, self._nodes.apply_status(manifest, manager=POLICY_MANAGER))
        except NotFound:
            return
        except PortFailure as error:
            # Nothing is decided by it: the next look writes it.
            _log.warning("policy not published, tried again", node=name, error=str(error))

    def _node_changed(self, _: Node | None, after: Node | None) -> None:
        if after is not None and self._lacks(after):
            self._changed.set()
