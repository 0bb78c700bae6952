"""An autoscaler with a given delay: nodes for the pods that no node has room for, gone again once empty.

It counts as cluster-autoscaler and Karpenter do: a pod that fits a node on its way asks for no other.
"""

import heapq
from collections.abc import Sequence

import msgspec

from app.simulator.config import NodeShape
from app.simulator.rooms import Rooms
from app.simulator.trace import TracedPod


class Asked(msgspec.Struct, frozen=True):
    """A node that was asked for: where it will stand, and when it was asked for, in milliseconds."""

    slot: int
    at: int


class Autoscaler:
    """Which nodes are on their way, and for whom.

    Args:
        pods: of the trace; a pod is its index here.
        node: the shape of what it adds.
        slots: the places that it may fill.
    """

    def __init__(self, pods: Sequence[TracedPod], *, node: NodeShape, slots: range) -> None:
        self._pods = pods
        self._node = node
        self._unused = list(slots)
        self._rooms = Rooms(slots.stop)
        self._claims: dict[int, int] = {}
        self._claimants: dict[int, dict[int, None]] = {}
        self._coming: dict[int, Asked] = {}

    @property
    def coming(self) -> tuple[Asked, ...]:
        """The nodes on their way."""
        return tuple(self._coming.values())

    def press(self, pod: int, now: int) -> Asked | None:
        """An Unschedulable pod is seen; the node that was asked for because of it, if one was."""
        cpu_milli, memory_mib = self._pods[pod].cpu_milli, self._pods[pod].memory_mib
        slot = self._rooms.first(cpu_milli, memory_mib)
        asked = None
        if slot is None:
            if not self._unused or not self._node.holds(cpu_milli, memory_mib):
                return None
            asked = self._ask(now)
            slot = asked.slot
        self._rooms.take(slot, cpu_milli, memory_mib)
        self._claims[pod] = slot
        self._claimants[slot][pod] = None
        return asked

    def withdraw(self, pod: int) -> None:
        """The pod waits no longer; a node that is on its way for it comes all the same."""
        slot = self._claims.pop(pod, None)
        if slot is not None:
            del self._claimants[slot][pod]
            self._rooms.give(slot, self._pods[pod].cpu_milli, self._pods[pod].memory_mib)

    def arrived(self, slot: int) -> tuple[int, ...]:
        """The node is Ready; the pods that it was asked for and that still wait, oldest first."""
        self._rooms.close(slot)
        del self._coming[slot]
        pods = tuple(self._claimants.pop(slot))
        for pod in pods:
            del self._claims[pod]
        return pods

    def removed(self, slot: int) -> None:
        """The node is gone; its place may be filled again."""
        heapq.heappush(self._unused, slot)

    def left(self, slot: int) -> tuple[int, int, int]:
        """What the node on its way will have left: millicores, MiB, pod slots."""
        return self._rooms.free(slot)

    def _ask(self, now: int) -> Asked:
        node = self._node
        asked = Asked(heapq.heappop(self._unused), now)
        self._rooms.open(asked.slot, cpu_milli=node.cpu_milli, memory_mib=node.memory_mib, pods=node.pods)
        self._coming[asked.slot] = asked
        self._claimants[asked.slot] = {}
        return asked
