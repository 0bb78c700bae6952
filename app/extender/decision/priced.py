"""What a pod costs, worked out once for each state of it."""

from collections.abc import Collection

from app.extender.decision.book import Costs
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.offer import Offer
from app.model.pod import Pod

_OFFERS = 8
"""Offers of a pod that are kept; each virtual node has one, and prices change once in a while."""


class Priced:
    """`app.extender.decision.book.Costs` with a memory.

    Args:
        costs: what a pod costs; a pure function, so that its answer may be kept.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._known: dict[PodUid, tuple[Pod, list[tuple[Offer, Cost | None]]]] = {}

    def __call__(self, pod: Pod, offer: Offer) -> Cost | None:
        """What the pod as it is now costs by this offer."""
        known = self._known.get(pod.uid)
        if known is None or known[0] is not pod:
            known = self._known[pod.uid] = (pod, [])
        for priced, cost in known[1]:
            if priced is offer:
                return cost
        cost = self._costs(pod, offer)
        del known[1][_OFFERS - 1 :]
        known[1].insert(0, (offer, cost))
        return cost

    def keep(self, alive: Collection[PodUid]) -> None:
        """Forget all other pods."""
        for uid in self._known.keys() - alive:
            del self._known[uid]
