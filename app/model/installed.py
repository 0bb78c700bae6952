"""What an installation is made of, reduced to what somebody who looks at it from outside reads.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from app.model.meta import ObjectMeta
from app.model.node import NodeAddress
from app.model.pod import PodSpec
from app.model.wire import Wire


class PodTemplate(Wire, frozen=True):
    """What pods are made from."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Wire, frozen=True):
    """How many pods there are to be, and what from."""

    replicas: int | None = None
    template: PodTemplate = PodTemplate()


class WorkloadStatus(Wire, frozen=True):
    """How many of them are Ready."""

    ready_replicas: int = 0


class Workload(Wire, frozen=True):
    """A Deployment or a StatefulSet."""

    metadata: ObjectMeta = ObjectMeta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class KubeletEndpoint(Wire, frozen=True, rename={"port": "Port"}):
    """Where the node's own API listens; Kubernetes writes the port's name in capitals."""

    port: int = 0


class DaemonEndpoints(Wire, frozen=True):
    """The ports of a node's daemons."""

    kubelet_endpoint: KubeletEndpoint = KubeletEndpoint()


class HostStatus(Wire, frozen=True):
    """How a node is reached, and what API servers may count on there."""

    addresses: tuple[NodeAddress, ...] = ()
    daemon_endpoints: DaemonEndpoints = DaemonEndpoints()
    declared_features: tuple[str, ...] = ()


class Host(Wire, frozen=True):
    """A node as the API server reaches it; its room and its conditions are `app.model.node`'s."""

    metadata: ObjectMeta = ObjectMeta()
    status: HostStatus = HostStatus()
