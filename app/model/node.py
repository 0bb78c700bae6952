"""A node as core/v1 writes it, reduced to what Spillway reads.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
"""

from datetime import datetime

import msgspec

from app.model.meta import ObjectMeta
from app.model.names import TAINT_KEY, TAINT_VALUE
from app.model.resources import Resources
from app.model.wire import Wire


class Taint(Wire, frozen=True):
    """What keeps pods off a node."""

    key: str
    effect: str
    value: str = ""


class NodeSpec(Wire, frozen=True):
    """A node's spec."""

    provider_id: str = msgspec.field(name="providerID", default="")
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


class NodeAddress(Wire, frozen=True):
    """How to reach the node."""

    type: str
    address: str


class NodeCondition(Wire, frozen=True):
    """One of a node's conditions (`Ready`, `MemoryPressure`, …)."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_heartbeat_time: datetime | None = None
    last_transition_time: datetime | None = None


class NodeStatus(Wire, frozen=True):
    """What a node has and how it is."""

    allocatable: dict[str, str] = {}
    capacity: dict[str, str] = {}
    conditions: tuple[NodeCondition, ...] = ()
    addresses: tuple[NodeAddress, ...] = ()


class Node(Wire, frozen=True):
    """A node, real or virtual."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def name(self) -> str:
        """The node's name."""
        return self.metadata.name


def is_virtual(node: Node) -> bool:
    """Whether the node is one of ours: it carries our taint, which no label edit takes off."""
    return any(marks_virtual(taint) for taint in node.spec.taints)


def marks_virtual(taint: Taint) -> bool:
    """Whether the taint is ours; other virtual kubelets use the same key with a value of their own."""
    return taint.key == TAINT_KEY and taint.value == TAINT_VALUE


def allocatable(node: Node) -> Resources:
    """The room that the node offers to pods, bound ones included."""
    return Resources.parse(node.status.allocatable)


def is_ready(node: Node) -> bool:
    """Whether the node says that it takes pods."""
    return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
