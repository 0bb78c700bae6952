"""What a pod, a node and a task are to a drain. Pure."""

from typing import Final

from app.drain.config import DrainConfig
from app.model.names import GATE
from app.model.node import Node
from app.model.pod import Pod, controller_of, is_terminal
from app.model.task import Task
from app.model.virtual_node import is_overflow

CLOSED: Final = "closed"
JOB: Final = "Job"
COUNTED: Final = frozenset({"ReplicaSet", "StatefulSet", "ReplicationController"})
"""Kinds that make a lost pod anew and say how many are Ready."""


def is_closed(node: Node) -> bool:
    """Whether nothing new may land: the gate says so, and so does the cordon where no extender runs."""
    return node.spec.unschedulable and node.metadata.annotations.get(GATE, "") == CLOSED


def opening_of(node: Node) -> str:
    """What of the node is not closed."""
    gate = node.metadata.annotations.get(GATE)
    seen = [] if node.spec.unschedulable else ["it was uncordoned"]
    if gate is None:
        seen.append(f"its annotation {GATE} was taken away")
    elif gate != CLOSED:
        seen.append(f"its annotation {GATE} says {gate[:63]}")
    return " and ".join(seen)


def stands(pod: Pod) -> bool:
    """Whether the pod has, or may get, a task; finished ones and a DaemonSet's have none."""
    return is_overflow(pod) and not is_terminal(pod)


def is_leaving(pod: Pod) -> bool:
    """Whether its deletion has begun."""
    return pod.metadata.deletion_timestamp is not None


def is_bare(pod: Pod) -> bool:
    """Whether nobody would make it anew."""
    return controller_of(pod) is None


def counted_by(pod: Pod) -> str:
    """The uid of the controller that says how many of its pods are Ready; empty where none does."""
    owner = controller_of(pod)
    return owner.uid if owner is not None and owner.kind in COUNTED else ""


def owner_text(pod: Pod) -> str:
    """The pod's controller as `ReplicaSet web-5d4f`; empty for a bare pod."""
    owner = controller_of(pod)
    return f"{owner.kind} {owner.name}" if owner is not None else ""


def is_ours(task: Task, config: DrainConfig) -> bool:
    """Whether a bridge of this cluster launched the task, for one of the nodes that are drained."""
    identity = task.identity
    if identity is None or identity.cluster != config.cluster:
        return False
    return not config.nodes or identity.node in config.nodes
