"""Which nodes are virtual, and which pods hold grants there, as this replica knows it."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from app.extender.metrics import ServerMetrics
from app.model.early import EarlyRoom, read_early
from app.model.grant import GrantsError, read_grants
from app.model.names import GRANTS, PodUid
from app.model.node import Node, is_virtual
from app.model.resources import NOTHING, Resources
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import Nodes
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import within

_log = logs.get(__name__)

MOST_READS: Final = 128
"""Reads at a time for all answers together: who makes up names must not reach the API server through us."""

Expiries = dict[PodUid, datetime]
"""When each pod's grant on a node ends."""


class Roster:
    """An index over the watched nodes, and consistent reads for what it cannot know yet.

    Args:
        nodes: every node of the cluster.
        consistent: the real reads.
        clock: bounds those reads.
        metrics: counts them.
        timeout: seconds that one read may take.
    """

    def __init__(
        self, nodes: Watched[Node], consistent: Nodes, *, clock: Clock, metrics: ServerMetrics, timeout: float
    ) -> None:
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._reads = _SharedReads(consistent, clock=clock, timeout=timeout)
        self._real: set[str] = set()
        self._virtual: dict[str, Node] = {}
        self._parsed: dict[str, tuple[str, Expiries]] = {}
        self._early: dict[str, EarlyRoom] = {}
        self.refill()
        nodes.on_change(self._changed)

    def refill(self) -> None:
        """Take in every node that the watch has now."""
        for node in self._nodes.all():
            self._changed(None, node)

    def virtual(self) -> frozenset[str]:
        """The names of the virtual nodes."""
        return frozenset(self._virtual)

    def virtual_nodes(self) -> tuple[Node, ...]:
        """The virtual nodes as the watch shows them."""
        return tuple(self._virtual.values())

    def not_known_real(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that are virtual, or that nobody has told of yet."""
        return frozenset(names) - self._real

    def unknown(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that the watch has not shown yet."""
        return self.not_known_real(names) - self._virtual.keys()

    def holding(self, uid: PodUid, names: Iterable[str]) -> frozenset[str]:
        """The watched virtual nodes among the names on which the pod holds a live grant."""
        nodes = (self._virtual.get(name) for name in names)
        return self.holding_on((node for node in nodes if node is not None), uid)

    def early(self, owner: str, names: Iterable[str], *, asked: Resources = NOTHING) -> frozenset[str]:
        """The watched virtual nodes among the names where pods of this controller may land early.

        `asked` is what one of them asks for: it may not be more than the gate reckoned with.
        """
        if not owner or not self._early:
            return frozenset()
        now = self._clock.now()
        rooms = ((name, self._early.get(name)) for name in names)
        return frozenset(
            name
            for name, room in rooms
            if room is not None
            and owner in room.owners
            and asked.fits(room.owners[owner])
            and now < room.expires
        )

    async def read(self, names: Iterable[str]) -> dict[str, Node]:
        """The nodes as the API server has them now; without those that are gone or that gave no answer.

        What would be more than `MOST_READS` at a time is not read.
        A node that turns out to be real is remembered until the watch shows it.
        """
        wanted = tuple(names)
        answers = await asyncio.gather(*(self._read(name) for name in wanted))
        found = {name: node for name, node in zip(wanted, answers, strict=True) if node is not None}
        self._real.update(
            name for name, node in found.items() if name not in self._virtual and not is_virtual(node)
        )
        return found

    def holding_on(self, nodes: Iterable[Node], uid: PodUid) -> frozenset[str]:
        """The names of those nodes, as given, on which the pod holds a live grant."""
        now = self._clock.now()
        ends = ((node.name, self._expiries(node).get(uid)) for node in nodes if is_virtual(node))
        return frozenset(name for name, end in ends if end is not None and now < end)

    def _expiries(self, node: Node) -> Expiries:
        text = node.metadata.annotations.get(GRANTS, "")
        known = self._parsed.get(node.name)
        if known is not None and known[0] == text:
            return known[1]
        try:
            expiries = {grant.uid: grant.expires for grant in read_grants(node.metadata.annotations)}
        except GrantsError as error:
            self._metrics.tampered.inc()
            _log.error("grants unreadable, the node stays closed", node=node.name, error=str(error))
            expiries = {}
        self._parsed[node.name] = (text, expiries)
        return expiries

    async def _read(self, name: str) -> Node | None:
        if self._reads.under_way() >= MOST_READS:
            self._metrics.lookups.labels("skipped").inc()
            return None
        try:
            node = await self._reads.read(name)
        except NotFound:
            self._metrics.lookups.labels("missing").inc()
            return None
        except PortFailure as error:
            self._metrics.lookups.labels("failed").inc()
            _log.warning("node not readable, taken as closed", node=name, error=str(error))
            return None
        self._metrics.lookups.labels("found").inc()
        return node

    def _changed(self, before: Node | None, after: Node | None) -> None:
        if after is None:
            if before is not None:
                self._forget(before.name)
            return
        if is_virtual(after):
            self._virtual[after.name] = after
            self._early_changed(after)
            self._real.discard(after.name)
        else:
            self._forget(after.name)
            self._real.add(after.name)

    def _early_changed(self, node: Node) -> None:
        early = read_early(node.metadata.annotations)
        if early is not None:
            self._early[node.name] = early
        else:
            self._early.pop(node.name, None)

    def _forget(self, name: str) -> None:
        self._real.discard(name)
        self._virtual.pop(name, None)
        self._early.pop(name, None)
        self._parsed.pop(name, None)


class _SharedReads:
    """Reads of one node shared by those who ask at the same time.

    Nobody joins a read that has begun already: it may have passed the API server before the grant that the
    newcomer asks about was written. All newcomers share the next one.
    """

    def __init__(self, nodes: Nodes, *, clock: Clock, timeout: float) -> None:
        self._nodes = nodes
        self._clock = clock
        self._timeout = timeout
        self._running: dict[str, asyncio.Task[Node]] = {}
        self._next: dict[str, asyncio.Task[Node]] = {}

    def under_way(self) -> int:
        return len(self._running) + len(self._next)

    async def read(self, name: str) -> Node:
        task = self._next.get(name)
        if task is None:
            task = asyncio.create_task(self._read_after(self._running.get(name), name))
            self._next[name] = task
        return await asyncio.shield(task)

    async def _read_after(self, earlier: "asyncio.Task[Node] | None", name: str) -> Node:
        if earlier is not None:
            await asyncio.wait({earlier})
        mine = self._running[name] = self._next.pop(name)
        try:
            return await within(self._clock, self._timeout, self._nodes.get(name))
        finally:
            if self._running.get(name) is mine:
                del self._running[name]
