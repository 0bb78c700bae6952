"""What becomes of placeholders: which stay, which go and why, and which hand-overs came about or to nothing.

A hand-over has come about when a pod left whose placeholder ran: a node alone is none. It came to nothing
where no node came, or (`idlers`) one that its pod did not use. Each counts once: what was asked for before
the last hand-over in vain is part of that one, however late its placeholders go.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.extender.cluster.reach import Reach, reach_of
from app.extender.homing.break_even import Account, arrived, given_up
from app.extender.homing.idlers import Unused
from app.extender.homing.movable import anchor
from app.extender.homing.node_shape import Bin, Load, Shape, packed
from app.extender.homing.placeholders import Placeholder
from app.model.early import owner_of
from app.model.names import PodUid
from app.model.pod import Pod, controller_of
from app.model.reason import Reason

GONE: Final = Reason("PodGone", "the pod that it stood for is gone, or on its way home")
SPENT: Final = Reason("PlaceholderEnded", "it ran for as long as it may")
LATE: Final = Reason("NoNodeCame", "no node came for it in time")
KEPT: Final = Reason("PodKept", "the pod that it stands for may no longer be moved")
IDLE: Final = Reason(
    "PodHeldUp", "its pod was not Ready, or its controller could not do without it, for too long"
)

_PASSING: Final = frozenset({"NotReady", "RecentlyReady"})
"""Codes of reasons to stay that end by themselves: what was asked for is not thrown away at once."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What one look tells the next of a placeholder that stays.

    Attributes:
        reach: where its pod could go.
        owner: its pod's controller, as `app.model.early.owner_of` gives it.
        made: when the placeholder was made.
        ran: whether it ran.
        held_up: since when its pod could not leave, though it may; None where it could.
    """

    reach: Reach
    owner: str
    made: datetime
    ran: bool
    held_up: datetime | None = None


Promises = Mapping[PodUid, Promise]
"""By the pod that the placeholder stands for."""


class Guest(msgspec.Struct, frozen=True):
    """A placeholder, the overflow pod that it stands for, and where that could go."""

    holder: Placeholder
    pod: Pod
    reach: Reach
    held_up: datetime | None


class Removal(msgspec.Struct, frozen=True):
    """A placeholder that goes."""

    placeholder: Pod
    reason: Reason


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """By what placeholders are judged.

    Attributes:
        now: the time.
        timeout: how long one waits for a node, and a node for a pod that is held up.
        jobs: whether pods of Jobs may be moved.
        stuck: controllers that cannot do without a replica, as `app.model.early.owner_of` gives them.
    """

    now: datetime
    timeout: timedelta
    jobs: bool
    stuck: frozenset[str]


class Hall:
    """The placeholders, sorted into those that go and those that stay, and for whom.

    Attributes:
        removals: those that go.
        taken: pods that have one, be it on its way out.
        guests: those that stay.
        ready: the pods whose placeholder runs.
        reaches: all reaches that have any.
    """

    def __init__(
        self,
        held: Iterable[Placeholder],
        pods: Mapping[PodUid, Pod],
        promises: Promises,
        *,
        patience: Patience,
    ) -> None:
        self.removals: list[Removal] = []
        self._patience = patience
        self._failed: list[tuple[Guest, Reason]] = []
        guests = self._sorted(held, pods, promises)
        due = patience.now - patience.timeout
        late = {each.reach for each in guests if each.holder.waits and each.holder.made <= due}
        for each in guests:
            if each.holder.waits and each.reach in late:
                self._go(each, LATE)
        self.guests = [each for each in guests if not (each.holder.waits and each.reach in late)]
        failed = [guest for guest, _ in self._failed]
        self.taken = frozenset(each.pod.uid for each in (*guests, *failed)) | self._kept
        self.ready = frozenset(each.pod.uid for each in self.guests if not each.holder.waits)
        self.reaches = frozenset(each.reach for each in (*guests, *failed))
        self._left = [
            each for uid, each in promises.items() if each.ran and (uid not in pods or has_left(pods[uid]))
        ]

    def _sorted(
        self, held: Iterable[Placeholder], pods: Mapping[PodUid, Pod], promises: Promises
    ) -> list[Guest]:
        found = []
        kept: set[PodUid] = set()
        for each in held:
            pod = pods.get(each.stands_for)
            if pod is None or has_left(pod):
                self.removals.append(Removal(each.pod, GONE))
                continue
            known = promises.get(pod.uid)
            guest = Guest(self._dated(each, known), pod, reach_of(pod), self._held_up(pod, known))
            if each.is_over:
                self._go(guest, SPENT)
            elif self._is_kept(pod):
                kept.add(pod.uid)
                self.removals.append(Removal(each.pod, KEPT))
            elif guest.held_up is not None and self._patience.now - guest.held_up >= self._patience.timeout:
                self._go(guest, IDLE)
            else:
                found.append(guest)
        self._kept = frozenset(kept)
        return found

    def _dated(self, holder: Placeholder, known: Promise | None) -> Placeholder:
        """One that was made after now, by a clock that was set back since, was made when we first saw it."""
        now = self._patience.now
        if holder.made <= now:
            return holder
        return msgspec.structs.replace(holder, made=min(known.made, now) if known else now)

    def _go(self, guest: Guest, reason: Reason) -> None:
        self.removals.append(Removal(guest.holder.pod, reason))
        self._failed.append((guest, reason))

    def _is_kept(self, pod: Pod) -> bool:
        if pod.metadata.deletion_timestamp is not None:
            return False  # of a StatefulSet: the room is for its successor
        reason = self._anchor(pod)
        return reason is not None and reason.code not in _PASSING

    def _held_up(self, pod: Pod, promise: Promise | None) -> datetime | None:
        stuck = owner_of(pod) in self._patience.stuck
        if pod.metadata.deletion_timestamp is not None or not (stuck or self._anchor(pod)):
            return None
        since = promise.held_up if promise else None
        return min(since or self._patience.now, self._patience.now)

    def _anchor(self, pod: Pod) -> Reason | None:
        return anchor(pod, now=self._patience.now, after=timedelta(0), jobs=self._patience.jobs)

    @property
    def promises(self) -> Promises:
        """For the next look."""
        return {
            each.pod.uid: Promise(
                reach=each.reach,
                owner=owner_of(each.pod),
                made=each.holder.made,
                ran=not each.holder.waits,
                held_up=each.held_up,
            )
            for each in self.guests
        }

    def bins(self, reach: Reach, shape: Shape) -> tuple[Bin, ...]:
        """The nodes that the placeholders of a reach fill."""
        return packed((Load(each.pod, 0.0) for each in self.guests if each.reach == reach), shape.room)

    def gave_up(self, account: Account, reach: Reach) -> bool:
        """Whether no node came for a hand-over of the reach, which was not counted before."""
        return any(
            reason is LATE and each.reach == reach and _is_new(each.holder.made, account)
            for each, reason in self._failed
        )

    def unused(self) -> tuple[Unused, ...]:
        """The placeholders that go though their node came: their pods did not use it."""
        return tuple(
            Unused(owner=owner_of(each.pod), name=_name(each.pod), made=each.holder.made, reason=reason)
            for each, reason in self._failed
            if reason is not LATE
        )

    def left(self) -> frozenset[str]:
        """The controllers of which a pod has left for its room."""
        return frozenset(each.owner for each in self._left)

    def adjusted(self, account: Account, reach: Reach) -> Account:
        """The account with what became of the reach's hand-over."""
        if self.gave_up(account, reach):
            return given_up(account, now=self._patience.now)
        came = any(each.reach == reach and _is_new(each.made, account) for each in self._left)
        return arrived(account) if came else account


def has_left(pod: Pod) -> bool:
    """Whether the room is for its successor now; a StatefulSet's comes only when the old pod is gone."""
    if pod.metadata.deletion_timestamp is None:
        return False
    owner = controller_of(pod)
    return owner is None or owner.kind != "StatefulSet"


def _name(pod: Pod) -> str:
    owner = controller_of(pod)
    return pod.key if owner is None else f"{owner.kind} {pod.metadata.namespace}/{owner.name}"


def _is_new(made: datetime, account: Account) -> bool:
    return account.struck is None or made > account.struck
