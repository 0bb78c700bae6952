"""When overflow is handed over to nodes: which placeholders to ask for, which to take away, whose turn it is.

`plan_handovers` is the whole decision. Its state is in the cluster: a placeholder says by itself whom it
stands for. Only the accounts (`break_even`) are remembered. The pods whose placeholders run are ready to go:
`returning` moves them onto that room.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER, Facts
from app.extender.cluster.reach import Reach, reach_of
from app.extender.homing.break_even import (
    Account,
    Buy,
    KeepRenting,
    Terms,
    is_blank,
    paused,
    step,
)
from app.extender.homing.fit import Berths, by_size
from app.extender.homing.idlers import NO_IDLERS, Idlers, held_off, idlers_after
from app.extender.homing.movable import anchor
from app.extender.homing.node_shape import Bin, Load, Shape, packed, shape_of
from app.extender.homing.pace import Queue
from app.extender.homing.placeholders import Placeholder
from app.extender.homing.promises import Hall, Patience, Promises
from app.extender.homing.returning import overflow_pods
from app.fargate.prices import cost_of
from app.model.early import owner_of
from app.model.names import PodUid
from app.model.node import Node
from app.model.offer import Offer, OfferError, read_offer
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources

SWITCHED_OFF: Final = Reason("HandoverOff", "hand-over is switched off")


class HandoverConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of hand-overs.

    Attributes:
        stay: the least time that a node is paid for.
        look: the time between two looks.
        timeout: how long placeholders wait for a node.
        most_nodes: nodes that may be asked for and not taken over yet.
        most_placeholders: placeholders at once.
        lanes: controllers whose pods go home at once.
        jobs: whether pods of Jobs may be moved, too.
        room: what a node has for pods; None takes the commonest shape.
        hourly: US dollars for an hour of a node; None takes the table's, or an estimate.
    """

    stay: timedelta = timedelta(hours=1)
    look: timedelta = timedelta(seconds=15)
    timeout: timedelta = timedelta(minutes=15)
    most_nodes: int = 10
    most_placeholders: int = 500
    lanes: int = 2
    jobs: bool = False
    room: Resources | None = None
    hourly: float | None = None


class Ask(msgspec.Struct, frozen=True):
    """Make a placeholder for this overflow pod."""

    pod: Pod


class Remove(msgspec.Struct, frozen=True):
    """Take a placeholder away."""

    placeholder: Pod
    reason: Reason


Command = Ask | Remove


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One reach's account, for people and metrics.

    Attributes:
        verdict: rent on, or buy.
        shape: the node that was counted with.
        stay: the time that it has to earn.
        asks: placeholders to be made now.
        gave_up: whether no node came for a hand-over, as was found just now.
    """

    verdict: KeepRenting | Buy
    shape: Shape
    stay: timedelta
    asks: int = 0
    gave_up: bool = False


Accounts = Mapping[Reach, Account]
"""What overflow has cost, by the nodes that it could use."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan hands to the next; a new leader begins with an empty one.

    Attributes:
        accounts: what overflow has cost.
        promises: the placeholders that stay.
        idlers: controllers whose pods left nodes unused that came for them.
    """

    accounts: Accounts = MappingProxyType({})
    promises: Promises = MappingProxyType({})
    idlers: Idlers = NO_IDLERS


class Handovers(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, the pods whose room stands ready, and what the next plan is to know."""

    commands: tuple[Command, ...]
    ready: frozenset[PodUid]
    memory: Memory
    standings: tuple[Standing, ...] = ()


def plan_handovers(
    facts: Facts,
    held: Iterable[Placeholder],
    memory: Memory,
    *,
    stuck: frozenset[str] = frozenset(),
    now: datetime,
    config: HandoverConfig,
) -> Handovers:
    """Decide for every placeholder, and for all overflow that has none.

    Args:
        facts: the cluster now.
        held: our placeholders.
        memory: what the last plan handed on.
        stuck: controllers that cannot do without a replica (`app.extender.controllers`): their pods never
            go home.
        now: the time.
        config: the policy.
    """
    pods = {pod.uid: pod for pod in overflow_pods(facts)}
    patience = Patience(now=now, timeout=config.timeout, jobs=config.jobs, stuck=stuck)
    hall = Hall(held, pods, memory.promises, patience=patience)
    idlers = idlers_after(memory.idlers, unused=hall.unused(), left=hall.left(), now=now, stay=config.stay)
    resting = stuck | held_off(idlers, now=now, stay=config.stay)
    waiting = (pod for uid, pod in pods.items() if uid not in hall.taken)
    movable = [pod for pod in waiting if _may_move(pod, resting, now, config)]
    loads = _loads(facts, _without_room(facts, movable))
    counter = _Counter(hall, memory.accounts, now=now, config=config)
    reaches = memory.accounts.keys() | loads.keys() | hall.reaches
    shapes = _shapes(facts, reaches, config)
    counter.expect(shapes)
    for reach in reaches - shapes.keys():
        counter.pause(reach)
    for reach, shape in shapes.items():
        counter.count(reach, shape, packed(loads.get(reach, ()), shape.room))
    removals = (Remove(each.placeholder, each.reason) for each in hall.removals)
    return Handovers(
        commands=(*removals, *counter.asks),
        ready=hall.ready,
        memory=Memory(accounts=counter.accounts, promises=hall.promises, idlers=idlers),
        standings=tuple(counter.standings),
    )


