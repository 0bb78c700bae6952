"""Who gets a place, and where, when not all can have one: fair between namespaces, spread over nodes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.extender.ledger import Ledger, size_of, space_on
from app.extender.pressure import Candidate, takes_pods_now
from app.model.grant import Grant
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.requests import requests_of

QUEUE_FULL: Final = Reason(
    "TooManyGrants", "as many pods as may burst at once are on their way; it is queued"
)


class Place(msgspec.Struct, frozen=True):
    """A grant and the virtual node it is for."""

    node: str
    grant: Grant


def allot(
    due: Sequence[Candidate], *, standing: Ledger, expires: datetime, most: int
) -> tuple[tuple[Candidate, Place | Reason], ...]:
    """A place for each candidate, or why it must queue.

    Args:
        due: candidates that may burst now; each has a virtual node that takes it.
        standing: the grants that are open already.
        expires: when the new grants do.
        most: how many grants may be open at once.
    """
    desk = _Desk(standing, expires=expires, most=most)
    return tuple((each, desk.place(each)) for each in fair_order(due, standing=standing))


def fair_order(due: Iterable[Candidate], *, standing: Ledger) -> tuple[Candidate, ...]:
    """Oldest first within a namespace, and the namespaces in turn: who has fewer open grants comes first."""
    served = Counter(grant.pod.partition("/")[0] for grants in standing.values() for grant in grants)
    ranked: list[tuple[int, int, Candidate]] = []
    for each in sorted(due, key=_age):
        namespace = each.pod.metadata.namespace
        ranked.append((served[namespace], len(ranked), each))
        served[namespace] += 1
    ranked.sort(key=lambda row: row[:2])
    return tuple(each for _, _, each in ranked)


def _age(candidate: Candidate) -> tuple[float, str]:
    created = candidate.pod.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, candidate.pod.key)


class _Desk:
    """Counts what is open and how much room the annotations have left while places are handed out."""

    def __init__(self, standing: Ledger, *, expires: datetime, most: int) -> None:
        self._expires = expires
        self._left = most - sum(len(grants) for grants in standing.values())
        self._open = Counter({node: len(grants) for node, grants in standing.items()})
        self._taken = {node: sum(map(size_of, grants)) for node, grants in standing.items()}
        self._space: dict[str, int] = {}

    def place(self, candidate: Candidate) -> Place | Reason:
        if self._left <= 0:
            return QUEUE_FULL
        grant = self._grant(candidate.pod)
        size = size_of(grant)
        free = [
            node
            for node in candidate.nodes
            if takes_pods_now(node, candidate.pod) and self._space_left(node) >= size
        ]
        if not free:
            return QUEUE_FULL
        node = min(free, key=lambda each: (self._open[each.name], each.name)).name
        self._left -= 1
        self._open[node] += 1
        self._taken[node] += size
        return Place(node, grant)

    def _grant(self, pod: Pod) -> Grant:
        return Grant(uid=pod.uid, pod=pod.key, room=requests_of(pod), expires=self._expires)

    def _space_left(self, node: Node) -> int:
        if node.name not in self._space:
            self._space[node.name] = space_on(node)
        return self._space[node.name] - self._taken[node.name]
