"""When a pod bursts, and how far each virtual node's gate stands open.

`plan` is the whole decision: from what the cluster shows to the grants and the room of every virtual node.
An opted-in pod that the scheduler finds no node for, and that Fargate can run, is granted a place once there
is nothing left to wait for, and as long as no budget is exceeded.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.extender.cluster.facts import Facts, Ledger
from app.extender.decision import early, ledger
from app.extender.decision.allotment import allot, kept, rehearse
from app.extender.decision.arrivals import seats
from app.extender.decision.book import Book, Costs, book_of
from app.extender.decision.candidates import Candidate, candidates
from app.extender.decision.decisions import Decision, Opening, Plan, Refuse, Wait, WouldBurst
from app.extender.decision.hindrance import GateConfig, Moment, Refusals, hindrance
from app.extender.decision.memory import Held, Memory, Observed, Place, arrivals_after, waits_after
from app.extender.decision.mode import (
    GATE_CLOSED,
    GIVES_GRANTS,
    OBSERVES,
    OPEN,
    Mode,
    Modes,
    modes_of,
    only_waits_for_time,
)
from app.extender.decision.opening import openings_of
from app.fargate.prices import cost_of
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.requests import requests_of

IN_FLIGHT: Final = timedelta(seconds=2)
"""How long after its grant expired a pod may still land: the scheduler had its answer, and was binding it.

For so long the grant stays where it is and counts as spent; the extender lets nobody new pass for it. One
that was taken back counts as long, from when the node no longer shows it.
"""


def plan(  # noqa: PLR0913  (three of them are pure functions that their owner may remember the answers of)
    facts: Facts,
    memory: Memory,
    *,
    now: datetime,
    config: GateConfig,
    refusals: Refusals,
    costs: Costs = cost_of,
    requests: ledger.Requests = requests_of,
) -> Plan:
    """Decide for every pod that presses, and sum up the room of every virtual node."""
    shown = {node.name: facts.grants.get(node.name, ()) for node in facts.virtual}
    modes = modes_of(facts.virtual, default=config.gate)
    book = book_of(facts, limits=config.budget, costs=costs)
    live = ledger.live(
        shown,
        facts.unbound,
        namespaces=facts.namespaces,
        now=now - IN_FLIGHT,
        ttl=config.grant_ttl,
        requests=requests,
    )
    standing = kept(live, unbound=facts.unbound, modes=modes, book=book)
    closing = _closing(memory, facts, standing, now=now, book=book)
    lapses = ledger.lapses_after(memory.lapses, ledger=shown, unbound=facts.unbound, now=now - IN_FLIGHT)
    gates, ahead = waits_after(memory, facts.unbound, now=now)
    arrivals = arrivals_after(
        memory.arrivals,
        coming=(each.node.name for each in facts.coming),
        real=facts.real,
        now=now,
        settling=config.settling,
    )
    observed = _still_observed(memory.observed, facts.unbound, modes)
    early_held = early.held_now(memory.early, facts, now=now, in_flight=IN_FLIGHT)
    early.charge(early_held, book=book)
    held = ledger.uids_in(standing) | closing.keys() | observed.keys()
    moment = Moment(
        now=now,
        config=config,
        lapses=lapses,
        refusals=refusals,
        gates=gates,
        ahead=ahead,
        seats=seats(facts, arrivals, held=held, now=now, config=config),
    )
    pressing = candidates(
        (pod for uid, pod in facts.unbound.items() if uid not in held),
        nodes=facts.virtual,
        namespaces=facts.namespaces,
        actuator=config.actuator,
    )
    decisions, rehearsing = decide(pressing, standing=standing, moment=moment, modes=modes, book=book)
    early.charge(early_held, book=book, back=True)
    balances = book.balances()
    earlies = early.NO_EARLY
    if config.early_seats and early.is_quiet(standing, decisions, modes=modes, book=book):
        earlies = _earlies(facts, early_held, closing, moment=moment, modes=modes, costs=costs)
    early_held = early.held_after(early_held, earlies, in_flight=IN_FLIGHT)
    would = _rehearsed(rehearsing, observed=observed, unbound=facts.unbound, book=book)
    openings = openings_of(standing, decisions, facts, earlies)
    return Plan(
        decisions=(*decisions, *would),
        openings=openings,
        memory=Memory(
            lapses=lapses,
            gates=gates,
            ahead=ahead,
            closing=closing,
            arrivals=arrivals,
            observed=_observed_after(observed, would),
            early=early_held,
        ),
        unbound=frozenset(facts.unbound),
        due=_due(
            decisions,
            openings,
            (
                *early.due(openings, early_held, facts, moment=moment),
                *(each.until for each in closing.values()),
            ),
        ),
        balances=balances,
    )


def _closing(
    memory: Memory, facts: Facts, standing: Ledger, *, now: datetime, book: Book
) -> Mapping[PodUid, ledger.Closing]:
    """The grants that were taken back, and may be used yet; the book is charged with them."""
    closing = ledger.closing_after(
        memory.closing,
        shown=facts.grants,
        standing=standing,
        unbound=facts.unbound,
        now=now,
        in_flight=IN_FLIGHT,
    )
    _charge(closing, facts, book)
    return closing


def _charge(closing: Mapping[PodUid, ledger.Closing], facts: Facts, book: Book) -> None:
    for uid, each in closing.items():
        book.charge(facts.unbound[uid], each.node)


def decide(
    pressing: Iterable[Candidate], *, standing: Ledger, moment: Moment, modes: Modes, book: Book
) -> tuple[tuple[Decision, ...], tuple[Candidate, ...]]:
    """One decision for each candidate, and those that are merely observed; none holds a grant that stands."""
    decisions: list[Decision] = []
    due: list[Candidate] = []
    rehearsing: list[Candidate] = []
    for each in pressing:
        found = _willing(each, moment=moment, modes=modes, book=book)
        if not isinstance(found, Candidate):
            decisions.append(found)
        elif modes[found.nodes[0].name] in OBSERVES:
            rehearsing.append(found)
        else:
            due.append(found)
    decisions += allot(
        due,
        standing=standing,
        book=book,
        expires=_whole_second(moment.now + moment.config.grant_ttl),
        most=moment.config.max_grants,
        lapses=moment.lapses,
    )
    return tuple(decisions), tuple(rehearsing)


def _willing(candidate: Candidate, *, moment: Moment, modes: Modes, book: Book) -> Candidate | Wait | Refuse:
    """The candidate with those of its nodes that may take it now, or what keeps it off all of them.

    A node that only observes counts where none gives grants.
    """
    chosen = _on(candidate, modes, GIVES_GRANTS)
    if not chosen.nodes:
        chosen = _on(candidate, modes, OBSERVES)
    held_up = hindrance(chosen if chosen.nodes else candidate, moment)
    refused = _refusal(candidate.pod, held_up, book)
    if refused is not None:
        return refused
    if not chosen.nodes:
        return Wait(candidate.pod, GATE_CLOSED)
    if only_waits_for_time(held_up):
        opened = _on(candidate, modes, OPEN)
        return opened if opened.nodes else held_up or chosen
    return held_up or chosen


def _refusal(pod: Pod, held_up: Wait | Refuse | None, book: Book) -> Refuse | None:
    """The refusal that no mode of the gate passes over, with what is wrong with the namespace's budget."""
    reasons = held_up.reasons if isinstance(held_up, Refuse) and held_up.until is None else ()
    reasons += book.faults(pod.metadata.namespace)
    return Refuse(pod, reasons) if reasons else None


