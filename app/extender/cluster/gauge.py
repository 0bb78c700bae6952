"""Measures the pressure in every reach in use, without walking over nodes or pods that did not change.

Which nodes a reach holds is worked out once, when a pod first asks for it. After that a node's change costs
one comparison for each reach, and what pods take of it one addition.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from app.extender.cluster.facts import Coming, RealNode
from app.extender.cluster.pressure import Pressure
from app.extender.cluster.reach import Reach, reach_of
from app.extender.cluster.watermark import Watermark, WatermarkConfig, changes_at, step
from app.model.names import PodUid
from app.model.node import Node, is_ready
from app.model.pod import Pod, condition, is_of_daemon_set
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources

MOST_REACHES: Final = 256
"""Reaches measured at once: who gives every pod words of its own must not fill our memory."""

NEW_REACHES: Final = 4
"""Reaches taken up in one turn: each costs a look at every node. Further ones come a turn later."""

LATELY: Final = timedelta(minutes=5)
_MOST_REJECTIONS: Final = 1000
_EVER: Final = datetime.min.replace(tzinfo=UTC)

_Three = tuple[int, int, int]
"""cpu in millicores, memory in bytes, pods."""


class _Asking(msgspec.Struct, frozen=True):
    """One pod's part, worked out once; `rejected` is when the scheduler found no node for it."""

    pod: Pod
    reach: Reach
    wants: _Three
    rejected: datetime | None


class _Area(msgspec.Struct):
    """One reach: the nodes it holds, their sums (allocatable, used), and what waits; changed in place."""

    members: set[str]
    there: _Three = (0, 0, 0)
    used: _Three = (0, 0, 0)
    mark: Watermark | None = None
    pending: int = 0
    wanted: _Three = (0, 0, 0)
    rejections: list[datetime] = []
    newest: datetime = _EVER

    def rejected_at(self, moment: datetime) -> None:
        """A pod found no room; `rejections` is a heap, the oldest first."""
        self.newest = max(self.newest, moment)
        heapq.heappush(self.rejections, moment)
        if len(self.rejections) > _MOST_REJECTIONS:
            heapq.heappop(self.rejections)

    def forget(self, now: datetime) -> None:
        """Drop what was not lately. What is dated after now, as by a clock that was set back, is of now."""
        while self.rejections and self.rejections[0] < now - LATELY:
            heapq.heappop(self.rejections)
        if self.newest > now:
            self.rejections = sorted(min(each, now) for each in self.rejections)
            self.newest = now


class _Queue(msgspec.Struct, frozen=True):
    """What waits in reaches that share nodes: pods, what they ask for, and how many were lately rejected."""

    pending: int
    wanted: _Three
    rejected: int


