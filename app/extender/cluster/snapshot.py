"""What the cluster shows, kept sorted as it changes: no turn of the pressure loop walks over all pods.

Fed by the listeners of two watches, in the event loop; `facts` freezes what it knows. A change costs one
pod's or one node's worth of work, however many there are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.cluster.coming import is_starting
from app.extender.cluster.early_kinds import EarlyKinds
from app.extender.cluster.facts import NOTHING_LEARNED, Coming, Facts, Learned, Ledger, RealNode
from app.extender.cluster.gauge import Gauge
from app.extender.cluster.pressure import Pressure
from app.extender.cluster.watermark import WatermarkConfig
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.node import Node, allocatable, is_virtual
from app.model.pod import Pod, condition, is_of_daemon_set, is_terminal
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import NOTHING, Resources
from app.ports.watched import Watched

_WATERMARKS: Final = WatermarkConfig()


class _Seat(msgspec.Struct, frozen=True):
    """Where a pod that has not ended sits, and what it holds there."""

    node: str
    room: Resources
    is_placeholder: bool


class _Taken(msgspec.Struct):
    """What the pods of one node hold; changed in place."""

    used: Resources = NOTHING
    placeholders: Resources = NOTHING


class Snapshot:
    """Pods by where they are, and what is taken of each real node.

    Args:
        pods: all pods of the cluster.
        nodes: all nodes.
        watermarks: when the pressure is high, and when it is low again.
    """

    def __init__(
        self, pods: Watched[Pod], nodes: Watched[Node], *, watermarks: WatermarkConfig = _WATERMARKS
    ) -> None:
        self._unbound: dict[PodUid, Pod] = {}
        self._pending: dict[PodUid, Pod] = {}
        self._seats: dict[PodUid, _Seat] = {}
        self._taken: dict[str, _Taken] = {}
        self._nodes: dict[str, Node] = {}
        self._virtual: dict[str, dict[PodUid, Pod]] = {}
        self._adrift: dict[str, dict[PodUid, Pod]] = {}
        self._real: dict[str, RealNode] = {}
        self._starting: set[str] = set()
        self._gauge = Gauge(watermarks)
        self._early = EarlyKinds(pods)
        self._changed: set[str] = set()
        self._pods = pods
        for node in nodes.all():
            self._node_changed(None, node)
        for pod in pods.all():
            self._pod_changed(None, pod)
        nodes.on_change(self._node_changed)
        pods.on_change(self._pod_changed)

    def facts(
        self,
        *,
        virtual: Iterable[Node],
        namespaces: Mapping[str, Namespace],
        grants: Ledger,
        coming: tuple[Coming, ...] = (),
        learned: Learned = NOTHING_LEARNED,
        now: datetime | None = None,
    ) -> Facts:
        """The cluster now.

        Args:
            virtual: the virtual nodes, as our own newest writes have them.
            namespaces: by name.
            grants: on each of those nodes.
            coming: nodes on their way.
            learned: how long nodes and tasks take.
            now: the time; where it is given, the pressure is measured.
        """
        self._bring_up_to_date()
        shown = tuple(sorted(virtual, key=lambda each: each.name))
        early = self._early.all(namespaces)
        return Facts(
            unbound=dict(self._unbound),
            virtual=shown,
            on_virtual={node.name: tuple(self._virtual.get(node.name, {}).values()) for node in shown},
            adrift={name: tuple(pods.values()) for name, pods in self._adrift.items() if pods},
            taken={node.name: self.taken(node.name) for node in shown},
            namespaces=namespaces,
            grants=grants,
            real=MappingProxyType(dict(self._real)),
            coming=coming,
            learned=learned,
            pressure=self._pressure(early, coming, now) if now is not None else {},
            early=early,
        )

    def taken(self, node: str) -> Resources:
        """What the node's pods that have not ended ask for, placeholders included."""
        held = self._taken.get(node)
        return held.used + held.placeholders if held is not None else NOTHING

    def starting(self) -> dict[str, RealNode]:
        """The real nodes that are not Ready, or not set up yet."""
        self._bring_up_to_date()
        return {name: self._real[name] for name in self._starting}

    def real(self) -> Mapping[str, RealNode]:
        """The real nodes, by name; it goes on changing."""
        self._bring_up_to_date()
        return MappingProxyType(self._real)

    def unbound(self) -> Iterable[Pod]:
        """The live pods without a node, whatever they want."""
        return self._unbound.values()

    def virtual(self) -> tuple[Node, ...]:
        """The virtual nodes as the watch shows them."""
        return tuple(self._nodes[name] for name in self._virtual)

    def is_virtual(self, node: str) -> bool:
        """Whether this is the name of a virtual node."""
        return node in self._virtual

    def _bring_up_to_date(self) -> None:
        for name in self._changed:
            node = self._nodes.get(name)
            self._starting.discard(name)
            if node is None or is_virtual(node):
                self._real.pop(name, None)
                self._gauge.node_changed(name, None)
                continue
            taken = self._taken.get(name) or _Taken()
            real = self._real[name] = RealNode(
                node=node, allocatable=_offered(node), used=taken.used, placeholders=taken.placeholders
            )
            self._gauge.node_changed(name, real)
            if is_starting(node):
                self._starting.add(name)
        self._changed.clear()

    def _pressure(
        self, early: Iterable[Pod], coming: tuple[Coming, ...], now: datetime
    ) -> Mapping[PodUid, Pressure]:
        overflow = (pod for pods in self._virtual.values() for pod in pods.values() if not is_terminal(pod))
        return self._gauge.measured(
            pending=self._pending.values(),
            others=(*overflow, *early),
            coming=coming,
            now=now,
        )

    def _node_changed(self, before: Node | None, after: Node | None) -> None:
        if after is None:
            if before is not None:
                self._nodes.pop(before.name, None)
                self._lose(before.name)
                self._changed.add(before.name)
            return
        self._nodes[after.name] = after
        self._changed.add(after.name)
        if not is_virtual(after):
            self._lose(after.name)
        elif after.name not in self._virtual:
            self._adrift.pop(after.name, None)
            self._virtual[after.name] = {
                pod.uid: pod for pod in self._pods.all() if pod.spec.node_name == after.name
            }

    def _lose(self, name: str) -> None:
        """A virtual node is none any more: whoever deleted it, or took its taint, ended no task by that."""
        if name in self._virtual:
            self._adrift[name] = self._virtual.pop(name)

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        if before is not None and (after is None or _elsewhere(before, after)):
            self._forget(before)
        if after is None:
            return
        node = after.spec.node_name
        if not node:
            self._waits(after)
            return
        self._waits_no_more(after.uid)
        for places in (self._virtual, self._adrift):
            if node in places:
                places[node][after.uid] = after
        if before is None or not _sits_still(before, after):
            self._sit(after.uid, None if is_terminal(after) else _seat(after))

    def _waits(self, pod: Pod) -> None:
        """The pod has no node; whether it presses is looked up once, not in every turn."""
        self._waits_no_more(pod.uid)
        if is_terminal(pod) or pod.metadata.deletion_timestamp is not None:
            return
        self._unbound[pod.uid] = pod
        if is_pending(pod):
            self._pending[pod.uid] = pod

    def _waits_no_more(self, uid: PodUid) -> None:
        self._unbound.pop(uid, None)
        self._pending.pop(uid, None)

    def _forget(self, pod: Pod) -> None:
        self._waits_no_more(pod.uid)
        for places in (self._virtual, self._adrift):
            places.get(pod.spec.node_name, {}).pop(pod.uid, None)
        self._sit(pod.uid, None)

    def _sit(self, uid: PodUid, seat: _Seat | None) -> None:
        """Move the pod to its seat; what did not move costs a comparison."""
        old = self._seats.get(uid)
        if old == seat:
            return
        if old is not None:
            self._add(old, -1)
            del self._seats[uid]
        if seat is not None:
            self._add(seat, 1)
            self._seats[uid] = seat

    def _add(self, seat: _Seat, sign: int) -> None:
        taken = self._taken.setdefault(seat.node, _Taken())
        room = seat.room if sign > 0 else NOTHING - seat.room
        if seat.is_placeholder:
            taken.placeholders += room
        else:
            taken.used += room
        if taken.used == NOTHING and taken.placeholders == NOTHING:
            del self._taken[seat.node]
        self._changed.add(seat.node)


