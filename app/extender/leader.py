"""The pressure loop: on one replica, turns what the watches show into grants and room on the virtual nodes.

It keeps nothing that matters: the grants are read back from the nodes each time, so that a new leader goes
on where the last one fell.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.extender.announcer import Announcer
from app.extender.decisions import Burst, Plan
from app.extender.gate import Facts, plan
from app.extender.gatekeeper import Gatekeeper, Pace
from app.extender.hindrance import GateConfig, Refusals
from app.extender.judged import Judged
from app.extender.ledger import NO_LAPSES
from app.extender.metrics import GateMetrics
from app.model.namespace import Namespace
from app.model.node import Node, is_virtual
from app.model.pod import Pod, is_terminal
from app.ports.clock import Clock
from app.ports.kubernetes import Events, Nodes
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of

_log = logs.get(__name__)

_LONGEST_SLEEP: Final = 3600.0
_UNTIL_TOLD: Final = 0.1
"""Seconds between two looks of one who lost the Lease and is about to be stopped for it."""


class LeaderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The loop's settings.

    Attributes:
        gate: when pods burst.
        pace: how often nodes are written.
        gather: seconds to let changes gather before they are looked at together.
    """

    gate: GateConfig = GateConfig()
    pace: Pace = Pace()
    gather: float = 0.025


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop watches; the caller runs the watches. All pods, not only opted-in ones."""

    pods: Watched[Pod]
    nodes: Watched[Node]
    namespaces: Watched[Namespace]


class Leader:
    """The gate's work while this replica leads: `leadership.lead(leader.run)`.

    Args:
        config: policy and pace.
        cluster: the watches.
        nodes: where grants and room are written.
        events: where people read why a pod does not burst.
        clock: time.
        metrics: what was decided.
        refusals: why Fargate cannot run a pod.
        leads: whether the Lease is surely ours. A process that was frozen for longer than its Lease wakes up
            in the middle of a turn, and must not write what it decided before.
    """

    def __init__(  # noqa: PLR0913  (a shell is handed all that it touches)
        self,
        config: LeaderConfig,
        *,
        cluster: Cluster,
        nodes: Nodes,
        events: Events,
        clock: Clock,
        metrics: GateMetrics,
        refusals: Refusals,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._config = config
        self._cluster = cluster
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._judged = Judged(refusals)
        self._leads = leads
        self._announcer = Announcer(events, clock=clock, metrics=metrics)
        self._changed = asyncio.Event()
        self._keepers: dict[str, Gatekeeper] = {}
        self._lapses = NO_LAPSES
        cluster.pods.on_change(self._pod_changed)
        cluster.nodes.on_change(self._node_changed)
        cluster.namespaces.on_change(self._namespace_changed)

    async def run(self) -> None:
        """Lead until cancelled. What an earlier term left on the nodes is taken over, and put right."""
        self._keepers, self._lapses = {}, NO_LAPSES
        for watched in (self._cluster.pods, self._cluster.nodes, self._cluster.namespaces):
            await watched.synced()
        self._metrics.leader.set(1)
        _log.info("leading")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._announcer.run())
                tasks.create_task(self._follow())
        finally:
            self._metrics.leader.set(0)

    async def _follow(self) -> None:
        while True:
            self._changed.clear()
            pause = await self._turn()
            await first_of(self._clock.sleep(pause), self._changed)
            if self._changed.is_set():
                await self._clock.sleep(self._config.gather)

    async def _turn(self) -> float:
        """Gather, decide, apply; returns the seconds after which to look again though nothing changed."""
        if not self._leads():
            return _UNTIL_TOLD
        begun = self._clock.steady()
        shown = self._virtual_nodes()
        decided = plan(
            self._facts(shown), now=self._clock.now(), config=self._config.gate, refusals=self._judged
        )
        self._lapses = decided.lapses
        self._judged.keep(decided.unbound)
        self._metrics.seconds.observe(self._clock.steady() - begun)
        pauses = await self._apply(decided, shown)
        done = (each for each in decided.decisions if not (isinstance(each, Burst) and each.node in pauses))
        self._announcer.take(done, alive=decided.unbound)
        return min([self._until(decided.due), *pauses.values()])

    async def _apply(self, decided: Plan, shown: Mapping[str, Node]) -> dict[str, float]:
        """Bring every node to its opening, all at once; one that fails holds up no other.

        Returns:
            For each node that is not there yet, the seconds until it is worth another try.
        """
        work = (self._keepers[each.node].bring(shown[each.node], each) for each in decided.openings)
        pauses = await asyncio.gather(*work)
        for opening in decided.openings:
            self._metrics.open.labels(opening.node).set(len(opening.grants))
        return {
            opening.node: pause
            for opening, pause in zip(decided.openings, pauses, strict=True)
            if pause is not None
        }

    def _virtual_nodes(self) -> dict[str, Node]:
        watched = {node.name: node for node in self._cluster.nodes.all() if is_virtual(node)}
        self._keepers = {name: self._keepers.get(name) or self._keeper(name) for name in watched}
        return {name: self._keepers[name].newest(node) for name, node in watched.items()}

    def _keeper(self, name: str) -> Gatekeeper:
        return Gatekeeper(name, self._nodes, clock=self._clock, metrics=self._metrics, pace=self._config.pace)

    def _facts(self, virtual: Mapping[str, Node]) -> Facts:
        return Facts(
            pods=self._cluster.pods.all(),
            nodes=tuple(virtual.values()),
            namespaces={each.name: each.metadata.labels for each in self._cluster.namespaces.all()},
            grants={name: self._keepers[name].grants(node) for name, node in virtual.items()},
            lapses=self._lapses,
        )

    def _until(self, due: datetime | None) -> float:
        if due is None:
            return _LONGEST_SLEEP
        return min((due - self._clock.now()).total_seconds(), _LONGEST_SLEEP)

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        if before is not None and after is not None and _holds_the_same_room(before, after):
            return
        if any(pod is not None and self._concerns(pod) for pod in (before, after)):
            self._changed.set()

    def _concerns(self, pod: Pod) -> bool:
        return not pod.spec.node_name or pod.spec.node_name in self._keepers

    def _node_changed(self, before: Node | None, after: Node | None) -> None:
        if any(node is not None and is_virtual(node) for node in (before, after)):
            self._changed.set()

    def _namespace_changed(self, before: Namespace | None, after: Namespace | None) -> None:
        if before is None or after is None or before.metadata.labels != after.metadata.labels:
            self._changed.set()


def _holds_the_same_room(before: Pod, after: Pod) -> bool:
    """Whether a bound pod changed in its status only; that comes often, and moves no gate."""
    if not before.spec.node_name or before.spec != after.spec:
        return False
    return is_terminal(before) == is_terminal(after)
