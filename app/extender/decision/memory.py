"""What the gate remembers from one plan to the next; a new leader starts empty."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.decision.candidates import verdict_on
from app.extender.decision.ledger import NO_LAPSES, NOTHING_CLOSING, Closing, Lapses
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.pod import Pod

Gates = Mapping[PodUid, datetime | None]
"""The pods that were seen with scheduling gates: None while they have some, then since when none."""

NO_GATES: Final[Gates] = MappingProxyType({})

Ahead = Mapping[PodUid, datetime]
"""The pods whose own times lie after now: since when they are known, by our clock."""

NO_AHEAD: Final[Ahead] = MappingProxyType({})

Arrivals = Mapping[str, datetime | None]
"""The nodes that were seen on their way, by name: None while they are, then since when they take pods."""

NO_ARRIVALS: Final[Arrivals] = MappingProxyType({})


class Observed(msgspec.Struct, frozen=True):
    """A pod that would have burst to this virtual node; `cost` is None where it has no price."""

    node: str
    cost: Cost | None


NOBODY_OBSERVED: Final[Mapping[PodUid, Observed]] = MappingProxyType({})


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Early seats of one controller on one virtual node, which count as taken until a time.

    They stand open, or were closed a moment ago, so that pods may be landing in them. `pod` is like each of
    the controller's.
    """

    pod: Pod
    seats: int
    until: datetime


Place = tuple[str, str]
"""A virtual node's name, and a controller as `app.model.early.owner_of` gives it."""

NOTHING_HELD: Final[Mapping[Place, Held]] = MappingProxyType({})


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Made by one plan, given to the next.

    Attributes:
        lapses: the grants that pods let expire.
        observed: pods that would run on Fargate were it not for `observe`; until they are bound or gone.
        gates: the pods that were seen gated.
        ahead: the pods that say they began to wait after now.
        closing: the grants that were taken back a moment ago.
        arrivals: the nodes that were seen on their way.
        early: early seats that pods may be landing in.
    """

    lapses: Mapping[PodUid, Lapses] = NO_LAPSES
    gates: Gates = NO_GATES
    ahead: Ahead = NO_AHEAD
    closing: Mapping[PodUid, Closing] = NOTHING_CLOSING
    arrivals: Arrivals = NO_ARRIVALS
    observed: Mapping[PodUid, Observed] = NOBODY_OBSERVED
    early: Mapping[Place, Held] = NOTHING_HELD


def waits_after(memory: Memory, unbound: Mapping[PodUid, Pod], *, now: datetime) -> tuple[Gates, Ahead]:
    """What is remembered of when pods began to wait, as of now."""
    return (
        gates_after(memory.gates, unbound=unbound, now=now),
        ahead_after(memory.ahead, unbound=unbound, now=now),
    )


def gates_after(known: Gates, *, unbound: Mapping[PodUid, Pod], now: datetime) -> Gates:
    """The pods seen gated, as of now; those that found a node, or are gone, are forgotten.

    Needed because a pod's wait begins when its gates go, and its condition does not tell when: the status
    of `PodScheduled` stays False, so that `lastTransitionTime` stays what it was at its creation.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
    """
    found: dict[PodUid, datetime | None] = {}
    for uid, pod in unbound.items():
        if pod.spec.scheduling_gates:
            found[uid] = None
        elif uid in known:
            found[uid] = min(known[uid] or now, now)
    return found


def ahead_after(known: Ahead, *, unbound: Mapping[PodUid, Pod], now: datetime) -> dict[PodUid, datetime]:
    """The pods whose waiting began after now, as of now; those that found a node, or are gone, are forgotten.

    Where our clock was set back, or is behind the API server's, a pod's wait must not last until it has
    caught up: it is counted from when we first saw it so.
    """
    found = {uid: min(since, now) for uid, since in known.items() if uid in unbound}
    for uid, pod in unbound.items():
        since = tried_since(pod)
        if since is not None and since > now:
            found.setdefault(uid, now)
    return found


def tried_since(pod: Pod) -> datetime | None:
    """Since when the scheduler finds no node for the pod, as the pod says."""
    verdict = verdict_on(pod)
    return (verdict.last_transition_time if verdict else None) or pod.metadata.creation_timestamp


def arrivals_after(
    known: Arrivals, *, coming: Iterable[str], real: Container[str], now: datetime, settling: timedelta
) -> Arrivals:
    """The nodes seen on their way, as of now; those that did not come, or came long ago, are forgotten.

    Args:
        known: as of the last plan.
        coming: those on their way, by name.
        real: the nodes that there are.
        now: the time.
        settling: how long the scheduler may take to fill a node that came.
    """
    found: dict[str, datetime | None] = dict.fromkeys(coming)
    for name, came in known.items():
        since = came or now
        if name not in found and name in real and now < since + settling:
            found[name] = since
    return found