class Gauge:
    """Pressure by reach. Fed with real nodes as they change; asked once in a turn.

    Args:
        watermarks: when a level is high, and when it is low again.
    """

    def __init__(self, watermarks: WatermarkConfig) -> None:
        self._watermarks = watermarks
        self._usable: dict[str, RealNode] = {}
        self._areas: dict[Reach, _Area] = {}
        self._overlaps: dict[Reach, tuple[Reach, ...]] = {}
        self._same: dict[frozenset[str], tuple[Reach, ...]] = {}
        self._asking: dict[PodUid, _Asking] = {}
        self._rejected: set[PodUid] = set()

    def node_changed(self, name: str, after: RealNode | None) -> None:
        """The real node is now like this; None where it is gone, or is no real one any more."""
        before = self._usable.pop(name, None)
        if after is not None and _takes_pods(after.node):
            self._usable[name] = after
        else:
            after = None
        if before is None and after is None:
            return
        same = before is not None and after is not None and _has_same_words(before.node, after.node)
        for reach, area in self._areas.items():
            held = name in area.members
            holds = held if same else after is not None and reach.holds(after.node)
            if held and before is not None:
                _count(area, before, -1)
            if holds and after is not None:
                _count(area, after, 1)
            if held != holds:
                self._members_changed()
                (area.members.add if holds else area.members.discard)(name)

    def measured(
        self, *, pending: Iterable[Pod], others: Iterable[Pod], coming: Iterable[Coming], now: datetime
    ) -> dict[PodUid, Pressure]:
        """The pressure where each pod could go.

        Pods of DaemonSets are left out, and those whose reach is not taken up yet.

        Args:
            pending: the pods that the scheduler finds no node for.
            others: further pods that somebody asks about.
            coming: nodes on their way.
            now: to tell what was lately.
        """
        asking = self._taken_up((*pending,), (*others,))
        arriving = tuple(coming)
        for area in self._areas.values():
            area.forget(now)
        queues: dict[int, _Queue] = {}
        readings = {
            reach: self._reading(reach, arriving, queues, now=now)
            for reach in {each.reach for each in asking.values() if each.reach in self._areas}
        }
        return {uid: readings[each.reach] for uid, each in asking.items() if each.reach in readings}

    def _taken_up(self, pending: tuple[Pod, ...], others: tuple[Pod, ...]) -> Mapping[PodUid, _Asking]:
        known, self._asking = self._asking, {}
        for area in self._areas.values():
            area.pending, area.wanted = 0, (0, 0, 0)
        for pod in (*pending, *others):
            before = known.get(pod.uid)
            if before is not None and before.pod is pod:
                self._asking[pod.uid] = before
            elif not is_of_daemon_set(pod):
                self._asking[pod.uid] = _asking(pod)
        self._rejected &= self._asking.keys()
        self._make_areas()
        for pod in pending:
            each = self._asking.get(pod.uid)
            if each is not None and each.reach in self._areas:
                self._await(self._areas[each.reach], each)
        return self._asking

    def _await(self, area: _Area, each: _Asking) -> None:
        """Count a pending pod, and its rejection where that is news."""
        area.pending += 1
        area.wanted = _sum(area.wanted, each.wants, 1)
        if each.rejected is not None and each.pod.uid not in self._rejected:
            self._rejected.add(each.pod.uid)
            area.rejected_at(each.rejected)

    def _make_areas(self) -> None:
        asked = dict.fromkeys(each.reach for each in self._asking.values())
        new = [reach for reach in asked if reach not in self._areas][:NEW_REACHES]
        for reach in [each for each in self._areas if each not in asked]:
            if len(self._areas) + len(new) <= MOST_REACHES:
                break
            del self._areas[reach]
            self._members_changed()
        for reach in new[: MOST_REACHES - len(self._areas)]:
            self._areas[reach] = self._area(reach)
            self._members_changed()

    def _area(self, reach: Reach) -> _Area:
        area = _Area({name for name, each in self._usable.items() if reach.holds(each.node)})
        for name in area.members:
            _count(area, self._usable[name], 1)
        return area

    def _reading(
        self, reach: Reach, coming: tuple[Coming, ...], queues: dict[int, _Queue], *, now: datetime
    ) -> Pressure:
        area = self._areas[reach]
        arriving = [each.room for each in coming if reach.holds(each.node)]
        beside = self._overlapping(reach)
        # Reaches of equal nodes share one tuple: 256 of them are summed up once, not 256 times.
        queue = queues.get(id(beside))
        if queue is None:
            queue = queues[id(beside)] = self._queue(beside)
        brought = (0, 0, 0)
        for room in arriving:
            brought = _sum(brought, _three(room), 1)
        pressure = Pressure(
            nodes=len(area.members),
            allocatable=_resources(area.there),
            used=_resources(area.used),
            pending=queue.pending,
            wanted=_resources(queue.wanted),
            rejected=queue.rejected,
            coming=len(arriving),
            coming_room=_resources(brought),
        )
        area.mark = step(area.mark, pressure.level, now, self._watermarks)
        changes = changes_at(area.mark, pressure.level, self._watermarks)
        return msgspec.structs.replace(pressure, mark=area.mark, changes_at=changes)

    def _queue(self, beside: tuple[Reach, ...]) -> _Queue:
        areas = [self._areas[each] for each in beside]
        wanted = (0, 0, 0)
        for each in areas:
            wanted = _sum(wanted, each.wanted, 1)
        return _Queue(
            sum(each.pending for each in areas), wanted, sum(len(each.rejections) for each in areas)
        )

    def _members_changed(self) -> None:
        self._overlaps.clear()
        self._same.clear()

    def _overlapping(self, reach: Reach) -> tuple[Reach, ...]:
        """The reaches that share a node with this one, and the reach itself."""
        found = self._overlaps.get(reach)
        if found is None:
            own = frozenset(self._areas[reach].members)
            found = self._same.get(own) if own else (reach,)
            if found is None:
                found = tuple(
                    other for other, area in self._areas.items() if not own.isdisjoint(area.members)
                )
                self._same[own] = found
            self._overlaps[reach] = found
        return found


def _takes_pods(node: Node) -> bool:
    return is_ready(node) and not node.spec.unschedulable


def _has_same_words(before: Node, after: Node) -> bool:
    return before.metadata.labels == after.metadata.labels and before.spec.taints == after.spec.taints


def _asking(pod: Pod) -> _Asking:
    try:
        wants = _three(requests_of(pod))
    except QuantityError:
        # An API server refuses such a pod; what it wants nobody can say.
        wants = (0, 0, 1)
    found = condition(pod, "PodScheduled")
    rejected = found.last_transition_time if found is not None and found.status == "False" else None
    return _Asking(pod, reach_of(pod), wants, rejected)


def _count(area: _Area, node: RealNode, sign: int) -> None:
    area.there = _sum(area.there, _three(node.allocatable), sign)
    area.used = _sum(area.used, _three(node.used), sign)


def _three(room: Resources) -> _Three:
    return (room.cpu_milli, room.memory, room.pods)


def _sum(left: _Three, right: _Three, sign: int) -> _Three:
    return (left[0] + sign * right[0], left[1] + sign * right[1], left[2] + sign * right[2])


def _resources(amount: _Three) -> Resources:
    return Resources(cpu_milli=amount[0], memory=amount[1], pods=amount[2])
