"""A pod as core/v1 writes it, reduced to what Spillway reads.

The Kubernetes Pod is this project's own language, so these values keep its field names (camelCase on the
wire, by msgspec) and decode straight from an API server's answer. Fields that are only *recognised* (to
refuse them with a reason) are kept undecoded as `Json`. What `app.fargate.eligibility` does with each field
is its business.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from app.model.names import PodUid

Json = Any
"""A value of JSON that is passed on or refused, never looked into by type."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all values that mirror Kubernetes' own JSON."""


class OwnerReference(Wire, frozen=True):
    """Who made the object; `controller` marks the one that manages it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Wire, frozen=True):
    """Kubernetes' ObjectMeta; times are timezone-aware UTC."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: PodUid = PodUid("")
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class ResourceRequirements(Wire, frozen=True):
    """Requests and limits, as Kubernetes quantities by resource name."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    claims: tuple[Json, ...] = ()


class FieldRef(Wire, frozen=True):
    """A field of the pod itself: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/."""

    field_path: str = ""


class EnvVarSource(Wire, frozen=True):
    """Where a variable's value comes from; exactly one is set."""

    field_ref: FieldRef | None = None
    resource_field_ref: Json | None = None
    config_map_key_ref: Json | None = None
    secret_key_ref: Json | None = None
    file_key_ref: Json | None = None


class EnvVar(Wire, frozen=True):
    """An environment variable: a plain value (which may hold `$(OTHER)`) or a source."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class ContainerPort(Wire, frozen=True):
    """A port that the container says it listens on."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = msgspec.field(name="hostIP", default="")


class VolumeMount(Wire, frozen=True):
    """Where a container sees a volume of the pod."""

    name: str
    mount_path: str = ""


class Container(Wire, frozen=True):
    """One container, every field of core/v1 1.36 named; those typed `Json` are recognised only."""

    name: str
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[Json, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[Json, ...] = ()
    security_context: Json | None = None
    lifecycle: Json | None = None
    liveness_probe: Json | None = None
    readiness_probe: Json | None = None
    startup_probe: Json | None = None
    restart_policy: str | None = None
    restart_policy_rules: tuple[Json, ...] = ()
    resize_policy: tuple[Json, ...] = ()
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"


class Toleration(Wire, frozen=True):
    """Which taints the pod bears with; empty key and `Exists` bears all."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class PodSpec(Wire, frozen=True):
    """A pod's spec, every field of core/v1 1.36 named; those typed `Json` are recognised only."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Json, ...] = ()
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    active_deadline_seconds: int | None = None
    node_name: str = ""
    node_selector: dict[str, str] = {}
    affinity: Json | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[Json, ...] = ()
    scheduler_name: str = "default-scheduler"
    scheduling_gates: tuple[Json, ...] = ()
    scheduling_group: Json | None = None
    priority: int | None = None
    priority_class_name: str = ""
    preemption_policy: str = ""
    service_account_name: str = ""
    service_account: str = ""
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None
    volumes: tuple[Json, ...] = ()
    image_pull_secrets: tuple[Json, ...] = ()
    security_context: Json | None = None
    host_network: bool = False
    host_users: bool | None = None
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    host_ipc: bool = msgspec.field(name="hostIPC", default=False)
    host_aliases: tuple[Json, ...] = ()
    hostname: str = ""
    hostname_override: str | None = None
    set_hostname_as_fqdn: bool | None = msgspec.field(name="setHostnameAsFQDN", default=None)
    subdomain: str = ""
    dns_policy: str = "ClusterFirst"
    dns_config: Json | None = None
    share_process_namespace: bool | None = None
    runtime_class_name: str | None = None
    overhead: dict[str, str] = {}
    resources: ResourceRequirements | None = None
    resource_claims: tuple[Json, ...] = ()
    readiness_gates: tuple[Json, ...] = ()
    eviction_responders: tuple[Json, ...] = ()
    os: Json | None = None


class PodCondition(Wire, frozen=True):
    """One of a pod's conditions (`PodScheduled`, `Ready`, …)."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class PodStatus(Wire, frozen=True):
    """What is known of a pod's life; statuses of containers stay as the wire has them."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[Json, ...] = ()
    init_container_statuses: tuple[Json, ...] = ()
    pod_ip: str = msgspec.field(name="podIP", default="")
    host_ip: str = msgspec.field(name="hostIP", default="")
    start_time: datetime | None = None
    nominated_node_name: str = ""
    qos_class: str = ""
    observed_generation: int = 0


class Pod(Wire, frozen=True):
    """A pod."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def uid(self) -> PodUid:
        """The pod's identity."""
        return self.metadata.uid

    @property
    def key(self) -> str:
        """`namespace/name`, for logs, queues and people."""
        return f"{self.metadata.namespace}/{self.metadata.name}"


TERMINAL_PHASES: Final = frozenset({"Succeeded", "Failed"})


def is_terminal(pod: Pod) -> bool:
    """Whether the pod's life is over: its phase never changes again."""
    return pod.status.phase in TERMINAL_PHASES


def condition(pod: Pod, kind: str) -> PodCondition | None:
    """The pod's condition of this type, if it has one."""
    return next((found for found in pod.status.conditions if found.type == kind), None)


def controller_of(pod: Pod) -> OwnerReference | None:
    """The owner that manages the pod (ReplicaSet, Job, DaemonSet, …), if any."""
    return next((owner for owner in pod.metadata.owner_references if owner.controller), None)


def is_of_daemon_set(pod: Pod) -> bool:
    """Whether a DaemonSet made the pod: such pods belong to a machine, and Fargate has none."""
    owner = controller_of(pod)
    return owner is not None and owner.kind == "DaemonSet"


def tolerates(pod: Pod, *, key: str, value: str, effect: str) -> bool:
    """Whether one of the pod's tolerations bears with this taint.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
    """
    return any(_bears(each, key=key, value=value, effect=effect) for each in pod.spec.tolerations)


def _bears(toleration: Toleration, *, key: str, value: str, effect: str) -> bool:
    if toleration.effect and toleration.effect != effect:
        return False
    if toleration.operator == "Exists":
        return toleration.key in {"", key}
    return toleration.operator in {"", "Equal"} and toleration.key == key and toleration.value == value
