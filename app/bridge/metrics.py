"""What the bridge counts, for Prometheus."""

from collections import Counter
from collections.abc import Iterable

import msgspec
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Count

from app.model.pod import Pod
from app.model.task import Task

_PHASES = ("Pending", "Running", "Succeeded", "Failed")


class Burden(msgspec.Struct, frozen=True, kw_only=True):
    """What one node carries: its pods, its tasks, and the pods being worked on or waiting for it."""

    pods: tuple[Pod, ...]
    tasks: tuple[Task, ...]
    depth: int


class BridgeMetrics:
    """The bridge's instruments, in the registry that the caller serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pods = Gauge(
            "spillway_bridge_pods", "Pods on the virtual node by phase.", ["phase"], registry=registry
        )
        self.tasks = Gauge(
            "spillway_bridge_tasks", "Live tasks by ECS status.", ["status"], registry=registry
        )
        self.launches = Count(
            "spillway_bridge_launches", "Attempts to launch by outcome.", ["outcome"], registry=registry
        )
        self.launch_seconds = Histogram(
            "spillway_bridge_launch_seconds",
            "From the decision to launch to ECS's answer, turns and throttling included.",
            ["outcome"],
            buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
            registry=registry,
        )
        self.orphans = Count(
            "spillway_bridge_orphans_stopped", "Tasks stopped because their pod was gone.", registry=registry
        )
        self.events = Count(
            "spillway_bridge_task_events",
            "Events of tasks from the queue: news, or stale (known already, or somebody else's).",
            ["kind"],
            registry=registry,
        )
        self.queue = Gauge(
            "spillway_bridge_queue_depth", "Pods being worked on or waiting for it.", registry=registry
        )
        self.launches.labels("refused")
        self._statuses: set[str] = set()

    def observe(self, burdens: Iterable[Burden]) -> None:
        """Set the gauges to what all nodes carry together."""
        nodes = tuple(burdens)
        phases = Counter(pod.status.phase for node in nodes for pod in node.pods)
        for phase in _PHASES:
            self.pods.labels(phase).set(phases[phase])
        statuses = Counter(task.last_status for node in nodes for task in node.tasks if not task.is_stopped)
        self._statuses |= set(statuses)
        for status in self._statuses:
            self.tasks.labels(status).set(statuses[status])
        self.queue.set(sum(node.depth for node in nodes))
