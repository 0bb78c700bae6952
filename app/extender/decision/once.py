"""What is worked out of a pod alone, once for each state of it."""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from app.model.names import PodUid
from app.model.pod import Pod

T = TypeVar("T")


class Once(Generic[T]):
    """A function of a pod, with a memory.

    Args:
        worked_out: a pure function, so that what it gives may be kept; what it raises is not.
    """

    def __init__(self, worked_out: Callable[[Pod], T]) -> None:
        self._worked_out = worked_out
        self._known: dict[PodUid, tuple[Pod, T]] = {}

    def __call__(self, pod: Pod) -> T:
        """What it gives for the pod as it is now."""
        known = self._known.get(pod.uid)
        if known is not None and known[0] is pod:
            return known[1]
        found = self._worked_out(pod)
        self._known[pod.uid] = (pod, found)
        return found

    def keep(self, alive: Collection[PodUid]) -> None:
        """Forget all other pods."""
        for uid in self._known.keys() - alive:
            del self._known[uid]
