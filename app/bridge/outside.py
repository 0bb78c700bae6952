"""The ports of one bridge, gathered into one value."""

import msgspec

from app.model.namespace import Namespace
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.kubernetes import Events, Leases, Nodes, Pods
from app.ports.tasks import Definitions, Tasks
from app.ports.watched import Watched


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
        clock: time.
    """

    watched: Watched[Pod]
    namespaces: Watched[Namespace]
    pods: Pods
    nodes: Nodes
    leases: Leases
    events: Events
    tasks: Tasks
    definitions: Definitions
    clock: Clock
