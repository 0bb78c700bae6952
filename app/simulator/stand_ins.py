"""The Kubernetes objects that the deciding modules see, made of a trace's pods and the scene's nodes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.extender.cluster.facts import RealNode
from app.model.container import Container, ResourceRequirements
from app.model.meta import ObjectMeta
from app.model.names import (
    ARCH_LABEL,
    CAPACITY,
    DISABLED,
    ENABLED,
    MAX_WAIT,
    NODE_TYPE_LABEL,
    OFFER,
    OS_LABEL,
    OVERFLOW,
    TAINT_EFFECT,
    TAINT_KEY,
    TAINT_VALUE,
    VIRTUAL_KUBELET,
    PodUid,
)
from app.model.namespace import Namespace
from app.model.node import Node, NodeCondition, NodeSpec, NodeStatus, Taint
from app.model.offer import Arch, written_offer
from app.model.pod import Pod, PodCondition, PodSpec, PodStatus, Toleration
from app.model.quantity import MIB
from app.model.resources import Resources
from app.simulator.config import NodeShape, SimulationConfig
from app.simulator.trace import TracedPod

VIRTUAL_NODE: Final = "fargate"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLERATION: Final = Toleration(key=TAINT_KEY, operator="Equal", value=TAINT_VALUE, effect=TAINT_EFFECT)
_READY: Final = (NodeCondition(type="Ready", status="True"),)
_MS: Final = timedelta(milliseconds=1)


def moment(ms: int) -> datetime:
    """The time that the deciding modules see."""
    return _EPOCH + timedelta(milliseconds=ms)


def since_epoch(at: datetime) -> int:
    """Back to milliseconds, never before the moment."""
    return -((_EPOCH - at) // _MS)


class Pods:
    """Makes pods; those of one size share one spec.

    Args:
        arch: what every pod runs on.
    """

    def __init__(self, arch: Arch) -> None:
        self._arch = arch
        self._specs: dict[tuple[int, int], PodSpec] = {}

    def pending(self, traced: TracedPod, uid: PodUid, *, since: int) -> Pod:
        """The pod as the API server shows it once the scheduler found no node for it."""
        at = moment(since)
        unschedulable = PodCondition(
            type="PodScheduled", status="False", reason="Unschedulable", last_transition_time=at
        )
        metadata = ObjectMeta(
            name=traced.name,
            namespace=traced.namespace,
            uid=uid,
            labels={} if traced.overflow else {OVERFLOW: DISABLED},
            annotations=_annotations(traced),
            creation_timestamp=moment(traced.created),
        )
        return Pod(metadata=metadata, spec=self._spec(traced), status=PodStatus(conditions=(unschedulable,)))

    def _spec(self, traced: TracedPod) -> PodSpec:
        size = traced.cpu_milli, traced.memory_mib
        if size not in self._specs:
            requests = {"cpu": f"{traced.cpu_milli}m", "memory": f"{traced.memory_mib}Mi"}
            container = Container(
                name="main", image="traced", resources=ResourceRequirements(requests=requests)
            )
            self._specs[size] = PodSpec(
                containers=(container,),
                node_selector={ARCH_LABEL: self._arch},
                tolerations=(_TOLERATION,),
            )
        return self._specs[size]


def _annotations(traced: TracedPod) -> dict[str, str]:
    said = ((MAX_WAIT, traced.max_wait), (CAPACITY, traced.capacity))
    return {name: text for name, text in said if text}


def namespaces(names: Iterable[str]) -> dict[str, Namespace]:
    """Namespaces whose pods may overflow."""
    return {
        name: Namespace(metadata=ObjectMeta(name=name, labels={OVERFLOW: ENABLED})) for name in set(names)
    }


def virtual_node(config: SimulationConfig) -> Node:
    """The virtual node, closed, with the offer that a bridge writes there."""
    return Node(
        metadata=ObjectMeta(
            name=VIRTUAL_NODE,
            labels={
                OS_LABEL: "linux",
                ARCH_LABEL: config.arch,
                NODE_TYPE_LABEL: VIRTUAL_KUBELET,
            },
            annotations={OFFER: written_offer(config.offer)},
        ),
        spec=NodeSpec(taints=(Taint(key=TAINT_KEY, value=TAINT_VALUE, effect=TAINT_EFFECT),)),
        status=NodeStatus(allocatable={"cpu": "1m", "memory": "0", "pods": "0"}, conditions=_READY),
    )


class RealNodes:
    """Makes real nodes; each slot's Node object is made once.

    Args:
        shape: what each offers.
        arch: what each is.
    """

    def __init__(self, shape: NodeShape, arch: Arch) -> None:
        self.room = Resources(cpu_milli=shape.cpu_milli, memory=shape.memory_mib * MIB, pods=shape.pods)
        self._arch = arch
        self._nodes: dict[int, Node] = {}

    def node(self, slot: int) -> Node:
        """The Node of this slot."""
        if slot not in self._nodes:
            self._nodes[slot] = Node(
                metadata=ObjectMeta(name=f"node-{slot}", labels={OS_LABEL: "linux", ARCH_LABEL: self._arch}),
                status=NodeStatus(allocatable=self.room.wire(), conditions=_READY),
            )
        return self._nodes[slot]

    def taken(self, slot: int, free: tuple[int, int, int]) -> RealNode:
        """The node with what is left of it: millicores, MiB, pod slots."""
        cpu_milli, memory_mib, pods = free
        left = Resources(cpu_milli=cpu_milli, memory=memory_mib * MIB, pods=pods)
        return RealNode(node=self.node(slot), allocatable=self.room, used=self.room - left)
