"""The pressure loop: on one replica, turns what the watches show into grants and room on the virtual nodes.

It keeps nothing that matters: the grants are read back from the nodes each time, so that a new leader goes
on where the last one fell.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from app.extender.announcer import Announcer
from app.extender.chores import Chore, tended
from app.extender.cluster.facts import Facts
from app.extender.cluster.outlook import NO_AUTOSCALERS, Autoscalers, Outlook
from app.extender.cluster.snapshot import Snapshot
from app.extender.cluster.watermark import WatermarkConfig
from app.extender.decider import Apart, Decider, at_once
from app.extender.decision.decisions import Burst, Opening, Plan
from app.extender.decision.hindrance import GateConfig, Refusals
from app.extender.decision.mode import fault_of, modes_of
from app.extender.decision.telling import burst_words
from app.extender.gatekeeper import Pace
from app.extender.gates import Gates
from app.extender.metrics import GateMetrics
from app.extender.recorder import Recorder
from app.extender.tolerator import Tolerator
from app.model.names import EARLY
from app.model.namespace import Namespace
from app.model.node import Node, is_virtual
from app.model.pod import Pod, condition, is_of_daemon_set, is_terminal
from app.model.resources import NOTHING
from app.model.virtual_node import opened
from app.ports.clock import Clock
from app.ports.kubernetes import Events, Nodes
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of

_log = logs.get(__name__)

_LONGEST_SLEEP: Final = 3600.0
_AFTER_A_FAILURE: Final = 1.0
"""Seconds until the next look after one that no decision came of, whatever changes meanwhile."""

_UNTIL_TOLD: Final = 0.1
"""Seconds between two looks of one who lost the Lease and is about to be stopped for it."""


class LeaderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The loop's settings.

    Attributes:
        gate: when pods burst.
        pace: how often nodes are written.
        gather: seconds to let changes gather before they are looked at together.
        watermarks: when the pressure on real nodes is high, and when it is low again.
        observe_file: where the pods are written down that would have burst (`app.extender.recorder`).
    """

    gate: GateConfig = GateConfig()
    pace: Pace = Pace()
    gather: float = 0.025
    watermarks: WatermarkConfig = WatermarkConfig()
    observe_file: Path | None = None


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
        autoscalers: what autoscalers say of themselves.
        chores: what else the leader does, as bringing pods home.
        tolerator: where that is the actuator.
        apart: where it is decided, so that the event loop goes on meanwhile.
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
        autoscalers: Autoscalers = NO_AUTOSCALERS,
        chores: Sequence[Chore] = (),
        tolerator: Tolerator | None = None,
        apart: Apart = at_once,
    ) -> None:
        self._config = config
        self._cluster = cluster
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._refusals = refusals
        self._apart = apart
        self._decider = self._new_decider()
        self._recorder = Recorder(
            cluster.pods, clock=clock, metrics=metrics.observed, path=config.observe_file, apart=apart
        )
        self._leads = leads
        self._tolerator = tolerator
        self._chores = chores
        self._announcer = Announcer(events, clock=clock, metrics=metrics)
        self._changed = asyncio.Event()
        self._gates = self._new_gates()
        self._snapshot = Snapshot(cluster.pods, cluster.nodes, watermarks=config.watermarks)
        self._outlook = Outlook(
            self._snapshot,
            pods=cluster.pods,
            nodes=cluster.nodes,
            autoscalers=autoscalers,
            changed=self._changed.set,
        )
        cluster.pods.on_change(self._pod_changed)
        cluster.nodes.on_change(self._node_changed)
        cluster.namespaces.on_change(self._namespace_changed)

    async def run(self) -> None:
        """Lead until cancelled. What an earlier term left on the nodes is taken over, and put right."""
        self._gates, self._decider = self._new_gates(), self._new_decider()
        for watched in (self._cluster.pods, self._cluster.nodes, self._cluster.namespaces):
            await watched.synced()
        self._metrics.leader.set(1)
        _log.info("leading")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._announcer.run())
                tasks.create_task(self._recorder.run())
                if self._tolerator is not None:
                    tasks.create_task(self._tolerator.run())
                tasks.create_task(self._follow())
                for chore in self._chores:
                    tending = tended(chore, self._facts, clock=self._clock, metrics=self._metrics)
                    tasks.create_task(tending)
        finally:
            self._metrics.leader.set(0)

    async def _follow(self) -> None:
        while True:
            self._changed.clear()
            try:
                pause = await self._turn()
            except Exception:  # noqa: BLE001  (whoever comes next would meet the same: rather close than leave)
                self._metrics.failed_turns.inc()
                _log.exception("no decision: closing the gate")
                await self._shut()
                await self._clock.sleep(_AFTER_A_FAILURE)
                continue
            await first_of(self._clock.sleep(pause), self._changed)
            if self._changed.is_set():
                await self._clock.sleep(self._config.gather)

    async def _turn(self) -> float:
        """Gather, decide, apply; returns the seconds after which to look again though nothing changed."""
        if not self._leads():
            return _UNTIL_TOLD
        begun = self._clock.steady()
        facts = self._facts()
        shown = {node.name: node for node in facts.virtual}
        decided = await self._decider.decide(facts, now=self._clock.now())
        if not self._leads():
            return _UNTIL_TOLD
        self._metrics.seconds.observe(self._clock.steady() - begun)
        self._show(decided, facts)
        self._metrics.budgets.show(decided.balances)
        pauses = await self._gates.bring(decided.openings, shown)
        if self._tolerator is not None:
            self._tolerator.take(self._gates.granted(decided.openings, shown, facts.unbound))
        done = (each for each in decided.decisions if not (isinstance(each, Burst) and each.node in pauses))
        self._announcer.take(done, alive=decided.unbound, why=lambda burst: burst_words(burst, facts))
        return min([self._until(decided.due), *pauses.values()])

    def _show(self, decided: Plan, facts: Facts) -> None:
        """What would have burst, what is spent, and how the gates are run."""
        self._recorder.take(decided.memory.observed, facts.unbound)
        self._metrics.pressure.show(facts)
        found = ((node, fault_of(node)) for node in facts.virtual)
        faults = {node.name: (node, fault) for node, fault in found if fault is not None}
        modes = modes_of(facts.virtual, default=self._config.gate.gate)
        self._metrics.budgets.show_modes(modes, invalid=faults)
        self._announcer.take_faults(faults)

    async def _shut(self) -> None:
        """Close every gate, whatever else is wrong.

        Nothing but sums are asked for: the decision failed, and nobody knows at what.
        """
        shown = self._gates.newest(self._snapshot.virtual())
        closed = (
            Opening(node=name, grants=(), room=opened(taken=self._snapshot.taken(name), awaited=NOTHING))
            for name in shown
        )
        await self._gates.bring(closed, shown)

    def _new_gates(self) -> Gates:
        return Gates(self._nodes, clock=self._clock, metrics=self._metrics, pace=self._config.pace)

    def _new_decider(self) -> Decider:
        return Decider(self._config.gate, refusals=self._refusals, apart=self._apart)

    def _facts(self) -> Facts:
        """The cluster now, with the virtual nodes as our newest writes have them."""
        now, shown = self._clock.now(), self._gates.newest(self._snapshot.virtual())
        return self._snapshot.facts(
            virtual=shown.values(),
            namespaces={each.name: each for each in self._cluster.namespaces.all()},
            grants=self._gates.grants(shown),
            coming=self._outlook.coming(now),
            learned=self._outlook.learned(),
            now=now,
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
        if pod.spec.node_name:
            return self._snapshot.is_virtual(pod.spec.node_name)
        return not _is_on_its_way(pod)

    def _node_changed(self, before: Node | None, after: Node | None) -> None:
        if after is not None and self._gates.is_own_write(after):
            return  # decided by the turn that wrote it
        if any(node is not None and is_virtual(node) for node in (before, after)):
            self._changed.set()

    def _namespace_changed(self, before: Namespace | None, after: Namespace | None) -> None:
        if before is None or after is None or _says_else(before, after):
            self._changed.set()


def _says_else(before: Namespace, after: Namespace) -> bool:
    """Whether its opting in or its budget may have changed."""
    old, new = before.metadata, after.metadata
    return (old.labels, old.annotations) != (new.labels, new.annotations)


def _is_on_its_way(pod: Pod) -> bool:
    """Whether the scheduler has not tried the pod yet: nothing is decided about it, and most find a node.

    To decide anew for each of a thousand such pods takes from the scheduler what it needs to bind them.
    """
    waits_early = pod.metadata.annotations.get(EARLY) is not None
    return condition(pod, "PodScheduled") is None and not waits_early and not is_of_daemon_set(pod)


def _holds_the_same_room(before: Pod, after: Pod) -> bool:
    """Whether a bound pod changed in its status only; that comes often, and moves no gate."""
    if not before.spec.node_name or before.spec != after.spec:
        return False
    return is_terminal(before) == is_terminal(after)
