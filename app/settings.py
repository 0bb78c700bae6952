"""Settings: environment `SPILLWAY_*` and flags of the same names, as frozen values that are valid or refused.

AWS credentials, region and endpoints come through boto3's own chain (`AWS_*`), the cluster through
`--kubeconfig`, `$KUBECONFIG` or the in-cluster account. `docs/settings.md` is generated from here.
"""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.model.address import is_loopback
from app.model.policy import PolicyError, duration
from app.model.quantity import QuantityError, exact

PREFIX: Final = "SPILLWAY_"


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return duration(value)
    except PolicyError as error:
        raise ValueError(str(error)) from error


def _quantity(value: str) -> str:
    try:
        exact(value)
    except QuantityError as error:
        raise ValueError(str(error)) from error
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list, written with commas."""

Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""A duration, written as 90, 90s, 2m or 1h30m."""

Quantity = Annotated[str, BeforeValidator(_quantity)]
"""A Kubernetes quantity."""

Port = Annotated[int, Field(ge=0, le=65535)]


class Common(BaseSettings):
    """What every program takes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log level shown."
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="One JSON object per line, or text for a terminal."
    )


class InCluster(Common):
    """What the programs take that speak to a cluster."""

    kubeconfig: str = Field(
        "", description="A kubeconfig file; empty means $KUBECONFIG, then the in-cluster account."
    )
    namespace: str = Field("spillway", description="The namespace that holds Spillway's own Leases.")


class Serving(BaseSettings):
    """Where an HTTPS server listens, and its certificate."""

    host: str = Field("0.0.0.0", description="The address to listen on.")
    port: Port = Field(8443, description="The port to listen on.")
    tls_cert: Path | None = Field(None, description="PEM certificate chain; reloaded when the file changes.")
    tls_key: Path | None = Field(None, description="PEM private key of tls-cert.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls-cert and tls-key go together: give both or none")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file; mount the certificate there or name another path")
        return self


class WebhookSettings(Serving, Common):
    """`spillway webhook`."""

    scheduler_name: str = Field(
        "", description="schedulerName for opted-in pods that name none; empty leaves it alone."
    )

    @model_validator(mode="after")
    def _https_only(self) -> Self:
        if self.tls_cert is None:
            raise ValueError("the API server calls webhooks over HTTPS only: give tls-cert and tls-key")
        return self


class ExtenderSettings(Serving, InCluster):
    """`spillway extender`; without a certificate it speaks plain HTTP, which only loopback may hear."""

    max_wait: Duration = Field(
        timedelta(0), description="How long pods wait for a real node, unless they say otherwise."
    )
    grant_ttl: Duration = Field(
        timedelta(seconds=60), description="How long a granted pod has to land on the virtual node."
    )
    identity: str = Field(
        "", description="This replica's name in the leader election; empty means the host name and pid."
    )
    lease_duration: Duration = Field(
        timedelta(seconds=15), description="How long leadership outlives its last renewal; at least 3 s."
    )

    @model_validator(mode="after")
    def _https_or_loopback(self) -> Self:
        if self.tls_cert is None and not is_loopback(self.host):
            raise ValueError(f"plain HTTP is for loopback only; on {self.host} give tls-cert and tls-key")
        return self

    @field_validator("lease_duration")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=3):
            raise ValueError("less than 3 s leaves no time to renew; write 3s or more")
        return value


class BridgeSettings(InCluster):
    """`spillway bridge`."""

    node_name: str = Field("fargate", description="The virtual node's name.")
    identity: str = Field(
        "",
        description="This process's name in the node's Lease: the same after a restart in place, another for "
        "every replica; empty means the host name.",
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
    kubelet_cert: Path | None = Field(None, description="PEM certificate chain of the kubelet API.")
    kubelet_key: Path | None = Field(None, description="PEM private key of kubelet-cert.")
    kubelet_client_ca: Path | None = Field(
        None, description="PEM authority that signs the API server's client certificate."
    )
    kubelet_client_names: Names = Field(
        (), description="Common names let in, with commas; empty lets in all that the authority signed."
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

    architecture: Literal["amd64", "arm64"] = Field(
        "amd64", description="What the node's tasks run on; a node of each kind needs a bridge of its own."
    )
    capacity: Literal["on-demand", "spot", "spot-first"] = Field(
        "on-demand", description="Fargate capacity of pods without the annotation spillway.dev/capacity."
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
        description="Without Fargate capacity for so long, a controller's pod fails, to be placed anew.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ipaddress.ip_address(self.internal_ip)
        files = (self.kubelet_cert, self.kubelet_key, self.kubelet_client_ca)
        if any(path is None for path in files):
            raise ValueError(
                "the kubelet API serves HTTPS to the API server alone: "
                "give kubelet-cert, kubelet-key and kubelet-client-ca"
            )
        for path in files:
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file; mount it there or name another path")
        if not self.subnets:
            raise ValueError(
                "a Fargate task needs a subnet: give subnets, for instance subnet-0abc,subnet-0def"
            )
        return self


Some = TypeVar("Some", bound=Common)


class SettingsError(ValueError):
    """Settings that cannot work; each line names a flag, its variable and the mend."""


PROGRAMS: Final[dict[str, type[Common]]] = {
    "webhook": WebhookSettings,
    "extender": ExtenderSettings,
    "bridge": BridgeSettings,
}


def flag(name: str) -> str:
    """The flag of a field: `node_name` → `--node-name`."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of a field: `node_name` → `SPILLWAY_NODE_NAME`."""
    return PREFIX + name.upper()


def load(kind: type[Some], flags: dict[str, Any]) -> Some:
    """Settings from flags over environment over defaults.

    Args:
        kind: the program's settings.
        flags: the flags that were given, by field name.

    Raises:
        SettingsError: with every fault, not the first.
    """
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("\n".join(_fault(each) for each in error.errors())) from error


def _fault(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    where = [str(part) for part in error["loc"]]
    return f"{flag(where[0])} ({variable(where[0])}): {message}" if where else message
