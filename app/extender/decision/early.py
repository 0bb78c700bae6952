"""Early burst: room kept open on virtual nodes for pods that may land there before real nodes are full.

Those pods hold no grant when the scheduler first asks about them, and the extender cannot hold them up. So
the room is open before they come: a few seats, each as large as the largest of those pods, for any of them.
Whoever takes the seats, no budget is exceeded: a controller's pods are let in only where all seats taken by
them alone are within every budget, none asks for more than those that were seen, and what stands open counts
as spent until it is closed and nobody can be landing any more.

Early room is given only while nothing else is: a pod that finds no node comes first.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.cluster.facts import Facts, Ledger
from app.extender.decision.book import Book
from app.extender.decision.candidates import Candidate, candidate_of, takes_pods_now
from app.extender.decision.decisions import Burst, Decision, Early, Opening, Wait
from app.extender.decision.hindrance import NO_NODE_READY, WAITS, Moment, hindrance
from app.extender.decision.memory import Held, Place
from app.extender.decision.mode import GATE_CLOSED, GIVES_GRANTS, Modes, only_waits_for_time
from app.model.actuator import SCHEDULER
from app.model.early import EarlyRoom, owner_of, read_early
from app.model.node import Node
from app.model.pod import Pod
from app.model.policy import Overflow
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources, total
from app.model.times import later

Earlies = Mapping[str, Early]
"""Early room by virtual node."""

NO_EARLY: Final[Earlies] = MappingProxyType({})

_NO_GRANT_ENDS: Final = frozenset({WAITS, NO_NODE_READY, GATE_CLOSED})
"""Waits of pods that no room would help, however long they last."""


def early_rooms(
    facts: Facts, held: Mapping[Place, Held], *, moment: Moment, modes: Modes, book: Book
) -> Earlies:
    """The early room of each virtual node; nodes without any are left out.

    Args:
        facts: the cluster now; `early` has a pod of each controller.
        held: the seats that count as taken already; the book is charged with them.
        moment: what pods are judged by.
        modes: how each node's gate is run.
        book: the budgets, charged with what runs; charged further with every seat.
    """
    seats = moment.config.early_seats
    if not seats or moment.config.actuator != SCHEDULER:
        return {}
    kinds = [each for each in _kinds(facts) if _may_burst(each, moment) and _says_its_size(each.pod)]
    found: dict[str, Early] = {}
    for node in facts.virtual:
        if modes[node.name] in GIVES_GRANTS:
            able = [each.pod for each in kinds if node in each.nodes and takes_pods_now(node, each.pod)]
            pods = tuple(pod for pod in able if _is_affordable(pod, node, held, seats=seats, book=book))
            if pods:
                sizes = {owner_of(pod): requests_of(pod) for pod in pods}
                found[node.name] = Early(_room(node, sizes, moment=moment), _space(sizes, seats), pods)
    return found


def is_quiet(standing: Ledger, decisions: Iterable[Decision], *, modes: Modes, book: Book) -> bool:
    """Whether nobody who finds no node needs what early room takes: no grant stands, is given, or awaited.

    Args:
        standing: the grants that stand.
        decisions: what was decided while all that is held counted as taken.
        modes: how each node's gate is run.
        book: the budgets as they would be without early room.
    """
    if any(standing.values()):
        return False
    nodes = [node for node, mode in modes.items() if mode in GIVES_GRANTS]
    return not any(_wants(each, nodes, book) for each in decisions)


def held_now(
    known: Mapping[Place, Held], facts: Facts, *, now: datetime, in_flight: timedelta
) -> dict[Place, Held]:
    """The seats that pods may take now, or may be landing in: what nodes show, and what they have just shown.

    A new leader knows nothing, and finds what an earlier one left open on the nodes.

    Args:
        known: as of the last plan. What is no longer shown was closed since, or is not written yet.
        facts: the cluster now.
        now: the time.
        in_flight: how long a pod may still land after its seat was closed.
    """
    closing = later(now, in_flight)
    found = {
        place: msgspec.structs.replace(each, until=min(each.until, closing))
        for place, each in known.items()
        if now < each.until
    }
    pods = {owner_of(pod): pod for pod in facts.early}
    for node in facts.virtual:
        shown = read_early(node.metadata.annotations)
        until = later(shown.expires, in_flight) if shown is not None else now
        if shown is None or until <= now:
            continue
        for owner in shown.owners:
            place = (node.name, owner)
            pod = found[place].pod if place in found else pods.get(owner)
            if pod is not None:
                found[place] = Held(pod=pod, seats=shown.seats, until=until)
    return found


def charge(held: Mapping[Place, Held], *, book: Book, back: bool = False) -> None:
    """Spend what is held.

    With `back` it is given back: it held room in the budgets, but nobody has spent it.
    """
    for (node, _), each in held.items():
        book.charge(each.pod, node, times=-each.seats if back else each.seats)


def held_after(held: Mapping[Place, Held], earlies: Earlies, *, in_flight: timedelta) -> dict[Place, Held]:
    """What counts as taken from now on: what was held, and what opens."""
    found = dict(held)
    for node, each in earlies.items():
        until = later(each.room.expires, in_flight)
        for pod in each.pods:
            found[node, owner_of(pod)] = Held(pod=pod, seats=each.room.seats, until=until)
    return found


def due(
    openings: Iterable[Opening], held: Mapping[Place, Held], facts: Facts, *, moment: Moment
) -> Iterator[datetime]:
    """When to look again: time alone renews what is open, frees what was closed, and turns the pressure."""
    now, ttl = moment.now, moment.config.grant_ttl
    if moment.config.early_seats:
        measured = (facts.pressure.get(pod.uid) for pod in facts.early)
        turns = (pressure.changes_at for pressure in measured if pressure is not None)
        yield from (turn for turn in turns if turn is not None and now < turn)
    open_now: set[Place] = set()
    for each in openings:
        if each.early is not None:
            open_now.update((each.node, owner) for owner in each.early.owners)
            yield each.early.expires - ttl / 2
    yield from (each.until for place, each in held.items() if place not in open_now and now < each.until)


def _kinds(facts: Facts) -> Iterator[Candidate]:
    """The controllers whose nodes are full enough, each by one of its pods."""
    for pod in sorted(facts.early, key=owner_of):
        pressure = facts.pressure.get(pod.uid)
        if pressure is None or pressure.mark is None or pressure.mark.mark != "high":
            continue
        candidate = candidate_of(pod, virtual=facts.virtual, namespaces=facts.namespaces)
        if candidate is not None and candidate.nodes and candidate.overflow is Overflow.ALLOWED:
            yield candidate


def _says_its_size(pod: Pod) -> bool:
    try:
        requests_of(pod)
    except QuantityError:
        # An API server refuses such a pod; how large a seat it needs nobody can say.
        return False
    return True


def _may_burst(candidate: Candidate, moment: Moment) -> bool:
    """Whether nothing but the clock would keep such a pod from bursting."""
    held_up = hindrance(candidate, moment)
    return held_up is None or only_waits_for_time(held_up)


def _wants(decision: Decision, nodes: Iterable[str], book: Book) -> bool:
    """Whether the pod gets a grant, or would get one were there no early room."""
    if isinstance(decision, Burst):
        return True
    if not isinstance(decision, Wait) or decision.until is not None or decision.reason in _NO_GRANT_ENDS:
        return False
    return any(not book.excess(decision.pod, node) for node in nodes)


def _is_affordable(pod: Pod, node: Node, held: Mapping[Place, Held], *, seats: int, book: Book) -> bool:
    """Whether all seats may be taken by such pods; then, and only then, the book is charged with them."""
    if book.faults(pod.metadata.namespace):
        return False
    before = held.get((node.name, owner_of(pod)))
    if before is not None:
        book.charge(before.pod, node.name, times=-before.seats)
    for taken in range(seats):
        if book.excess(pod, node.name):
            book.charge(pod, node.name, times=-taken)
            if before is not None:
                book.charge(before.pod, node.name, times=before.seats)
            return False
        book.charge(pod, node.name)
    return True


def _room(node: Node, sizes: Mapping[str, Resources], *, moment: Moment) -> EarlyRoom:
    """What the annotation is to say; it is not written anew before half of its time is over."""
    now, ttl = moment.now, moment.config.grant_ttl
    shown = read_early(node.metadata.annotations)
    wanted = EarlyRoom(
        seats=moment.config.early_seats,
        owners=dict(sorted(sizes.items())),
        expires=(now + ttl).replace(microsecond=0),
    )
    if shown is None or (shown.seats, shown.owners) != (wanted.seats, wanted.owners):
        return wanted
    return shown if now + ttl / 2 < shown.expires <= now + ttl else wanted


def _space(sizes: Mapping[str, Resources], seats: int) -> Resources:
    """Room for as many pods, whichever of them come."""
    largest = Resources()
    for size in sizes.values():
        largest = largest.at_least(size)
    return total([largest] * seats)
