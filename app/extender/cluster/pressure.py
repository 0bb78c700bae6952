"""How full the nodes are that a pod could use, and what waits for room there."""

from datetime import datetime

import msgspec

from app.extender.cluster.watermark import Watermark
from app.model.resources import Resources


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """One reach at one moment.

    Nodes that are not Ready or cordoned give no room; pods of negative priority, which others push aside,
    take none.

    Attributes:
        nodes: how many real nodes there are that take pods.
        allocatable: what they offer in all: cpu, memory and pods.
        used: what pods ask of that.
        pending: pods that the scheduler finds no node for, and that could use one of these nodes, opted in or
            not.
        wanted: what those ask for.
        rejected: how many pods it found none for lately, whatever became of them.
        coming: how many nodes are on their way.
        coming_room: what those will bring, as far as it is known.
        mark: whether the level is high or low, and since when; None where nobody follows it.
        changes_at: when that changes if the level stays; None where it does not.
    """

    nodes: int = 0
    allocatable: Resources = Resources()
    used: Resources = Resources()
    pending: int = 0
    wanted: Resources = Resources()
    rejected: int = 0
    coming: int = 0
    coming_room: Resources = Resources()
    mark: Watermark | None = None
    changes_at: datetime | None = None

    @property
    def cpu(self) -> float:
        """Requested over allocatable; 1.0 where there is nothing to take from."""
        return _share(self.used.cpu_milli, self.allocatable.cpu_milli)

    @property
    def memory(self) -> float:
        """Requested over allocatable; 1.0 where there is nothing to take from."""
        return _share(self.used.memory, self.allocatable.memory)

    @property
    def pods(self) -> float:
        """Pods over pod slots; 1.0 where there are none."""
        return _share(self.used.pods, self.allocatable.pods)

    @property
    def level(self) -> float:
        """The largest of the three shares; above 1.0 where nodes are overcommitted."""
        return max(self.cpu, self.memory, self.pods)


def _share(used: int, there: int) -> float:
    return used / there if there > 0 else 1.0
