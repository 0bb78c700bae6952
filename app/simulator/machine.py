"""The virtual cluster: real nodes, the pods on them, and those that wait for one.

Pods are packed: each goes to the oldest node with room, as a consolidating autoscaler would have it in the
end. kube-scheduler by itself spreads them, which keeps more added nodes from ever being empty.
"""

from collections.abc import Iterable, Sequence

from app.simulator.backlog import Backlog
from app.simulator.config import NodeShape
from app.simulator.rooms import Rooms
from app.simulator.trace import TracedPod


class Machine:
    """Who is where, and who waits.

    Args:
        pods: of the trace, oldest first; everywhere else a pod is its index here.
        node: what every node offers.
        slots: the most nodes that there may ever be.
    """

    def __init__(self, pods: Sequence[TracedPod], *, node: NodeShape, slots: int) -> None:
        self._sizes = [(pod.cpu_milli, pod.memory_mib) for pod in pods]
        self._node = node
        self._rooms = Rooms(slots)
        self._waiting = Backlog(self._sizes)

    @property
    def waiting(self) -> int:
        """How many pods wait for a node."""
        return len(self._waiting)

    def is_waiting(self, pod: int) -> bool:
        """Whether the pod is among them."""
        return pod in self._waiting

    def open(self, slot: int) -> None:
        """A node becomes Ready."""
        node = self._node
        self._rooms.open(slot, cpu_milli=node.cpu_milli, memory_mib=node.memory_mib, pods=node.pods)

    def close(self, slot: int) -> None:
        """An empty node is removed."""
        self._rooms.close(slot)

    def place(self, pod: int) -> int | None:
        """Bind the pod to the first node with room; None where there is none."""
        slot = self._rooms.first(*self._sizes[pod])
        if slot is not None:
            self._rooms.take(slot, *self._sizes[pod])
        return slot

    def leave(self, pod: int, slot: int) -> None:
        """The pod ends."""
        self._rooms.give(slot, *self._sizes[pod])

    def wait(self, pod: int) -> None:
        """No node had room for the pod: it is Unschedulable."""
        self._waiting.add(pod)

    def withdraw(self, pod: int) -> None:
        """The pod waits no longer."""
        self._waiting.remove(pod)

    def fill(self, slots: Iterable[int]) -> Iterable[tuple[int, int]]:
        """Bind the pods that wait to nodes with new room, oldest pod first; yields pod and slot."""
        for slot in slots:
            while (pod := self._oldest_for(slot)) is not None:
                self.withdraw(pod)
                self._rooms.take(slot, *self._sizes[pod])
                yield pod, slot

    def is_empty(self, slot: int) -> bool:
        """Whether a node stands there that nobody is on."""
        return slot in self._rooms and self._rooms.free(slot)[2] == self._node.pods

    def free(self, slot: int) -> tuple[int, int, int]:
        """Millicores, MiB and pod slots that are left on the node."""
        return self._rooms.free(slot)

    def slots(self) -> tuple[int, ...]:
        """The nodes that are Ready."""
        return self._rooms.slots()

    def _oldest_for(self, slot: int) -> int | None:
        cpu, memory, pods = self._rooms.free(slot)
        return self._waiting.oldest_within(cpu, memory) if pods > 0 else None