class _Counter:
    """Counts reach by reach: what one asks for, no other does."""

    def __init__(self, hall: Hall, accounts: Accounts, *, now: datetime, config: HandoverConfig) -> None:
        self.accounts = dict(accounts)
        self.standings: list[Standing] = []
        self.asks: list[Ask] = []
        self._hall = hall
        self._now = now
        self._config = config
        self._nodes = config.most_nodes
        self._queue = Queue((each.pod for each in hall.guests), stay=config.stay, lanes=config.lanes)

    def expect(self, shapes: Mapping[Reach, Shape]) -> None:
        """Leave out the nodes that were asked for already."""
        self._nodes -= sum(len(self._hall.bins(reach, shape)) for reach, shape in shapes.items())

    def pause(self, reach: Reach) -> None:
        """Nobody knows what a node of the reach costs now."""
        account = self._hall.adjusted(self.accounts.get(reach, Account()), reach)
        self._keep(reach, paused(account, stay=self._config.stay, now=self._now))

    def count(self, reach: Reach, shape: Shape, bins: tuple[Bin, ...]) -> None:
        """Step the reach's account, and ask for what it buys."""
        known = self.accounts.get(reach, Account())
        before = self._hall.adjusted(known, reach)
        left = self._config.most_placeholders - len(self._hall.guests) - len(self.asks)
        admitted = self._queue.admitted(bins[: max(0, self._nodes)] if left > 0 else (), hourly=shape.hourly)
        terms = Terms(hourly=shape.hourly, stay=self._config.stay, look=self._config.look, most=len(admitted))
        account, verdict = step(before, tuple(each.hourly for each in bins), terms=terms, now=self._now)
        self._keep(reach, account, bought=isinstance(verdict, Buy))
        chosen = _chosen(admitted, verdict)[:left]
        if isinstance(verdict, Buy):
            self._nodes -= verdict.nodes
        self.asks += chosen
        self.standings.append(
            Standing(
                verdict=verdict,
                shape=shape,
                stay=self._config.stay * 2**before.strikes,
                asks=len(chosen),
                gave_up=self._hall.gave_up(known, reach),
            )
        )

    def _keep(self, reach: Reach, account: Account, *, bought: bool = False) -> None:
        self.accounts[reach] = account
        if not bought and reach not in self._hall.reaches and is_blank(account, stay=self._config.stay):
            del self.accounts[reach]


def switched_off(held: Iterable[Placeholder]) -> tuple[Remove, ...]:
    """What is left to do where hand-over is off: an earlier leader's placeholders go."""
    return tuple(Remove(each.pod, SWITCHED_OFF) for each in held)


def _may_move(pod: Pod, resting: frozenset[str], now: datetime, config: HandoverConfig) -> bool:
    if owner_of(pod) in resting:
        return False
    return anchor(pod, now=now, after=timedelta(0), jobs=config.jobs) is None


def _without_room(facts: Facts, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Those for which no real node has room: the others come home by themselves."""
    ordered = sorted(pods, key=by_size)
    if not ordered:
        return ()
    berths = Berths(facts.real.values())
    berths.give_way(facts.unbound.values())
    return tuple(pod for pod in ordered if berths.seat(pod) is None)


def _loads(facts: Facts, pods: Iterable[Pod]) -> dict[Reach, list[Load]]:
    offers = {node.name: _offer(node) for node in facts.virtual}
    loads: dict[Reach, list[Load]] = defaultdict(list)
    for pod in pods:
        cost = cost_of(pod, offers.get(pod.spec.node_name, SHIPPED_OFFER))
        if cost is not None:
            loads[reach_of(pod)].append(Load(pod, cost.hourly))
    return loads


def _offer(node: Node) -> Offer:
    try:
        return read_offer(node.metadata.annotations) or SHIPPED_OFFER
    except OfferError:
        return SHIPPED_OFFER


def _shapes(facts: Facts, reaches: Iterable[Reach], config: HandoverConfig) -> dict[Reach, Shape]:
    """The node to count with for each reach; those without one are left out."""
    found = {reach: _shape(facts, reach, config) for reach in reaches}
    return {reach: shape for reach, shape in found.items() if shape is not None}


def _shape(facts: Facts, reach: Reach, config: HandoverConfig) -> Shape | None:
    nodes = (each.node for each in facts.real.values() if reach.holds(each.node))
    return shape_of(nodes, given=config.room, hourly=config.hourly)


def _chosen(bins: tuple[Bin, ...], verdict: KeepRenting | Buy) -> list[Ask]:
    """A placeholder for each pod of the bins that are bought."""
    if isinstance(verdict, KeepRenting):
        return []
    return [Ask(load.pod) for each in bins[: verdict.nodes] for load in each.loads]
