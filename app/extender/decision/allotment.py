"""Who gets a place, and where, when not all can have one: within budgets, fair between namespaces."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from app.extender.cluster.facts import Ledger
from app.extender.decision.book import Book
from app.extender.decision.candidates import Candidate, takes_pods_now
from app.extender.decision.decisions import Burst, Wait, WouldBurst
from app.extender.decision.hindrance import NO_NODE_READY
from app.extender.decision.ledger import NO_LAPSES, Lapses, size_of, space_on, turn_of
from app.extender.decision.mode import GIVES_GRANTS, Modes
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.requests import requests_of

QUEUE_FULL: Final = Reason(
    "TooManyGrants", "as many pods as may burst at once are on their way; it is queued"
)

Answer = TypeVar("Answer", Burst | Wait, WouldBurst | Wait)


def allot(
    due: Sequence[Candidate],
    *,
    standing: Ledger,
    book: Book,
    expires: datetime,
    most: int,
    lapses: Mapping[PodUid, Lapses] = NO_LAPSES,
) -> tuple[Burst | Wait, ...]:
    """A place for each candidate, or why it must wait.

    Args:
        due: candidates that may burst now; each has a virtual node that takes it.
        standing: the grants that are open already; the book has them.
        book: the budgets; each place is charged to it.
        expires: when the new grants do.
        most: how many grants may be open at once.
        lapses: the grants that pods let expire; a pod tries another node then.
    """
    desk = _Desk(standing, book=book, expires=expires, most=most, lapses=lapses)
    return tuple(in_turn(due, book=book, answer=desk.answer))


def rehearse(due: Sequence[Candidate], *, book: Book) -> tuple[WouldBurst | Wait, ...]:
    """What `allot` would do where no grant may be given; so there is no queue for grants, either."""

    def answer(candidate: Candidate) -> WouldBurst | Wait:
        pod = candidate.pod
        nodes = _within_budget(pod, candidate.nodes, book)
        if isinstance(nodes, Wait):
            return nodes
        node = nodes[0].name
        book.charge(pod, node)
        return WouldBurst(pod, node, book.cost(pod, node))

    return tuple(in_turn(due, book=book, answer=answer))


def in_turn(
    due: Iterable[Candidate], *, book: Book, answer: Callable[[Candidate], Answer]
) -> Iterator[Answer]:
    """Answer everybody: oldest first within a namespace, and of the namespaces always the one that has least.

    What it has is its overflow pods, those with a grant included; a pod that gets no place costs its
    namespace no turn.
    """
    queues: dict[str, list[Candidate]] = {}
    for each in sorted(due, key=_age, reverse=True):
        queues.setdefault(each.pod.metadata.namespace, []).append(each)
    turns = [(book.pods_of(name), _age(queue[-1]), name) for name, queue in queues.items()]
    heapq.heapify(turns)
    while turns:
        _, _, name = turns[0]
        queue = queues[name]
        yield answer(queue.pop())
        if queue:
            heapq.heapreplace(turns, (book.pods_of(name), _age(queue[-1]), name))
        else:
            heapq.heappop(turns)


def kept(
    live: Ledger, *, unbound: Mapping[PodUid, Pod], modes: Modes, book: Book
) -> dict[str, tuple[Grant, ...]]:
    """The grants that modes and budgets leave standing; the newest go first. The book is charged with them.

    One that is withdrawn still counts for a while: `app.extender.decision.ledger.closing_after`.
    """
    standing: dict[str, list[Grant]] = {node: [] for node in live}
    rows = (
        (grant.expires, _age_of(unbound[grant.uid]), node, grant) for node in live for grant in live[node]
    )
    for _, _, node, grant in sorted(rows, key=lambda row: row[:2]):
        pod = unbound[grant.uid]
        if modes[node] in GIVES_GRANTS and not book.excess(pod, node):
            book.charge(pod, node)
            standing[node].append(grant)
    return {node: tuple(grants) for node, grants in standing.items()}


def _age(candidate: Candidate) -> tuple[float, str]:
    return _age_of(candidate.pod)


def _age_of(pod: Pod) -> tuple[float, str]:
    created = pod.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, pod.key)


def _within_budget(pod: Pod, nodes: Iterable[Node], book: Book) -> list[Node] | Wait:
    """Those of the nodes that take the pod now, and where it is within every budget; or why there is none.

    Prices differ by node; what is said is what the pod exceeds on the first of them.
    """
    reasons: tuple[Reason, ...] = ()
    found = []
    for node in nodes:
        if not takes_pods_now(node, pod):
            continue
        excess = book.excess(pod, node.name)
        if not excess:
            found.append(node)
        reasons = reasons or excess
    if found:
        return found
    first, *others = reasons or (NO_NODE_READY,)
    return Wait(pod, first, others=tuple(others))


class _Desk:
    """Counts what is open and how much room the annotations have left while places are handed out."""

    def __init__(
        self,
        standing: Ledger,
        *,
        book: Book,
        expires: datetime,
        most: int,
        lapses: Mapping[PodUid, Lapses],
    ) -> None:
        self._expires = expires
        self._lapses = lapses
        self._book = book
        self._left = most - sum(len(grants) for grants in standing.values())
        self._open = Counter({node: len(grants) for node, grants in standing.items()})
        self._taken = Counter({node: sum(map(size_of, grants)) for node, grants in standing.items()})
        self._space: dict[str, int] = {}

    def answer(self, candidate: Candidate) -> Burst | Wait:
        pod = candidate.pod
        ranked = sorted(candidate.nodes, key=lambda node: self._rank(node, pod))
        nodes = _within_budget(pod, ranked, self._book)
        if isinstance(nodes, Wait):
            return nodes
        if self._left <= 0:
            return Wait(pod, QUEUE_FULL)
        grant = self._grant(pod)
        size = size_of(grant)
        node = next((each.name for each in nodes if self._space_left(each) >= size), None)
        if node is None:
            return Wait(pod, QUEUE_FULL)
        self._left -= 1
        self._open[node] += 1
        self._taken[node] += size
        self._book.charge(pod, node)
        return Burst(pod, node, grant)

    def _rank(self, node: Node, pod: Pod) -> tuple[int, int, str]:
        tried = turn_of(node.name, self._lapses.get(pod.uid))
        return (tried, self._open[node.name], node.name)

    def _grant(self, pod: Pod) -> Grant:
        return Grant(uid=pod.uid, pod=pod.key, room=requests_of(pod), expires=self._expires)

    def _space_left(self, node: Node) -> int:
        if node.name not in self._space:
            self._space[node.name] = space_on(node)
        return self._space[node.name] - self._taken[node.name]
