"""What Fargate says about a pod, asked once for each state of it."""

from collections.abc import Collection

from app.extender.decision.hindrance import Refusals
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.reason import Reason


class Judged:
    """`app.extender.decision.hindrance.Refusals` with a memory.

    Args:
        refusals: why Fargate cannot run a pod; a pure function, so that its answer may be kept.
    """

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._known: dict[PodUid, tuple[Pod, tuple[Reason, ...]]] = {}

    def __call__(self, pod: Pod) -> tuple[Reason, ...]:
        """Every reason against the pod as it is now."""
        known = self._known.get(pod.uid)
        if known is not None and known[0] is pod:
            return known[1]
        reasons = self._refusals(pod)
        self._known[pod.uid] = (pod, reasons)
        return reasons

    def keep(self, alive: Collection[PodUid]) -> None:
        """Forget all other pods."""
        for uid in self._known.keys() - alive:
            del self._known[uid]