def _elsewhere(before: Pod, after: Pod) -> bool:
    """Whether it is another pod of that name, or one that was moved: a restored cluster unbinds pods."""
    return before.uid != after.uid or before.spec.node_name != after.spec.node_name


def _sits_still(before: Pod, after: Pod) -> bool:
    """Whether only the status changed, as it mostly does: summing requests up takes longer than this look."""
    return before.uid == after.uid and before.spec == after.spec and is_terminal(before) == is_terminal(after)


def _seat(pod: Pod) -> _Seat:
    try:
        room = requests_of(pod)
    except QuantityError:
        # An API server refuses such a pod; what it holds nobody can say.
        room = Resources(pods=1)
    return _Seat(pod.spec.node_name, room, is_placeholder(pod))


def is_placeholder(pod: Pod) -> bool:
    """Whether the pod only keeps room for others: anybody of a higher priority pushes it aside.

    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (overprovisioning)
    """
    return pod.spec.priority is not None and pod.spec.priority < 0


def is_pending(pod: Pod) -> bool:
    """Whether the scheduler found no node for the pod; placeholders and pods of DaemonSets do not count."""
    found = condition(pod, "PodScheduled")
    if found is None or found.status != "False" or found.reason != "Unschedulable":
        return False
    return not is_placeholder(pod) and not is_of_daemon_set(pod)


def _offered(node: Node) -> Resources:
    try:
        return allocatable(node)
    except QuantityError:
        return NOTHING
