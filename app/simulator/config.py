"""What is simulated beside the workload: the nodes, the autoscaler, Fargate, and the gate's policy."""

from datetime import timedelta
from typing import Final

import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.decision.hindrance import GateConfig
from app.model.offer import Arch, Offer

POD_SLOTS: Final = 110
"""https://kubernetes.io/docs/setup/best-practices/cluster-large/"""

HOUR_MS: Final = 3_600_000


class NodeShape(msgspec.Struct, frozen=True, kw_only=True):
    """What every real node offers to pods, and costs.

    Attributes:
        cpu_milli: allocatable, less what DaemonSets take.
        memory_mib: likewise.
        hourly: US dollars.
    """

    cpu_milli: int = 4000
    memory_mib: int = 16384
    pods: int = POD_SLOTS
    hourly: float = 0.192

    def holds(self, cpu_milli: int, memory_mib: int) -> bool:
        """Whether an empty node has room for so much."""
        return cpu_milli <= self.cpu_milli and memory_mib <= self.memory_mib


class SimulationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One scene for all policies.

    Attributes:
        nodes: how many nodes always stand; they cost until the trace is over and every pod has ended.
        most_nodes: how many there may be with those that the autoscaler adds.
        node: the shape of each.
        boot: from an autoscaler's decision to a Ready node.
        scale_down: how long an added node stays empty before it is removed.
        fargate_start: from a launch to a running pod.
        launches: Fargate launches per second, and at once: an account's default RunTask quota.
        arch: of nodes and tasks.
        offer: Fargate's prices.
        gate: Spillway's policy, as the extender's own settings give it.
    """

    nodes: int = 3
    most_nodes: int = 100
    node: NodeShape = NodeShape()
    boot: timedelta = timedelta(minutes=2)
    scale_down: timedelta = timedelta(minutes=10)
    fargate_start: timedelta = timedelta(seconds=45)
    launches: int = 20
    arch: Arch = "amd64"
    offer: Offer = SHIPPED_OFFER
    gate: GateConfig = GateConfig()


def milliseconds(length: timedelta) -> int:
    """The length in whole milliseconds: the simulator's time is integers, so that it never drifts."""
    return length // timedelta(milliseconds=1)
