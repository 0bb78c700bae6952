"""Settings of the bridge."""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from app.model.setting import named
from app.settings.common import Duration, InCluster, Names, Port, Quantity

_SIGNER: Final = named("bridge", "kubelet_cert_signer")
_SHORTEST_LEASE: Final = timedelta(seconds=4)
_SHORTEST_USAGE_PERIOD: Final = timedelta(seconds=1)


class BridgeSettings(InCluster):
    """`spillway bridge`."""

    node_name: str = Field("fargate", description="The virtual node's name.")
    identity: str = Field(
        "",
        description="This process's name in the node's Lease: the same after a restart in place, another for "
        "every replica; empty means the host name.",
    )
    lease_duration: Duration = Field(
        timedelta(seconds=40),
        description="How long a bridge that fell silent keeps the node from another; at least 4 s.",
    )
    zone: str = Field("", description="The zone that the node claims: one that has real nodes.")
    region: str = Field(
        "", description="The node's region label and the log driver's region; empty means the AWS chain's."
    )
    provider_id: str = Field(
        "", description="The node's spec.providerID; empty is safe with every cloud controller."
    )
    internal_ip: str = Field(
        "127.0.0.1", description="The address at which the API server reaches this process (the pod's IP)."
    )
    kubelet_host: str = Field("0.0.0.0", description="The address that the kubelet API listens on.")
    kubelet_port: Port = Field(10250, description="The port of the kubelet API.")
    kubelet_cert: Path | None = Field(
        None, description="PEM certificate chain of the kubelet API; read again when the file changes."
    )
    kubelet_key: Path | None = Field(None, description="PEM private key of kubelet-cert.")
    kubelet_cert_signer: str = Field(
        "",
        description="The cluster's signer of each node's serving certificate: kubernetes.io/kubelet-serving, "
        "or on EKS beta.eks.amazonaws.com/app-serving; empty means kubelet-cert.",
    )
    kubelet_cert_approve: bool = Field(
        default=False,
        description="Approve our own requests to kubelet-cert-signer; otherwise somebody else has to.",
    )
    kubelet_client_ca: Path | None = Field(
        None,
        description="PEM authorities of the client certificates that are let in; empty: the cluster's own "
        "(ConfigMap kube-system/extension-apiserver-authentication).",
    )
    kubelet_client_names: Names = Field(
        (),
        description="Common names whose client certificates count, with commas; empty counts all. RBAC on "
        "nodes/proxy and its siblings says what each may.",
    )
    probe_host: str = Field("0.0.0.0", description="The address for /healthz, /readyz and /metrics.")
    probe_port: Port = Field(8080, description="The port for /healthz, /readyz and /metrics (plain HTTP).")
    capacity_cpu: Quantity = Field(
        "1000", description="The node's capacity for cpu; what it offers is the gate's business."
    )
    capacity_memory: Quantity = Field("4000Gi", description="The node's capacity for memory.")
    capacity_pods: Quantity = Field("1000", description="The node's capacity for pods.")
    ecs_cluster: str = Field(
        "spillway", description="The ECS cluster that runs the tasks; best one of its own."
    )
    subnets: Names = Field((), description="Subnet ids for the tasks, with commas.")
    security_groups: Names = Field((), description="Security group ids for the tasks, with commas.")
    assign_public_ip: bool = Field(
        default=False, description="Give each task a public address (public subnets without NAT)."
    )
    execution_role: str = Field("", description="ARN of the role that pulls images and writes logs.")
    task_role: str = Field("", description="ARN of the role that the tasks' own code has; empty means none.")
    log_group: str = Field("/spillway/pods", description="The CloudWatch Logs group of all containers.")
    log_mode: Literal["blocking", "non-blocking"] = Field(
        "non-blocking",
        description="awslogs delivery: non-blocking may drop lines, blocking may stall the app.",
    )
    logs_per_second: Annotated[int, Field(ge=0)] = Field(
        0, description="GetLogEvents calls per second; 0 means the published quota of the region."
    )

    nodes_file: Path | None = Field(
        None,
        description="A YAML list of virtual nodes (name, zone, subnets, security_groups, architecture, "
        "capacity) that this bridge keeps; what an entry leaves out is as the flags say.",
    )
    architecture: Literal["amd64", "arm64"] = Field(
        "amd64", description="What the node's tasks run on; a node of each kind needs a bridge of its own."
    )
    capacity: Literal["on-demand", "spot", "spot-first"] = Field(
        "on-demand", description="Fargate capacity of pods without the annotation spillway.dev/capacity."
    )
    exec: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether kubectl exec can enter tasks (ECS Exec): auto and on let it where the pod has a "
        "task role, its own or task-role, which must allow ssmmessages:*; on tells of the others by Events.",
    )
    helper_image: str = Field(
        "", description="The image with the in-task helper; empty refuses pods that need it."
    )
    cluster_domain: str = Field(
        "",
        description="The cluster's DNS domain, where the VPC's resolver forwards it; empty: unresolved.",
    )
    kubernetes_host: str = Field(
        "", description="The API server's address as tasks reach it, for KUBERNETES_SERVICE_HOST."
    )
    kubernetes_port: Port = Field(443, description="The port of kubernetes-host.")
    ebs_role: str = Field(
        "", description="ARN of the role with which ECS manages EBS volumes; empty refuses ephemeral volumes."
    )
    eks_cluster: str = Field(
        "", description="The EKS cluster's name, to look up Pod Identity roles; empty looks up none."
    )
    events_queue: str = Field(
        "", description="URL of the SQS queue with ECS Task State Change events; empty means polling alone."
    )
    give_back_after: Duration = Field(
        timedelta(minutes=10),
        description="Refused, or without Fargate capacity, for so long, a controller's pod fails.",
    )

    usage_period: Duration = Field(
        timedelta(seconds=20),
        description="How often CloudWatch is asked what pods use, for kubectl top and HPA; in-task helpers "
        "measure every 15 s, Container Insights every minute. At least 1 s.",
    )

    @field_validator("lease_duration")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < _SHORTEST_LEASE:
            raise ValueError("less than 4 s leaves no time to renew; write 4s or more")
        return value

    @field_validator("usage_period")
    @classmethod
    def _seldom_enough(cls, value: timedelta) -> timedelta:
        if value < _SHORTEST_USAGE_PERIOD:
            raise ValueError("more often than every second nothing is new; write 1s or more")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ipaddress.ip_address(self.internal_ip)
        pair = (self.kubelet_cert, self.kubelet_key)
        if (None in pair and not self.kubelet_cert_signer) or pair.count(None) == 1:
            raise ValueError(
                "the kubelet API serves HTTPS alone: give "
                f"{named('bridge', 'kubelet_cert', 'kubelet_key')}, or {_SIGNER}"
            )
        if self.kubelet_cert_approve and not self.kubelet_cert_signer:
            raise ValueError(
                f"{named('bridge', 'kubelet_cert_approve')} approves requests to a signer: name it in "
                f"{_SIGNER}"
            )
        for path in (*pair, self.kubelet_client_ca, self.nodes_file):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file; mount it there or name another path")
        if not self.subnets:
            raise ValueError(
                f"a Fargate task needs a subnet: give {named('bridge', 'subnets')}, for instance "
                "subnet-0abc,subnet-0def"
            )
        return self
