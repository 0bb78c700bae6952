"""A pod as core/v1 writes it, reduced to what Spillway reads.

The Kubernetes Pod is this project's own language, so these values keep its field names (camelCase on the
wire, by msgspec) and decode straight from an API server's answer. Fields that are only *recognised* (to
refuse them with a reason) are kept undecoded as `Json`. What `app.fargate.eligibility` does with each field
is its business.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from app.model.container import Container, Profile, ResourceRequirements
from app.model.meta import ObjectMeta, OwnerReference
from app.model.names import PodUid
from app.model.volume import Volume
from app.model.wire import Json, Wire


class Named(Wire, frozen=True):
    """A reference by name within the namespace (core/v1 LocalObjectReference)."""

    name: str = ""


class Setting(Wire, frozen=True):
    """A name and a value: a sysctl, or an option of the resolver."""

    name: str = ""
    value: str | None = None


class HostAlias(Wire, frozen=True):
    """A line of /etc/hosts."""

    ip: str = ""
    hostnames: tuple[str, ...] = ()


class DnsConfig(Wire, frozen=True):
    """What is added to the resolver's configuration."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[Setting, ...] = ()


class PodSecurityContext(Wire, frozen=True):
    """Rights of all containers, and the group that owns the volumes."""

    app_armor_profile: Profile | None = None
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    se_linux_change_policy: str | None = None
    se_linux_options: Json | None = None
    seccomp_profile: Profile | None = None
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: str | None = None
    sysctls: tuple[Setting, ...] = ()
    windows_options: Json | None = None


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
    volumes: tuple[Volume, ...] = ()
    image_pull_secrets: tuple[Named, ...] = ()
    security_context: PodSecurityContext | None = None
    host_network: bool = False
    host_users: bool | None = None
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    host_ipc: bool = msgspec.field(name="hostIPC", default=False)
    host_aliases: tuple[HostAlias, ...] = ()
    hostname: str = ""
    hostname_override: str | None = None
    set_hostname_as_fqdn: bool | None = msgspec.field(name="setHostnameAsFQDN", default=None)
    subdomain: str = ""
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig | None = None
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
    ephemeral_container_statuses: tuple[Json, ...] = ()
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


def is_bound(pod: Pod) -> bool:
    """Whether a scheduler placed the pod: the binding subresource says so in the status.

    Its owner cannot write that. A pod that was created with `spec.nodeName` has a node that nobody chose.
    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
    """
    found = condition(pod, "PodScheduled")
    return found is not None and found.status == "True"


def controller_of(pod: Pod) -> OwnerReference | None:
    """The owner that manages the pod (ReplicaSet, Job, DaemonSet, …), if any."""
    return next((owner for owner in pod.metadata.owner_references if owner.controller), None)


def is_of_daemon_set(pod: Pod) -> bool:
    """Whether a DaemonSet made the pod: such pods belong to a machine, and Fargate has none."""
    owner = controller_of(pod)
    return owner is not None and owner.kind == "DaemonSet"


def has_begun(pod: Pod) -> bool:
    """Whether its node has taken the pod up and tells of its containers; an owner cannot write the status."""
    return bool(pod.status.container_statuses)


def tolerates(pod: Pod, *, key: str, value: str, effect: str) -> bool:
    """Whether one of the pod's tolerations bears with this taint.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
    """
    return bear_with(pod.spec.tolerations, key=key, value=value, effect=effect)


def bear_with(tolerations: Iterable[Toleration], *, key: str, value: str, effect: str) -> bool:
    """Whether one of the tolerations bears with this taint."""
    return any(_bears(each, key=key, value=value, effect=effect) for each in tolerations)


def _bears(toleration: Toleration, *, key: str, value: str, effect: str) -> bool:
    if toleration.effect and toleration.effect != effect:
        return False
    if toleration.operator == "Exists":
        return toleration.key in {"", key}
    return toleration.operator in {"", "Equal"} and toleration.key == key and toleration.value == value
