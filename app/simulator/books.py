"""What is written down while a policy is replayed: when pods start and where, what is paid, the curves."""

import msgspec

from app.simulator.config import HOUR_MS


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """What can be plotted: values that hold from each time (milliseconds) on; `cost` is US dollars so far."""

    times: list[int]
    on_nodes: list[int]
    on_fargate: list[int]
    waiting: list[int]
    cost: list[float]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a policy went.

    Attributes:
        waits: for each pod of the trace, milliseconds from creation until it ran; None where it never did.
        overflowed: how many pods ran on Fargate.
        node_ms: how long nodes were paid for, added up.
        node_cost: US dollars.
        task_ms: how long tasks ran, added up.
        fargate_cost: US dollars.
        end: when the last pod ended, or the trace, in milliseconds.
        curves: over time.
    """

    waits: tuple[int | None, ...]
    overflowed: int
    node_ms: int
    node_cost: float
    task_ms: int
    fargate_cost: float
    end: int
    curves: Curves


class Books:
    """Kept in the order of time: `advance` first, then what happens in that instant, then `note`.

    Args:
        pods: how many the trace has.
        begin: its first moment, in milliseconds.
        node_hourly: US dollars for an hour of a node.
        standing: how many nodes stand from the beginning until all is over.
    """

    def __init__(self, pods: int, *, begin: int, node_hourly: float, standing: int) -> None:
        self._waits: list[int | None] = [None] * pods
        self._node_hourly = node_hourly
        self._standing = standing
        self._begin = self._now = begin
        self._rate = 0.0
        self._spent = 0.0
        self._overflowed = 0
        self._node_ms = 0
        self._task_ms = 0
        self._fargate_cost = 0.0
        self._on_nodes = 0
        self._on_fargate = 0
        self._end = begin
        self._curves = Curves(times=[], on_nodes=[], on_fargate=[], waiting=[], cost=[])

    def advance(self, now: int) -> None:
        """Time passes, and what runs is paid for; what always stands only in `close`."""
        self._spent += self._rate * (now - self._now) / HOUR_MS
        self._now = now

    def over(self) -> None:
        """The trace is over; whoever is still there is not."""
        self._end = self._now

    def node_comes(self) -> None:
        """A node is asked for, and paid from now on, though it is not Ready yet."""
        self._rate += self._node_hourly

    def node_goes(self, *, since: int) -> None:
        """A node that was asked for then is removed."""
        self._rate -= self._node_hourly
        self._node_ms += self._now - since

    def pod_starts(self, pod: int, *, wait: int) -> None:
        """A pod runs on a node, after so many milliseconds."""
        self._waits[pod] = wait
        self._on_nodes += 1

    def pod_ends(self) -> None:
        """A pod on a node is over."""
        self._on_nodes -= 1
        self._end = self._now

    def task_starts(self, pod: int, *, wait: int, hourly: float) -> None:
        """A pod is bound to Fargate; it runs `wait` milliseconds after it was created."""
        self._waits[pod] = wait
        self._on_fargate += 1
        self._overflowed += 1
        self._rate += hourly

    def task_ends(self, bill: float, *, hourly: float, bound: int, launched: int) -> None:
        """A task is over, and paid exactly: so far the curve showed its hourly price since it was bound."""
        self._on_fargate -= 1
        self._rate -= hourly
        self._spent += bill - hourly * (self._now - bound) / HOUR_MS
        self._task_ms += self._now - launched
        self._fargate_cost += bill
        self._end = self._now

    def note(self, waiting: int) -> None:
        """One point of the curves."""
        curves = self._curves
        curves.times.append(self._now)
        curves.on_nodes.append(self._on_nodes)
        curves.on_fargate.append(self._on_fargate)
        curves.waiting.append(waiting)
        curves.cost.append(self._spent)

    def close(self) -> Outcome:
        """The sum of it all, with the nodes that stood until the trace was over and every pod had ended."""
        self._node_ms += self._standing * (self._end - self._begin)
        hourly = self._standing * self._node_hourly
        cost = self._curves.cost
        for index, time in enumerate(self._curves.times):
            cost[index] += hourly * (min(time, self._end) - self._begin) / HOUR_MS
        return Outcome(
            waits=tuple(self._waits),
            overflowed=self._overflowed,
            node_ms=self._node_ms,
            node_cost=self._node_ms * self._node_hourly / HOUR_MS,
            task_ms=self._task_ms,
            fargate_cost=self._fargate_cost,
            end=self._end,
            curves=self._curves,
        )
