"""Learns from the cluster itself how long a node takes to be Ready, and Fargate to start a pod.

By what objects say of their own times, so that whoever starts later learns the same from a listing, but for
one thing: how long a pod had waited when its node appeared is known only to those who saw it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from app.extender.cluster import affinity
from app.extender.cluster.facts import Learned
from app.extender.cluster.samples import Samples
from app.model.node import Node, is_virtual
from app.model.node_claim import NodeClaim
from app.model.pod import Pod, condition
from app.ports.watched import Watched

LONGEST_WAIT: Final = timedelta(minutes=10)
"""A pod that had waited longer when a node appeared was not what the node was asked for."""

LONGEST_BOOT: Final = timedelta(minutes=30)
"""A node that became Ready later than this did so again: it has been Ready before."""

LONGEST_START: Final = timedelta(minutes=30)
MOST_COMPARED: Final = 50
"""Pods that a new node is compared with, those that wait longest first: 1,000 would hold the watch up."""

MOST_ASKED: Final = 1000
"""Nodes whose start is remembered while they are not Ready."""


class History:
    """Follows nodes and pods; `learned` is what they tell.

    Args:
        pods: all pods.
        nodes: all nodes.
        claims: Karpenter's claims, which may become known after their nodes; None where nobody looks.
        unbound: the pods without a node now.
        claim_of: the Karpenter claim that a node came of, if any.
    """

    def __init__(
        self,
        pods: Watched[Pod],
        nodes: Watched[Node],
        *,
        claims: Watched[NodeClaim] | None,
        unbound: Callable[[], Iterable[Pod]],
        claim_of: Callable[[Node], NodeClaim | None],
    ) -> None:
        self._pods = pods
        self._nodes = nodes
        self._unbound = unbound
        self._claim_of = claim_of
        self._boots = Samples()
        self._starts = Samples()
        self._asked: dict[str, datetime] = {}
        self._booted: set[str] = set()
        self._virtual: set[str] = set()
        self._started: set[str] = set()
        for node in nodes.all():
            self._node_changed(None, node)
        for pod in pods.all():
            self._pod_changed(None, pod)
        nodes.on_change(self._node_changed)
        pods.on_change(self._pod_changed)
        if claims is not None:
            claims.on_change(self._claim_changed)

    def learned(self) -> Learned:
        """What holds for three of the last twenty out of four."""
        return Learned(
            node_boot=self._boots.upper_quartile(),
            boots=len(self._boots),
            fargate_start=self._starts.upper_quartile(),
            starts=len(self._starts),
        )

    def _node_changed(self, before: Node | None, after: Node | None) -> None:
        if after is None:
            if before is not None:
                self._forget(before)
            return
        if is_virtual(after):
            self._virtual_seen(after.name)
            return
        key = _identity(after)
        if key in self._booted:
            return
        ready = _ready_since(after)
        if ready is None:
            self._remember(key, after)
            return
        self._booted.add(key)
        self._measure(after, ready, seen=self._asked.pop(key, None))

    def _claim_changed(self, before: NodeClaim | None, after: NodeClaim | None) -> None:
        node = self._nodes.get(after.status.node_name) if after is not None else None
        ready = _ready_since(node) if node is not None else None
        if before is None and node is not None and ready is not None and _identity(node) in self._booted:
            self._measure(node, ready)

    def _measure(self, node: Node, ready: datetime, *, seen: datetime | None = None) -> None:
        asked = self._asked_for(node, seen=seen)
        if asked is not None and timedelta(0) <= ready - asked <= LONGEST_BOOT:
            self._boots.add(_identity(node), ready - asked, at=ready)

    def _forget(self, node: Node) -> None:
        self._booted.discard(_identity(node))
        self._asked.pop(_identity(node), None)
        self._virtual.discard(node.name)

    def _remember(self, key: str, node: Node) -> None:
        """When the node was asked for, while the pods that asked are still without one."""
        created = node.metadata.creation_timestamp
        if key in self._asked or created is None or len(self._asked) >= MOST_ASKED:
            return
        waits = ((since, pod) for pod in self._unbound() if (since := _unschedulable_since(pod)) is not None)
        recent = sorted(
            (row for row in waits if created - LONGEST_WAIT <= row[0] <= created), key=lambda row: row[0]
        )
        oldest = (since for since, pod in recent[:MOST_COMPARED] if _could_use(pod, node))
        self._asked[key] = next(oldest, created)

    def _asked_for(self, node: Node, *, seen: datetime | None) -> datetime | None:
        claim = self._claim_of(node)
        claimed = claim.metadata.creation_timestamp if claim is not None else None
        return claimed or seen or node.metadata.creation_timestamp

    def _virtual_seen(self, name: str) -> None:
        if name in self._virtual:
            return
        self._virtual.add(name)
        for pod in self._pods.all():
            self._pod_changed(None, pod)

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        gone = after is None or (before is not None and before.uid != after.uid)
        if before is not None and gone:
            self._started.discard(before.uid)
        if after is None or after.spec.node_name not in self._virtual or after.uid in self._started:
            return
        bound, running = _bound_at(after), _running_at(after)
        if bound is None or running is None:
            return
        self._started.add(after.uid)
        if timedelta(0) <= running - bound <= LONGEST_START:
            self._starts.add(after.uid, running - bound, at=running)


def _identity(node: Node) -> str:
    return node.metadata.uid or node.name


def _ready_since(node: Node) -> datetime | None:
    ready = (each for each in node.status.conditions if each.type == "Ready" and each.status == "True")
    return next((each.last_transition_time for each in ready), None)


def _could_use(pod: Pod, node: Node) -> bool:
    return affinity.admits(pod, node) and affinity.bears(pod, node, transient=False)


def _unschedulable_since(pod: Pod) -> datetime | None:
    found = condition(pod, "PodScheduled")
    if found is None or found.status != "False" or found.reason != "Unschedulable":
        return None
    return found.last_transition_time


def _bound_at(pod: Pod) -> datetime | None:
    found = condition(pod, "PodScheduled")
    return found.last_transition_time if found is not None and found.status == "True" else None


class _Running(msgspec.Struct, frozen=True, rename="camel"):
    started_at: datetime | None = None


class _State(msgspec.Struct, frozen=True):
    running: _Running | None = None


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    state: _State = _State()
    restart_count: int = 0


def _running_at(pod: Pod) -> datetime | None:
    """When the last of its containers began to run; None while one does not, or where one was restarted."""
    if pod.status.phase != "Running" or not pod.status.container_statuses:
        return None
    starts = [_started(each) for each in pod.status.container_statuses]
    known = [start for start in starts if start is not None]
    return max(known) if len(known) == len(starts) else None


def _started(status: Any) -> datetime | None:
    try:
        container = msgspec.convert(status, _Container)
    except msgspec.ValidationError:
        # A status that we cannot read tells nothing of its times.
        return None
    running = container.state.running
    return running.started_at if running is not None and container.restart_count == 0 else None
