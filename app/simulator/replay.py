"""One policy, replayed: events in the order of virtual time, and in each instant the same six steps.

Ends first, so that what they free can be used; then nodes that became Ready or were empty for too long; who
waits, oldest first; who is new; the gate; last the autoscaler, which sees who is still left.
"""

import enum
import heapq
from collections.abc import Callable
from typing import Final, assert_never

import msgspec

from app.simulator.autoscaler import Asked, Autoscaler
from app.simulator.books import Books, Outcome
from app.simulator.config import SimulationConfig, milliseconds
from app.simulator.machine import Machine
from app.simulator.overflow import Gate
from app.simulator.policies import Policy
from app.simulator.tasks import Tasks
from app.simulator.trace import Trace

_BETWEEN_LOOKS: Final = 512
"""Instants between two reports of progress."""


class _Kind(enum.IntEnum):
    """What happens, in the order within one instant."""

    END = 0
    READY = 1
    EMPTY = 2
    OVER = 3


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """A pod's task: US dollars an hour, when the pod was bound, and when the launch got through."""

    hourly: float
    bound: int
    launched: int


class Replay:
    """One run through the trace.

    Args:
        trace: the workload.
        policy: the way of running it.
        config: everything else.
    """

    def __init__(self, trace: Trace, policy: Policy, *, config: SimulationConfig) -> None:
        standing = config.nodes if policy.nodes else 0
        slots = max(config.most_nodes, standing) if policy.autoscaler else standing
        self._trace, self._policy, self._standing = trace, policy, standing
        self.machine = Machine(trace.pods, node=config.node, slots=slots)
        for slot in range(standing):
            self.machine.open(slot)
        self._tasks = Tasks(trace.pods, config=config)
        self._autoscaler = Autoscaler(trace.pods, node=config.node, slots=range(standing, slots))
        self._gate = Gate(
            trace.pods, config=config, tasks=self._tasks, machine=self.machine, autoscaler=self._autoscaler
        )
        self._books = Books(
            len(trace.pods), begin=trace.begin, node_hourly=config.node.hourly, standing=standing
        )
        self._boot = milliseconds(config.boot)
        # A node that is Ready now is not empty for too long now: who waits for it must find it first.
        self._scale_down = max(1, milliseconds(config.scale_down))
        self._events: list[tuple[int, _Kind, int]] = [(trace.end, _Kind.OVER, 0)]
        self._arrived = 0
        self._seats: dict[int, int] = {}
        self._running: dict[int, _Task] = {}
        self._asked: dict[int, Asked] = {}
        self._empty_since: dict[int, int] = {}
        self._pressing: list[int] = []

    def run(self, progress: Callable[[int], None]) -> Outcome:
        """Replay to the end.

        Args:
            progress: hears now and then how many pods have come.
        """
        looks = 0
        while (now := self.next_instant()) is not None:
            self.step(now)
            looks += 1
            if looks % _BETWEEN_LOOKS == 0:
                progress(self._arrived)
        progress(self._arrived)
        return self._books.close()

    def next_instant(self) -> int | None:
        """The next moment at which anything happens; None at the end."""
        times = [self._events[0][0]] if self._events else []
        if self._arrived < len(self._trace.pods):
            times.append(self._trace.pods[self._arrived].created)
        due = self._gate.due
        if due is not None:
            times.append(due)
        return min(times, default=None)

    def step(self, now: int) -> None:
        """All that happens in this instant."""
        self._books.advance(now)
        for pod, slot in self.machine.fill(self._happen(now)):
            self._autoscaler.withdraw(pod)
            if self._policy.overflow:
                self._gate.found_a_node(pod)
            self._bind(pod, slot, now)
        self._arrive(now)
        if self._policy.overflow:
            self._burst(now)
        if self._policy.autoscaler:
            self._scale(now)
        self._books.note(self.machine.waiting)

    def _happen(self, now: int) -> list[int]:
        """The events of this instant; the nodes that have room now which they had not."""
        freed: set[int] = set()
        while self._events and self._events[0][0] == now:
            _, kind, which = heapq.heappop(self._events)
            match kind:
                case _Kind.END:
                    self._end(which, now, freed)
                case _Kind.READY:
                    self._ready(which, now, freed)
                case _Kind.EMPTY:
                    self._remove_if_empty(which, now, freed)
                case _Kind.OVER:
                    self._books.over()
                case _:
                    assert_never(kind)
        return sorted(freed)

    def _end(self, pod: int, now: int, freed: set[int]) -> None:
        task = self._running.pop(pod, None)
        if task is not None:
            bill = self._tasks.bill(hourly=task.hourly, launched=task.launched, ended=now)
            self._books.task_ends(bill, hourly=task.hourly, bound=task.bound, launched=task.launched)
            if self._policy.overflow:
                self._gate.ended(pod)
            return
        slot = self._seats.pop(pod)
        self.machine.leave(pod, slot)
        self._books.pod_ends()
        self._gate.touched(slot)
        freed.add(slot)
        if slot >= self._standing and self.machine.is_empty(slot):
            self._emptied(slot, now)

    def _ready(self, slot: int, now: int, freed: set[int]) -> None:
        self._pressing += self._autoscaler.arrived(slot)
        self.machine.open(slot)
        self._gate.booted(slot)
        self._emptied(slot, now)
        freed.add(slot)

    def _emptied(self, slot: int, now: int) -> None:
        self._empty_since[slot] = now
        heapq.heappush(self._events, (now + self._scale_down, _Kind.EMPTY, slot))

    def _remove_if_empty(self, slot: int, now: int, freed: set[int]) -> None:
        if self._empty_since.get(slot) != now - self._scale_down:
            return
        del self._empty_since[slot]
        freed.discard(slot)
        self.machine.close(slot)
        self._autoscaler.removed(slot)
        self._gate.touched(slot)
        self._books.node_goes(since=self._asked.pop(slot).at)

    def _arrive(self, now: int) -> None:
        pods = self._trace.pods
        while self._arrived < len(pods) and pods[self._arrived].created == now:
            pod = self._arrived
            self._arrived += 1
            if not self._policy.nodes:
                self._launch_or_wait(pod, now)
                continue
            slot = self.machine.place(pod)
            if slot is None:
                self._wait(pod, now)
            else:
                self._bind(pod, slot, now)

    def _wait(self, pod: int, now: int) -> None:
        self.machine.wait(pod)
        self._pressing.append(pod)
        if self._policy.overflow:
            self._gate.waits(pod, now)

    def _bind(self, pod: int, slot: int, now: int) -> None:
        traced = self._trace.pods[pod]
        self._seats[pod] = slot
        self._empty_since.pop(slot, None)
        self._gate.touched(slot)
        self._books.pod_starts(pod, wait=now - traced.created)
        heapq.heappush(self._events, (now + traced.lasts, _Kind.END, pod))

    def _burst(self, now: int) -> None:
        for pod in self._gate.turn(now):
            self.machine.withdraw(pod)
            self._autoscaler.withdraw(pod)
            self._launch_or_wait(pod, now)

    def _launch_or_wait(self, pod: int, now: int) -> None:
        traced = self._trace.pods[pod]
        hourly = self._tasks.hourly(pod) if traced.overflow else None
        if hourly is None:
            self.machine.wait(pod)
            return
        launched = self._tasks.launch(now)
        running = self._tasks.running(launched)
        self._running[pod] = _Task(hourly=hourly, bound=now, launched=launched)
        self._books.task_starts(pod, wait=running - traced.created, hourly=hourly)
        heapq.heappush(self._events, (running + traced.lasts, _Kind.END, pod))

    def _scale(self, now: int) -> None:
        for pod in self._pressing:
            asked = self._autoscaler.press(pod, now) if self.machine.is_waiting(pod) else None
            if asked is not None:
                self._asked[asked.slot] = asked
                self._books.node_comes()
                heapq.heappush(self._events, (now + self._boot, _Kind.READY, asked.slot))
        self._pressing.clear()
