"""A container as core/v1 writes it: its words, environment, hooks, probes and security.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
"""

from typing import Literal

import msgspec

from app.model.wire import IntOrString, Json, Wire


class ResourceRequirements(Wire, frozen=True):
    """Requests and limits, as Kubernetes quantities by resource name."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    claims: tuple[Json, ...] = ()


class FieldRef(Wire, frozen=True):
    """A field of the pod itself: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/."""

    field_path: str = ""
    api_version: str = "v1"


class ResourceFieldRef(Wire, frozen=True):
    """A request or limit of a container, in units of `divisor`; the container's own where none is named."""

    resource: str = ""
    container_name: str = ""
    divisor: str = ""


class KeyRef(Wire, frozen=True):
    """One key of a ConfigMap or Secret; a missing one is skipped where `optional`."""

    key: str = ""
    name: str = ""
    optional: bool = False


class EnvVarSource(Wire, frozen=True):
    """Where a variable's value comes from; exactly one is set."""

    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None
    file_key_ref: Json | None = None


class EnvVar(Wire, frozen=True):
    """An environment variable: a plain value (which may hold `$(OTHER)`) or a source."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class ObjectRef(Wire, frozen=True):
    """A whole ConfigMap or Secret, by name."""

    name: str = ""
    optional: bool = False


class EnvFromSource(Wire, frozen=True):
    """Every key of a ConfigMap or Secret as a variable, with `prefix` before its name."""

    prefix: str = ""
    config_map_ref: ObjectRef | None = None
    secret_ref: ObjectRef | None = None


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
    read_only: bool = False
    recursive_read_only: str | None = None
    sub_path: str = ""
    sub_path_expr: str = ""
    mount_propagation: str | None = None


class ExecAction(Wire, frozen=True):
    """A command run in the container; no shell."""

    command: tuple[str, ...] = ()


class HttpHeader(Wire, frozen=True):
    """One header of a probe's or hook's request."""

    name: str = ""
    value: str = ""


class HttpGetAction(Wire, frozen=True):
    """An HTTP request to the pod's address, or to `host`."""

    port: IntOrString = 0
    path: str = "/"
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[HttpHeader, ...] = ()


class TcpSocketAction(Wire, frozen=True):
    """A TCP connection to the pod's address, or to `host`."""

    port: IntOrString = 0
    host: str = ""


class GrpcAction(Wire, frozen=True):
    """A call of grpc.health.v1.Health/Check."""

    port: int = 0
    service: str | None = None


class SleepAction(Wire, frozen=True):
    """Doing nothing for so many seconds."""

    seconds: int = 0


class Probe(Wire, frozen=True):
    """How to find out about a container, how often, and how many answers in a row count. Times in seconds.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
    """

    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None

    @property
    def patience(self) -> int:
        """Seconds after which a startup probe that never succeeds has failed."""
        return self.initial_delay_seconds + self.period_seconds * self.failure_threshold


class LifecycleHandler(Wire, frozen=True):
    """A hook; exactly one action is set."""

    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Wire, frozen=True):
    """Hooks after start and before stop."""

    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None


class Capabilities(Wire, frozen=True):
    """Linux capabilities, without `CAP_`."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class Profile(Wire, frozen=True):
    """A seccomp or AppArmor profile: RuntimeDefault, Unconfined or Localhost."""

    type: str = ""
    localhost_profile: str | None = None


class SecurityContext(Wire, frozen=True):
    """A container's rights; what is set here wins over the pod's."""

    allow_privilege_escalation: bool | None = None
    app_armor_profile: Profile | None = None
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    proc_mount: str | None = None
    read_only_root_filesystem: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    se_linux_options: Json | None = None
    seccomp_profile: Profile | None = None
    windows_options: Json | None = None


class Container(Wire, frozen=True):
    """One container, every field of core/v1 1.36 named; those typed `Json` are recognised only."""

    name: str
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[Json, ...] = ()
    security_context: SecurityContext | None = None
    lifecycle: Lifecycle | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str | None = None
    restart_policy_rules: tuple[Json, ...] = ()
    resize_policy: tuple[Json, ...] = ()
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"


ProbeKind = Literal["startup", "liveness", "readiness"]
"""What a probe is for."""


def probes_of(container: Container) -> dict[ProbeKind, Probe]:
    """The container's probes, in the order in which they matter."""
    named: dict[ProbeKind, Probe | None] = {
        "startup": container.startup_probe,
        "liveness": container.liveness_probe,
        "readiness": container.readiness_probe,
    }
    return {kind: probe for kind, probe in named.items() if probe is not None}


def is_sidecar(init: Container) -> bool:
    """Whether an init container is a sidecar: it runs beside the containers, and ends after them.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    return init.restart_policy == "Always"
