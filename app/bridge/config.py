"""What an operator may set about the bridge, as frozen values."""

from typing import Literal

import msgspec


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every task definition of this bridge shares.

    Attributes:
        log_group: CloudWatch log group of the containers' output.
        log_mode: awslogs' `mode`: `non-blocking` may drop lines when CloudWatch is slow, `blocking` may
            stall the application instead. Always written out, since AWS changed its default once.
        execution_role_arn: pulls images and writes logs; empty means none.
        task_role_arn: the containers' own; empty means none.
        log_buffer: awslogs' `max-buffer-size`; only read in mode `non-blocking`.
        stream_prefix: the first part of a log stream's name, `PREFIX/CONTAINER/TASK_ID`.
        architecture: what the node's tasks run on.
        helper_image: the image that holds the in-task helper; empty refuses pods that need it.
        capacity: of pods that do not say.
        cluster_domain: the cluster's DNS domain, where the VPC's resolver forwards it to the cluster; empty
            where names of the cluster do not resolve in tasks.
        kubernetes_host: the API server's address as tasks reach it, for KUBERNETES_SERVICE_HOST; empty
            leaves the variable out.
        ebs_role_arn: with which ECS manages EBS volumes; empty refuses ephemeral volumes.
        host_ip: the virtual node's address, for the downward API's `status.hostIP`.
        exec: whether tasks are launched such that `kubectl exec` can enter them; `auto` and `on` do so for
            those that have a task role, and `on` tells of the others.
    """

    region: str
    log_group: str
    log_mode: str
    execution_role_arn: str
    task_role_arn: str
    log_buffer: str = "25m"
    stream_prefix: str = "spillway"
    architecture: Literal["amd64", "arm64"] = "amd64"
    helper_image: str = ""
    capacity: Literal["on-demand", "spot", "spot-first"] = "on-demand"
    cluster_domain: str = ""
    kubernetes_host: str = ""
    kubernetes_port: int = 443
    ebs_role_arn: str = ""
    host_ip: str = ""
    exec: Literal["auto", "on", "off"] = "auto"


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the virtual node presents itself.

    Attributes:
        internal_ip: where the API server reaches the node's HTTPS API; also the pods' `hostIP`.
        provider_id: `spec.providerID`; empty for cluster autoscalers that stop at foreign ones.
        identity: the node Lease's `holderIdentity`: the same after a restart in place, and no other bridge's.
        architecture: what the node's tasks run on.
        capacity: the node's capacity, which nothing schedules by; only the gate's allocatable counts.
        gate_namespace: where the gate's Lease lives.
        status_period: seconds between two reports of the node's status.
        lease_period: seconds between two rounds: the Node is looked at and its Lease renewed; at most 10, as
            a kubelet has it, lest Kubernetes take the node for dead.
        lease_seconds: how long a bridge that fell silent keeps the node from another.
        retry_period: seconds until the next try while the Lease is not ours.
        gate_period: seconds between two looks at the gate's Lease.
        websockets: the node's API takes WebSockets, which is declared to API servers that ask for it.
    """

    name: str
    zone: str
    region: str
    internal_ip: str
    kubelet_port: int
    kubelet_version: str
    provider_id: str
    identity: str
    capacity: dict[str, str]
    gate_namespace: str
    architecture: Literal["amd64", "arm64"] = "amd64"
    status_period: float = 60.0
    lease_period: float = 10.0
    lease_seconds: int = 40
    retry_period: float = 2.0
    gate_period: float = 5.0
    websockets: bool = False


class PollConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How often ECS is asked, in seconds.

    Attributes:
        busy: between two descriptions while any task is starting or stopping.
        quiet: between two descriptions otherwise.
        look: between two complete listings.
        retry: after a failed listing.
        standby: between two descriptions by a bridge that waits for the node's Lease.
    """

    busy: float = 1.5
    quiet: float = 5.0
    look: float = 180.0
    retry: float = 3.0
    standby: float = 30.0


class RecordConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How often the helpers' records of running tasks are read, in seconds.

    Attributes:
        period: between two readings of one task, at least.
        pause: between two readings: CloudWatch's quota is for people's logs first.
        lively: for so long a task of which something new was read, or that is new, goes before others; the
            longest back-off fits in.
        within: the longest wait for CloudWatch in one reading of a running task.
    """

    period: float = 5.0
    pause: float = 0.25
    lively: float = 360.0
    within: float = 10.0


class BridgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one bridge.

    Attributes:
        cluster: uid of the namespace kube-system; tells Kubernetes clusters apart that share an ECS cluster.
        toleration_seconds: how long an unreachable node's pods are kept (their tasks run on meanwhile).
        deletion_cost: `controller.kubernetes.io/pod-deletion-cost` of overflow pods without one.
        launches_in_flight: RunTask calls at once; the adapter's token bucket sets the rate.
        retry_cap: the longest wait in seconds before a failed step is tried again.
        give_back_after: seconds for which Fargate may have no capacity before a pod that a controller would
            replace is failed, so that the scheduler gets another try.
        usage_period: seconds between two questions what the tasks use.
    """

    cluster: str
    node: NodeConfig
    task: TaskSettings
    poll: PollConfig = PollConfig()
    records: RecordConfig = RecordConfig()
    toleration_seconds: int = 86_400
    deletion_cost: int = -100
    launches_in_flight: int = 40
    retry_cap: float = 30.0
    give_back_after: float = 600.0
    usage_period: float = 20.0
