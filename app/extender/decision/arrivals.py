"""Which pods wait for a node that is on its way: it must be there before Fargate would be, with room.

Nodes are filled here as the scheduler will fill them, so that a hundred pods do not wait for a node of ten.
Those who neither can nor may burst take their seats too: the autoscaler ordered the node for all of them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from app.extender.cluster import affinity
from app.extender.cluster.facts import Facts
from app.extender.decision.candidates import presses
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import Arrivals
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from app.model.times import later

Seats = Mapping[PodUid, datetime]
"""Until when each pod that has a seat on a node waits for it."""


class _Landing(msgspec.Struct):
    """A node about to take pods, the room that nobody has claimed yet, and how long it is waited for."""

    node: Node
    left: Resources
    until: datetime


def seats(
    facts: Facts, arrivals: Arrivals, *, held: frozenset[PodUid], now: datetime, config: GateConfig
) -> Seats:
    """The pods that some node on its way will take in time, each with the moment its wait ends at the latest.

    Args:
        facts: the cluster now.
        arrivals: the nodes that were seen on their way; those that came are about to be filled.
        held: the pods that hold a grant already; they go to Fargate.
        now: the time.
        config: how long Fargate takes where that was not learned, and the margins.
    """
    landings = (*_settling(facts, arrivals, config=config), *_awaited(facts, now=now, config=config))
    if not landings:
        return {}
    hall = _Hall(sorted(landings, key=lambda each: (each.until, each.node.name)))
    coming = {each.node.name for each in facts.coming}
    settled = facts.real.keys() - coming
    queue = (pod for pod in facts.unbound.values() if pod.uid not in held and _competes(pod, settled))
    taken = ((pod.uid, hall.take(pod)) for pod in sorted(queue, key=_turn))
    return {uid: until for uid, until in taken if until is not None}


def _competes(pod: Pod, settled: Container[str]) -> bool:
    """Whether the pod would take a new node: the scheduler found none, and makes no room for it elsewhere."""
    return presses(pod) and pod.status.nominated_node_name not in settled


def _turn(pod: Pod) -> tuple[int, float, str]:
    """The scheduler's order: the higher priority, then who is older.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#effect-of-pod-priority-on-scheduling-order
    """
    created = pod.metadata.creation_timestamp
    return (-(pod.spec.priority or 0), created.timestamp() if created else 0.0, pod.key)


class _Hall:
    """Hands out the room of the landings, pod by pod."""

    def __init__(self, landings: Iterable[_Landing]) -> None:
        self._landings = tuple(landings)
        self._too_large: set[Resources] = set()

    def take(self, pod: Pod) -> datetime | None:
        """Until when the pod waits for the node that has a seat for it; None where none has."""
        try:
            asked = requests_of(pod)
        except QuantityError:
            # An API server refuses such a pod, and no node takes it.
            return None
        if asked in self._too_large:
            return None
        spacious = [each for each in self._landings if asked.fits(each.left)]
        if not spacious:
            # Room only shrinks here: nobody who asks for as much need look again.
            self._too_large.add(asked)
        for each in spacious:
            if _suits(pod, each.node):
                each.left -= asked
                return each.until
        return None


def _suits(pod: Pod, node: Node) -> bool:
    return affinity.admits(pod, node) and affinity.bears(pod, node, transient=False)


def _awaited(facts: Facts, *, now: datetime, config: GateConfig) -> Iterator[_Landing]:
    boot = facts.learned.node_boot
    if boot is None:
        return
    on_fargate = now + (facts.learned.fargate_start or config.fargate_start)
    for each in facts.coming:
        expected = later(each.since, boot)
        if expected <= on_fargate and now < later(expected, config.arrival_margin):
            yield _Landing(each.node, each.room, later(expected, config.arrival_margin))


def _settling(facts: Facts, arrivals: Arrivals, *, config: GateConfig) -> Iterator[_Landing]:
    """Nodes that have just come: the scheduler is about to fill them."""
    for name, came in arrivals.items():
        real = facts.real.get(name)
        if came is not None and real is not None and not real.node.spec.unschedulable:
            yield _Landing(real.node, real.free, came + config.settling)
