"""The virtual node's room: how far its gate stands open, as one sum that every program agrees on."""

from collections.abc import Iterable
from typing import Final

import msgspec

from app.model.grant import Grant
from app.model.names import ATTEMPT, TASK_ARN
from app.model.pod import Pod, has_begun, is_of_daemon_set, is_terminal
from app.model.requests import requests_of
from app.model.resources import Resources, total

_NOTED: Final = (ATTEMPT, TASK_ARN)
FLOOR: Final = Resources(cpu_milli=1)
"""A Ready node with allocatable cpu 0 switches topology hints off for every Service of the cluster."""


def room(*, bound: Iterable[Pod], granted: Iterable[Grant], daemons: Resources) -> Resources:
    """The node's allocatable by its pods and grants.

    With no grant the node is closed. `daemons` is the room of DaemonSet pods that would land
    on the node and are not bound yet; without it a node-critical one preempts running overflow pods. A grant
    is spent once its pod has arrived: when that pod ends its room closes, however long the grant would live.

    Args:
        bound: pods whose `spec.nodeName` is the node.
        granted: live grants on the node.
        daemons: room for DaemonSet pods that are still unbound.
    """
    arrived = {pod.uid: pod for pod in bound}
    waiting = total(grant.room for grant in granted if grant.uid not in arrived)
    taken = total(requests_of(pod) for pod in arrived.values() if not is_terminal(pod))
    return opened(taken=taken, awaited=waiting + daemons)


def opened(*, taken: Resources, awaited: Resources) -> Resources:
    """The node's allocatable: what runs there, and what may land there.

    While nobody is awaited it offers no pod slot at all. A node that were merely full would let the next pod
    in when one of its pods ends, though nobody minds the gate; and a pod of higher priority might preempt
    others there. Without a slot no pod fits, whoever ended or were evicted for it.
    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/

    Args:
        taken: what its pods that have not ended ask for.
        awaited: what grants, and DaemonSet pods that insist, will take.
    """
    offered = (taken + awaited).at_least(FLOOR)
    return offered if awaited.pods else msgspec.structs.replace(offered, pods=0)


def is_overflow(pod: Pod) -> bool:
    """Whether the bridge runs the pod on a virtual node as a task; DaemonSet pods never start there.

    Who owns a pod can be edited while it runs. What began, by its status or by what the bridge noted, stays
    ours.
    """
    return (
        not is_of_daemon_set(pod) or has_begun(pod) or not pod.metadata.annotations.keys().isdisjoint(_NOTED)
    )
