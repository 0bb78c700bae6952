"""What one scheduling cycle sees: nodes with the pods on them, as values that nothing changes meanwhile."""

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from app.model.node import Node, allocatable
from app.model.pod import Pod
from app.model.quantity import MIB
from app.model.requests import requests_of
from app.model.resources import Resources, total

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A node, the pods that take up its room, and the sums of both.

    Attributes:
        node: the node.
        pods: those bound or about to be bound to it, finished ones left out.
        room: its allocatable.
        requested: what its pods ask for.
        usual: the same with a usual size for containers that ask for nothing; only scores look at it.
        repelling: those of its pods that required anti-affinity keeps other pods away from.
    """

    node: Node
    pods: tuple[Pod, ...] = ()
    room: Resources = Resources()
    requested: Resources = Resources()
    usual: Resources = Resources()
    repelling: tuple[Pod, ...] = ()

    @classmethod
    def of(cls, node: Node, pods: Iterable[Pod] = ()) -> Self:
        """With the sums that belong to node and pods."""
        kept = tuple(pods)
        return cls(
            node=node,
            pods=kept,
            room=allocatable(node),
            requested=total(requests_of(pod) for pod in kept),
            usual=total(usual_requests(pod) for pod in kept),
            repelling=tuple(pod for pod in kept if _repels(pod)),
        )

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    def having(self, pods: Iterable[Pod]) -> "NodeInfo":
        """The same node with these pods besides."""
        more = tuple(pods)
        return msgspec.structs.replace(
            self,
            pods=self.pods + more,
            requested=self.requested + total(requests_of(pod) for pod in more),
            usual=self.usual + total(usual_requests(pod) for pod in more),
            repelling=self.repelling + tuple(pod for pod in more if _repels(pod)),
        )

    def without(self, pods: Iterable[Pod]) -> "NodeInfo":
        """The same node after these pods have left it."""
        gone = {pod.uid for pod in pods}
        left = [pod for pod in self.pods if pod.uid in gone]
        return msgspec.structs.replace(
            self,
            pods=tuple(pod for pod in self.pods if pod.uid not in gone),
            requested=self.requested - total(requests_of(pod) for pod in left),
            usual=self.usual - total(usual_requests(pod) for pod in left),
            repelling=tuple(pod for pod in self.repelling if pod.uid not in gone),
        )


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes, and the pods that wait for room which preemption is making for them.

    Attributes:
        nodes: by name.
        nominated: by node name, pods whose `status.nominatedNodeName` it is.
    """

    nodes: Mapping[str, NodeInfo]
    nominated: Mapping[str, tuple[Pod, ...]] = {}

    def replacing(self, info: NodeInfo) -> "Snapshot":
        """The same, with this node's state changed: for dry runs."""
        return msgspec.structs.replace(self, nodes={**self.nodes, info.name: info})


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why a node does not take a pod.

    Attributes:
        plugin: kube-scheduler's name of the filter.
        reasons: in kube-scheduler's words.
        resolvable: whether evicting pods from the node could change the answer.
    """

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool = False


def priority_of(pod: Pod) -> int:
    """The pod's priority; none given is 0."""
    return pod.spec.priority or 0


def usual_requests(pod: Pod) -> Resources:
    """The pod's cpu and memory, with 100m and 200Mi standing in for what it does not ask for."""
    asked = requests_of(pod)
    return Resources(cpu_milli=asked.cpu_milli or 100, memory=asked.memory or 200 * MIB)


def _repels(pod: Pod) -> bool:
    return bool(((pod.spec.affinity or {}).get("podAntiAffinity") or {}).get(REQUIRED))
