"""How many pods can go home while a node that is bought for them stays: more would keep rooms empty.

Pods of one controller go one after the other, each when the last one's successor is Ready, and few
controllers at a time (docs/decisions/0021-the-way-home.md). A placeholder whose pod's turn would come after
the stay is not made yet: the kubelet would end it first. Once others are home, it is.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from app.extender.homing.node_shape import Bin, Load
from app.model.early import owner_of
from app.model.pod import Pod

_TURN: Final = timedelta(seconds=90)
"""From one eviction to the next: the usual grace period of 30 s, and a minute for the successor to be placed,
start, be Ready, and be seen to be."""

_USUAL_GRACE: Final = 30
_FEWEST: Final = 10
"""Turns that any stay has: who sets one of minutes tries things out."""


Turns = Mapping[str, float]
"""By controller, as `app.model.early.owner_of` gives it."""


def turns_in(stay: timedelta) -> float:
    """How many pods of one controller can go home within a stay: 40 in an hour."""
    return max(_FEWEST, stay / _TURN)


def turns_of(pod: Pod) -> float:
    """How many turns one pod takes: those that take long to end hold up the others."""
    longer = pod.spec.termination_grace_period_seconds - _USUAL_GRACE
    return 1.0 + max(0, longer) / _TURN.total_seconds()


class Queue:
    """The turns that are promised to pods.

    Args:
        promised: the pods that have a placeholder.
        stay: the time that a bought node is paid for.
        lanes: how many controllers' pods go home at once.
    """

    def __init__(self, promised: Iterable[Pod], *, stay: timedelta, lanes: int) -> None:
        self._most = turns_in(stay)
        self._most_together = lanes * self._most
        self._taken = _with({}, (Load(pod, 0.0) for pod in promised))

    def admitted(self, bins: Iterable[Bin], *, hourly: float) -> tuple[Bin, ...]:
        """The nodes' worth that would go home in time, after those that are promised; they take their turns.

        Of a bin that would take more than a stay by itself, as one of many small pods, only some are: the
        node has room for the others, which follow without placeholders. Behind a bin that has to wait only
        those come that are worth a node by themselves, since the account counts the dearest first.

        Args:
            bins: what overflows, the dearest first.
            hourly: what a node costs an hour.
        """
        found = []
        waits = False
        for each in bins:
            if waits and each.hourly < hourly:
                break
            loads = self._portion(each.loads)
            after = _with(self._taken, loads)
            if not self._taken or self._has_room(after):
                self._taken = after
                found.append(Bin(loads, each.hourly))
            else:
                waits = True
        return tuple(found)

    def _portion(self, loads: Iterable[Load]) -> tuple[Load, ...]:
        """As many as could go home if nobody else did; one at least."""
        taken: Turns = {}
        portion: list[Load] = []
        for load in loads:
            after = _with(taken, (load,))
            if not portion or self._has_room(after):
                portion.append(load)
                taken = after
        return tuple(portion)

    def _has_room(self, taken: Turns) -> bool:
        return max(taken.values()) <= self._most and sum(taken.values()) <= self._most_together


def _with(taken: Turns, loads: Iterable[Load]) -> Turns:
    after = dict(taken)
    for load in loads:
        owner = owner_of(load.pod)
        after[owner] = after.get(owner, 0.0) + turns_of(load.pod)
    return after
