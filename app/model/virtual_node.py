"""The virtual node's room: how far its gate stands open, as one sum that every program agrees on."""

from collections.abc import Iterable
from typing import Final

from app.model.grant import Grant
from app.model.pod import Pod, is_of_daemon_set, is_terminal
from app.model.requests import requests_of
from app.model.resources import Resources, total

FLOOR: Final = Resources(cpu_milli=1)
"""A Ready node with allocatable cpu 0 switches topology hints off for every Service of the cluster."""


def room(*, bound: Iterable[Pod], granted: Iterable[Grant], daemons: Resources) -> Resources:
    """The node's allocatable: what runs there, what may land there, and the DaemonSet pods that insist.

    With no grant the node is closed: exactly full. `daemons` is the room of DaemonSet pods that would land
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
    return (taken + waiting + daemons).at_least(FLOOR)


def is_overflow(pod: Pod) -> bool:
    """Whether the bridge runs the pod as a task; DaemonSet pods on the virtual node never start."""
    return not is_of_daemon_set(pod)
