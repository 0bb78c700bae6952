"""The ports of one bridge, gathered into one value."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from app.bridge.decision.facts import Gathered
from app.bridge.task_news import TaskNews
from app.bridge.translation.material import Needs
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.kubernetes import Events, Leases, Nodes, Pods
from app.ports.logs import LogStreams
from app.ports.probes import Probes
from app.ports.tasks import Definitions, Tasks
from app.ports.usage import Insights
from app.ports.watched import Watched


class Materials(Protocol):
    """Finds what a pod refers to (`app.bridge.material`)."""

    async def gather(self, pod: Pod, needs: Needs, *, namespace: Mapping[str, str]) -> Gathered:
        """All of it, what is missing yet, or why it can never be.

        Args:
            pod: as it is bound.
            needs: what it refers to.
            namespace: the annotations of its namespace.

        Raises:
            PortFailure: Kubernetes or AWS did not answer; gather again later.
        """
        ...


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the bridge speaks to.

    Attributes:
        watched: the pods bound to this bridge's node; its `run` is the caller's to run.
        namespaces: all of them, for their labels; run by the caller, too.
        pods: reads that must be consistent, and all writes.
        nodes: our Node.
        leases: our node's Lease, and the gate's.
        events: what people read.
        tasks: the tasks of one ECS cluster.
        definitions: ECS task definitions.
        streams: the containers' logs, for the helpers' records and for termination messages.
        materials: finds what pods refer to.
        probes: asks containers how they are.
        insights: what containers use.
        clock: time.
        news: ECS's events, where a queue is configured; the caller's to run.
    """

    watched: Watched[Pod]
    namespaces: Watched[Namespace]
    pods: Pods
    nodes: Nodes
    leases: Leases
    events: Events
    tasks: Tasks
    definitions: Definitions
    streams: LogStreams
    materials: Materials
    probes: Probes
    insights: Insights
    clock: Clock
    news: TaskNews | None = None
