"""Which grants live on, which lapsed unused, and how long a pod is left alone that lets them lapse."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.cluster.facts import Ledger
from app.extender.decision.candidates import wish
from app.model.grant import Grant
from app.model.names import GRANTS, PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod
from app.model.policy import Overflow
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from app.model.times import later

Requests = Callable[[Pod], Resources]
"""What a pod asks for (`app.model.requests.requests_of`)."""

ANNOTATIONS_LIMIT: Final = 256 * 1024
"""Bytes that all annotations of an object may take, keys and values together.

https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set
"""

_MARGIN: Final = 8 * 1024
"""Left free for annotations that others may add meanwhile."""

_LONGEST_HOLD_OFF: Final = timedelta(minutes=30)
_CLOCK_SKEW: Final = timedelta(minutes=1)


class Lapses(msgspec.Struct, frozen=True):
    """How many grants in a row a pod let expire, when the last of them did, and on which virtual nodes.

    Each node stands once in `tried`, the one tried last at the end.
    """

    count: int
    last: datetime
    tried: tuple[str, ...] = ()


NO_LAPSES: Final[Mapping[PodUid, Lapses]] = MappingProxyType({})
"""A gate that remembers nothing, as every new leader's."""


class Closing(msgspec.Struct, frozen=True):
    """A grant that was taken back, on this virtual node: its pod may be landing there until then."""

    node: str
    until: datetime


NOTHING_CLOSING: Final[Mapping[PodUid, Closing]] = MappingProxyType({})


def live(
    ledger: Ledger,
    unbound: Mapping[PodUid, Pod],
    *,
    namespaces: Mapping[str, Namespace],
    now: datetime,
    ttl: timedelta,
    requests: Requests = requests_of,
) -> dict[str, tuple[Grant, ...]]:
    """The grants that still stand, one per pod.

    A grant goes when it expires, when its pod is bound (anywhere: on the virtual node the pod itself holds
    the room) or gone, or when the namespace no longer permits overflow. One that outlasts any that the gate
    would give, or that opens other room than its pod asks for, was not given by it, or before the pod was
    resized.
    """
    seen: set[PodUid] = set()
    kept: dict[str, tuple[Grant, ...]] = {}
    for node in sorted(ledger):
        here = []
        for grant in ledger[node]:
            pod = unbound.get(grant.uid)
            if pod is None or grant.uid in seen or not now < grant.expires <= now + ttl + _CLOCK_SKEW:
                continue
            if not _is_for(grant, pod, requests):
                continue
            if wish(pod, namespaces) in {Overflow.ALLOWED, Overflow.REQUIRED}:
                seen.add(grant.uid)
                here.append(grant)
        kept[node] = tuple(here)
    return kept


def _is_for(grant: Grant, pod: Pod, requests: Requests) -> bool:
    try:
        return grant.pod == pod.key and grant.room == requests(pod)
    except QuantityError:
        return False


def uids_in(ledger: Ledger) -> frozenset[PodUid]:
    """The pods that hold grants."""
    return frozenset(grant.uid for grants in ledger.values() for grant in grants)


def closing_after(
    known: Mapping[PodUid, Closing],
    *,
    shown: Ledger,
    standing: Ledger,
    unbound: Mapping[PodUid, Pod],
    now: datetime,
    in_flight: timedelta,
) -> dict[PodUid, Closing]:
    """The grants that are taken back: shown still, or shown a moment ago, to pods that have no node yet.

    Nobody can take back what the scheduler was told: it may be binding the pod.

    Args:
        known: as of the last plan.
        shown: on each virtual node now.
        standing: those that stand.
        unbound: the pods without a node.
        now: the time. Where the clock was set back, nothing counts for longer than from then on.
        in_flight: how long a pod may still land.
    """
    stand, until = uids_in(standing), later(now, in_flight)
    found = {
        uid: Closing(each.node, min(each.until, until))
        for uid, each in known.items()
        if uid in unbound and uid not in stand and now < each.until
    }
    for node, grants in shown.items():
        for grant in grants:
            if grant.uid in unbound and grant.uid not in stand and now < later(grant.expires, in_flight):
                found[grant.uid] = Closing(node, until)
    return found


def lapses_after(
    known: Mapping[PodUid, Lapses], *, ledger: Ledger, unbound: Mapping[PodUid, Pod], now: datetime
) -> dict[PodUid, Lapses]:
    """The counts with the grants that have expired by now; pods that found a node are forgotten.

    An expired grant counts once, however often it is seen before the node forgets it.
    """
    counts = {uid: each for uid, each in known.items() if uid in unbound}
    for node, grants in ledger.items():
        for grant in grants:
            if grant.expires > now or grant.uid not in unbound:
                continue
            before = counts.get(grant.uid)
            if before is None or before.last < grant.expires:
                counts[grant.uid] = _one_more(before, node, grant.expires)
    return counts


def _one_more(before: Lapses | None, node: str, end: datetime) -> Lapses:
    if before is None:
        return Lapses(1, end, (node,))
    return Lapses(before.count + 1, end, (*(each for each in before.tried if each != node), node))


def turn_of(node: str, lapses: Lapses | None) -> int:
    """Where the node stands in the order in which a pod tries its virtual nodes; the lowest comes first.

    First come those that it was not granted on since it began to wait, then the one tried longest ago.
    """
    if lapses is None or node not in lapses.tried:
        return 0
    return 1 + lapses.tried.index(node)


def held_off_until(
    lapses: Lapses | None, *, nodes: Collection[str], patience: int, ttl: timedelta
) -> datetime | None:
    """Until when a pod gets no grant; None where it may have one.

    A granted pod that the scheduler still does not take is kept off by something that the gate does not see.
    Once it tried each of `nodes`, and let `patience` grants in a row lapse, the pauses double, from one
    grant's life up to half an hour.
    """
    enough = max(patience, len(nodes))
    if lapses is None or lapses.count < enough or not set(nodes) <= set(lapses.tried):
        return None
    doublings = min(lapses.count - enough, 16)
    pause: timedelta = ttl * 2**doublings
    return lapses.last + min(pause, _LONGEST_HOLD_OFF)


def space_on(node: Node) -> int:
    """Bytes that the grants may take on this node beside its other annotations."""
    others = sum(
        len(key.encode()) + len(value.encode())
        for key, value in node.metadata.annotations.items()
        if key != GRANTS
    )
    return ANNOTATIONS_LIMIT - _MARGIN - others - len(GRANTS)


def size_of(grant: Grant) -> int:
    """Bytes that the grant takes in the annotation, its comma included."""
    return len(msgspec.json.encode(grant)) + 1
