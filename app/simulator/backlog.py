"""The pods that wait for a node, and the oldest of them that fits into a room, whatever mix of sizes waits.

Most pods of a trace share a few sizes. The distinct ones stand at the leaves of a k-d tree, which halves them
by cpu and by memory in turn: https://en.wikipedia.org/wiki/K-d_tree
"""

import heapq
from collections.abc import Sequence
from typing import Final

Size = tuple[int, int]
"""Millicores and MiB."""

_NOBODY: Final = 2**62
"""Later than every pod."""

_ENDLESS: Final = (_NOBODY, _NOBODY)


class Backlog:
    """Who waits, by index; a lower index is an older pod.

    Args:
        sizes: of all pods that may ever wait.
    """

    def __init__(self, sizes: Sequence[Size]) -> None:
        self._sizes = sizes
        distinct = sorted(set(sizes))
        self._leaves = 1 << max(len(distinct) - 1, 0).bit_length()
        self._least: list[Size] = [_ENDLESS] * (2 * self._leaves)
        self._most: list[Size] = [_ENDLESS] * (2 * self._leaves)
        self._oldest = [_NOBODY] * (2 * self._leaves)
        self._leaf: dict[Size, int] = {}
        self._lines: dict[Size, list[int]] = {size: [] for size in distinct}
        self._waiting: dict[int, None] = {}
        if distinct:
            self._plant(1, distinct, by=0)

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, pod: int) -> bool:
        return pod in self._waiting

    def add(self, pod: int) -> None:
        """The pod waits from now on."""
        size = self._sizes[pod]
        self._waiting[pod] = None
        heapq.heappush(self._lines[size], pod)
        self._refresh(size)

    def remove(self, pod: int) -> None:
        """The pod waits no longer."""
        del self._waiting[pod]
        self._refresh(self._sizes[pod])

    def oldest_within(self, cpu_milli: int, memory_mib: int) -> int | None:
        """The oldest pod that asks for no more than this."""
        best = _NOBODY
        open_nodes = [1]
        while open_nodes:
            at = open_nodes.pop()
            least, most = self._least[at], self._most[at]
            if self._oldest[at] >= best or least[0] > cpu_milli or least[1] > memory_mib:
                continue
            if most[0] <= cpu_milli and most[1] <= memory_mib:
                best = self._oldest[at]
            else:
                # Who is likely to be the oldest is looked at first, and rules out the other.
                open_nodes += sorted((2 * at, 2 * at + 1), key=self._oldest.__getitem__, reverse=True)
        return None if best == _NOBODY else best

    def _plant(self, at: int, sizes: list[Size], *, by: int) -> None:
        self._least[at] = min(size[0] for size in sizes), min(size[1] for size in sizes)
        self._most[at] = max(size[0] for size in sizes), max(size[1] for size in sizes)
        if at >= self._leaves:
            self._leaf[sizes[0]] = at
            return
        sizes = sorted(sizes, key=lambda size: size[by])
        middle = (len(sizes) + 1) // 2
        for child, half in ((2 * at, sizes[:middle]), (2 * at + 1, sizes[middle:])):
            if half:
                self._plant(child, half, by=1 - by)

    def _refresh(self, size: Size) -> None:
        """The oldest of this size may be another one than before."""
        line, oldest = self._lines[size], self._oldest
        while line and line[0] not in self._waiting:
            heapq.heappop(line)
        at, head = self._leaf[size], line[0] if line else _NOBODY
        while at and oldest[at] != head:
            oldest[at] = head
            at >>= 1
            head = min(oldest[2 * at], oldest[2 * at + 1])