def _on(candidate: Candidate, modes: Modes, wanted: Collection[Mode]) -> Candidate:
    """The candidate with those of its nodes that are in one of these modes."""
    nodes = tuple(node for node in candidate.nodes if modes[node.name] in wanted)
    if len(nodes) == len(candidate.nodes):
        return candidate
    return msgspec.structs.replace(candidate, nodes=nodes)


def _still_observed(
    known: Mapping[PodUid, Observed], unbound: Mapping[PodUid, Pod], modes: Modes
) -> dict[PodUid, Observed]:
    """Those that count as running on Fargate: until they are bound or gone, or the node stops observing."""
    return {uid: each for uid, each in known.items() if uid in unbound and modes.get(each.node) in OBSERVES}


def _rehearsed(
    rehearsing: tuple[Candidate, ...],
    *,
    observed: Mapping[PodUid, Observed],
    unbound: Mapping[PodUid, Pod],
    book: Book,
) -> tuple[WouldBurst | Wait, ...]:
    """What would have been decided if those that would run on Fargate did."""
    for uid, each in observed.items():
        book.charge(unbound[uid], each.node)
    return rehearse(rehearsing, book=book)


def _observed_after(
    observed: Mapping[PodUid, Observed], decisions: Iterable[Decision]
) -> dict[PodUid, Observed]:
    new = (each for each in decisions if isinstance(each, WouldBurst))
    return {**observed, **{each.pod.uid: Observed(each.node, each.cost) for each in new}}


def _whole_second(moment: datetime) -> datetime:
    """Rounded up, so that a grant never ends before it has begun."""
    return (moment + timedelta(microseconds=999_999)).replace(microsecond=0)


def _earlies(
    facts: Facts,
    held: Mapping[Place, Held],
    closing: Mapping[PodUid, ledger.Closing],
    *,
    moment: Moment,
    modes: Modes,
    costs: Costs,
) -> early.Earlies:
    """Early room where nobody needs a grant: budgets have what runs, and what may be landing early."""
    book = book_of(facts, limits=moment.config.budget, costs=costs)
    early.charge(held, book=book)
    _charge(closing, facts, book)
    return early.early_rooms(facts, held, moment=moment, modes=modes, book=book)


def _due(
    decisions: Iterable[Decision], openings: Iterable[Opening], others: Iterable[datetime]
) -> datetime | None:
    held_up = (each.until for each in decisions if isinstance(each, Wait | Refuse))
    ends = [until for until in held_up if until is not None]
    ends += (grant.expires + IN_FLIGHT for opening in openings for grant in opening.grants)
    ends += others
    return min(ends, default=None)
