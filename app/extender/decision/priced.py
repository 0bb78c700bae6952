"""What a pod costs, worked out once for each state of it."""

from collections.abc import Collection
from typing import Final

import msgspec

from app.extender.decision.book import Costs
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.offer import Offer
from app.model.pod import Pod

_OFFERS: Final = 8
"""Offers of a pod that are kept; each virtual node has one, and prices change once in a while."""

_SIZES: Final = 4
"""Sizes that a pod had before, of which its task may have one: the dearest are kept."""


class Priced:
    """`app.extender.decision.book.Costs` with a memory.

    A task keeps the size that it was launched with: nothing resizes it. So a pod that is resized on its
    virtual node costs the most that it has asked for there, until it ends. A new leader knows only what it
    asks for then.

    Args:
        costs: what a pod costs; a pure function, so that its answer may be kept.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._known: dict[PodUid, tuple[Pod, list[tuple[Offer, Cost | None]]]] = {}
        self._before: dict[PodUid, list[Pod]] = {}

    def __call__(self, pod: Pod, offer: Offer) -> Cost | None:
        """What the pod as it is now costs by this offer."""
        known = self._known.get(pod.uid)
        if known is None or known[0] is not pod:
            if known is not None and _is_resized(known[0], pod):
                self._before.setdefault(pod.uid, []).append(known[0])
            known = self._known[pod.uid] = (pod, [])
        for priced, cost in known[1]:
            if priced is offer:
                return cost
        cost = self._most(pod, offer)
        del known[1][_OFFERS - 1 :]
        known[1].insert(0, (offer, cost))
        return cost

    def _most(self, pod: Pod, offer: Offer) -> Cost | None:
        """What the pod costs, or did in a size that its task may still have."""
        cost = self._costs(pod, offer)
        before = self._before.get(pod.uid)
        if before is None:
            return cost
        priced = [(each, self._costs(each, offer)) for each in before]
        priced.sort(key=lambda row: row[1].on_demand if row[1] is not None else 0.0, reverse=True)
        self._before[pod.uid] = [each for each, _ in priced[:_SIZES]]
        for _, other in priced:
            cost = _dearer(cost, other)
        return cost

    def keep(self, alive: Collection[PodUid]) -> None:
        """Forget all other pods."""
        for uid in self._before.keys() - alive:
            del self._before[uid]
        for uid in self._known.keys() - alive:
            del self._known[uid]


def _is_resized(before: Pod, after: Pod) -> bool:
    """Whether the pod asks for something else than before, on the same node."""
    old, new = before.spec, after.spec
    if not old.node_name or old.node_name != new.node_name:
        return False
    asked = (new.containers, new.init_containers, new.resources)
    return (old.containers, old.init_containers, old.resources) != asked


def _dearer(one: Cost | None, other: Cost | None) -> Cost | None:
    """The most of each; what is known of a price where only one is."""
    if one is None or other is None:
        return one or other
    return msgspec.structs.replace(
        one,
        vcpu=max(one.vcpu, other.vcpu),
        memory_mib=max(one.memory_mib, other.memory_mib),
        hourly=max(one.hourly, other.hourly),
        on_demand=max(one.on_demand, other.on_demand),
    )
