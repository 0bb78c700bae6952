"""Rooms side by side, and the first of them that is large enough, found without asking them one by one."""

from typing import Final

NOTHING: Final = -(2**62)
"""Less than anybody asks for."""


class FirstFit:
    """Pairs of numbers by index; `first` finds the lowest index whose pair is large enough in both.

    A tree of maxima: setting costs the logarithm of the size, and finding does, too, unless many pairs are
    large in one number and small in the other.
    """

    def __init__(self, size: int) -> None:
        self._leaves = 1 << max(size - 1, 0).bit_length()
        self._left = [NOTHING] * (2 * self._leaves)
        self._right = [NOTHING] * (2 * self._leaves)

    def set(self, index: int, left: int, right: int) -> None:
        """Change one pair."""
        lefts, rights = self._left, self._right
        at = index + self._leaves
        lefts[at], rights[at] = left, right
        while at > 1:
            at >>= 1
            one, other = 2 * at, 2 * at + 1
            left = max(lefts[one], lefts[other])
            right = max(rights[one], rights[other])
            if lefts[at] == left and rights[at] == right:
                return
            lefts[at], rights[at] = left, right

    def first(self, left: int, right: int) -> int | None:
        """The lowest index whose pair is at least this in both numbers."""
        at = 1
        while at:
            if self._left[at] >= left and self._right[at] >= right:
                if at >= self._leaves:
                    return at - self._leaves
                at *= 2
                continue
            while at & 1:
                at >>= 1
            at += 1 if at else 0
        return None


class Rooms:
    """Free room by slot: millicores, MiB and pod slots of nodes that stand, or are on their way."""

    def __init__(self, slots: int) -> None:
        self._fit = FirstFit(slots)
        self._free: dict[int, tuple[int, int, int]] = {}

    def open(self, slot: int, *, cpu_milli: int, memory_mib: int, pods: int) -> None:
        """An empty room comes into being."""
        self._put(slot, (cpu_milli, memory_mib, pods))

    def close(self, slot: int) -> None:
        """It goes, whatever is in it."""
        del self._free[slot]
        self._fit.set(slot, NOTHING, NOTHING)

    def first(self, cpu_milli: int, memory_mib: int) -> int | None:
        """The lowest slot with so much room."""
        return self._fit.first(cpu_milli, memory_mib)

    def take(self, slot: int, cpu_milli: int, memory_mib: int) -> None:
        """A pod moves in."""
        cpu, memory, pods = self._free[slot]
        self._put(slot, (cpu - cpu_milli, memory - memory_mib, pods - 1))

    def give(self, slot: int, cpu_milli: int, memory_mib: int) -> None:
        """A pod moves out."""
        cpu, memory, pods = self._free[slot]
        self._put(slot, (cpu + cpu_milli, memory + memory_mib, pods + 1))

    def free(self, slot: int) -> tuple[int, int, int]:
        """Millicores, MiB and pod slots that are left."""
        return self._free[slot]

    def slots(self) -> tuple[int, ...]:
        """The slots that are open."""
        return tuple(self._free)

    def __contains__(self, slot: int) -> bool:
        return slot in self._free

    def _put(self, slot: int, free: tuple[int, int, int]) -> None:
        self._free[slot] = free
        cpu, memory, pods = free
        if pods > 0:
            self._fit.set(slot, cpu, memory)
        else:
            self._fit.set(slot, NOTHING, NOTHING)
