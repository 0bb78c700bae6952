"""Spillway under virtual time: gathers `Facts` of the virtual cluster, and asks the extender's own `plan`.

A granted pod is bound in the same instant: on a real scheduler it takes a tenth of a second.
"""

import heapq
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from app.extender.decision.allotment import QUEUE_FULL
from app.extender.decision.decisions import Burst, Decision, Plan, Refuse, Wait, WouldBurst
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import NODE_ON_ITS_WAY
from app.extender.decision.memory import Memory
from app.model.names import PodUid
from app.model.pod import Pod
from app.simulator.autoscaler import Autoscaler
from app.simulator.config import SimulationConfig
from app.simulator.held import Held
from app.simulator.machine import Machine
from app.simulator.scene import Scene
from app.simulator.stand_ins import moment, since_epoch
from app.simulator.tasks import Tasks, index_of, uid_of
from app.simulator.trace import TracedPod


class Gate:
    """The gate's facts, kept up to date as pods come and go.

    Asks `plan` only about pods whose answer may have changed, for an answer holds until its `until`, or until
    an overflow pod ends where a budget stood against it. Where a node is on its way, older pods may have a
    claim on it; then everybody is asked about together.

    Args:
        pods: of the trace; a pod is its index here.
        config: the scene, with the gate's policy.
        tasks: what Fargate can run, and for how much.
        machine: the real nodes.
        autoscaler: the nodes on their way.
    """

    def __init__(
        self,
        pods: Sequence[TracedPod],
        *,
        config: SimulationConfig,
        tasks: Tasks,
        machine: Machine,
        autoscaler: Autoscaler,
    ) -> None:
        self._config = config
        self._tasks = tasks
        self._scene = Scene(pods, config=config, machine=machine, autoscaler=autoscaler)
        self._memory = Memory()
        self._unbound: dict[PodUid, Pod] = {}
        self._open: dict[PodUid, None] = {}
        self._held = Held()
        self._until: dict[PodUid, int] = {}
        self._alarms: list[tuple[int, PodUid]] = []

    @property
    def due(self) -> int | None:
        """When time alone changes an answer, in milliseconds."""
        while self._alarms and self._until.get(self._alarms[0][1]) != self._alarms[0][0]:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def waits(self, pod: int, now: int) -> None:
        """No node has room for the pod."""
        uid = uid_of(pod)
        self._unbound[uid] = self._tasks.stand_in(pod, since=now)
        self._open[uid] = None

    def found_a_node(self, pod: int) -> None:
        """A pod that waited is bound to a real node."""
        self._forget(uid_of(pod))

    def ended(self, pod: int) -> None:
        """An overflow pod's task is over."""
        self._scene.ended(uid_of(pod))
        self._open |= dict.fromkeys(map(uid_of, self._held.heads()))

    def touched(self, slot: int) -> None:
        """What is taken of a real node has changed, or the node is gone."""
        self._scene.touched(slot)

    def booted(self, slot: int) -> None:
        """A node that was asked for is Ready; who waited for it is asked about again."""
        self._scene.booted(slot)
        self._open |= dict.fromkeys(self._until)

    def turn(self, now: int) -> list[int]:
        """The pods that burst now; they count as bound from here on."""
        while (due := self.due) is not None and due <= now:
            _, uid = heapq.heappop(self._alarms)
            self._open[uid] = None
        bursts: list[int] = []
        while self._open:
            bursts += self._bound(self._plan(now), now)
        return bursts

    def _plan(self, now: int) -> Plan:
        alone = self._asked({uid: self._unbound[uid] for uid in self._open}, now)
        if len(self._open) == len(self._unbound) or not self._scene.is_any_coming:
            return alone
        if not any(isinstance(each, Burst) or _is_promised(each) for each in alone.decisions):
            return alone
        self._open = dict.fromkeys(self._unbound)
        return self._asked(self._unbound, now)

    def _asked(self, unbound: Mapping[PodUid, Pod], now: int) -> Plan:
        return plan(
            self._scene.facts(unbound),
            self._memory,
            now=moment(now),
            config=self._config.gate,
            refusals=self._tasks.refusals,
            costs=self._tasks.cost,
        )

    def _bound(self, decided: Plan, now: int) -> list[int]:
        """File every answer; the pods that got a grant."""
        self._memory = decided.memory
        self._open.clear()
        granted = []
        for each in decided.decisions:
            uid = each.pod.uid
            match each:
                case Burst():
                    granted.append(index_of(uid))
                    self._scene.bursts(each.pod)
                    self._forget(uid)
                    self._open_next(each.pod)
                case Wait(until=None):
                    self._hold(each)
                case Wait() | Refuse():
                    self._answered(uid, each.until, now)
                case WouldBurst():
                    self._until.pop(uid, None)
                case _:
                    assert_never(each)
        return granted

    def _hold(self, wait: Wait) -> None:
        """An event will end it: those before it in the queue are bound, or a budget is freed."""
        if wait.reason == QUEUE_FULL:
            self._open[wait.pod.uid] = None
        else:
            self._held.add(index_of(wait.pod.uid), self._group(wait.pod))

    def _open_next(self, before: Pod) -> None:
        head = self._held.oldest(self._group(before))
        if head is not None:
            self._open[uid_of(head)] = None

    def _group(self, pod: Pod) -> Hashable:
        return pod.metadata.namespace, self._tasks.cost(pod, self._config.offer)

    def _answered(self, uid: PodUid, until: datetime | None, now: int) -> None:
        at = None if until is None else since_epoch(until)
        if at is None or at <= now:
            # Time has done what it could: the same question in a moment would get the same answer.
            self._until.pop(uid, None)
            return
        self._until[uid] = at
        heapq.heappush(self._alarms, (at, uid))

    def _forget(self, uid: PodUid) -> None:
        del self._unbound[uid]
        self._open.pop(uid, None)
        self._until.pop(uid, None)
        self._held.discard(index_of(uid))


def _is_promised(decision: Decision) -> bool:
    return isinstance(decision, Wait) and decision.reason == NODE_ON_ITS_WAY
