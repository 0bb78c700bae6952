"""The pods that a budget stands against, in groups that every budget treats alike.

Only the oldest of each need be asked about: with thousands held up, one end would otherwise mean thousands
of questions for one place.
"""

import heapq
from collections.abc import Hashable, Iterator


class Held:
    """Groups of pods, by index; the lowest index of a group is its oldest pod."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, list[int]] = {}
        self._group_of: dict[int, Hashable] = {}

    def add(self, pod: int, group: Hashable) -> None:
        """The pod is held up, as it may have been before."""
        if pod not in self._group_of:
            self._group_of[pod] = group
            heapq.heappush(self._groups.setdefault(group, []), pod)

    def discard(self, pod: int) -> None:
        """The pod is not held up any more."""
        self._group_of.pop(pod, None)

    def oldest(self, group: Hashable) -> int | None:
        """The group's first to go."""
        pods = self._groups.get(group, [])
        while pods and pods[0] not in self._group_of:
            heapq.heappop(pods)
        if not pods:
            self._groups.pop(group, None)
            return None
        return pods[0]

    def heads(self) -> Iterator[int]:
        """The oldest of every group."""
        for group in tuple(self._groups):
            head = self.oldest(group)
            if head is not None:
                yield head
