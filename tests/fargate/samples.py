"""A set value for each ruled field, a pod with an API server's defaults, and short ways to ask."""

from typing import Any, Final

import msgspec

from app.fargate.eligibility import refusals
from app.model.pod import Pod
from tests.builders import a_container, a_pod

TOKEN_MOUNT: Final = {
    "name": "kube-api-access-x7k2p",
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    "readOnly": True,
}
TOKEN_VOLUME: Final = {
    "name": "kube-api-access-x7k2p",
    "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        ],
    },
}

Sample = tuple[str, Any, str, str]
"""The field's name on the wire, a value, the code of the refusal, and its path."""

POD_SAMPLES: Final[dict[str, Sample]] = {
    "init_containers": ("initContainers", [a_container("i")], "InitContainers", "spec.initContainers"),
    "ephemeral_containers": (
        "ephemeralContainers",
        [{"name": "debug"}],
        "EphemeralContainers",
        "spec.ephemeralContainers",
    ),
    "active_deadline_seconds": ("activeDeadlineSeconds", 60, "ActiveDeadline", "spec.activeDeadlineSeconds"),
    "node_selector": (
        "nodeSelector",
        {"kubernetes.io/arch": "arm64"},
        "Platform",
        "spec.nodeSelector[kubernetes.io/arch]",
    ),
    "affinity": (
        "affinity",
        {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
                            ]
                        }
                    ]
                }
            }
        },
        "Platform",
        "spec.affinity.nodeAffinity",
    ),
    "scheduling_group": ("schedulingGroup", {"podGroupName": "g"}, "SchedulingGroup", "spec.schedulingGroup"),
    "image_pull_secrets": ("imagePullSecrets", [{"name": "s"}], "ImagePullSecrets", "spec.imagePullSecrets"),
    "security_context": (
        "securityContext",
        {"runAsNonRoot": False, "sysctls": []},
        "SecurityContext",
        "spec.securityContext.runAsNonRoot",
    ),
    "host_network": ("hostNetwork", True, "HostNetwork", "spec.hostNetwork"),
    "host_users": ("hostUsers", False, "HostUsers", "spec.hostUsers"),
    "host_pid": ("hostPID", True, "HostPID", "spec.hostPID"),
    "host_ipc": ("hostIPC", True, "HostIPC", "spec.hostIPC"),
    "host_aliases": ("hostAliases", [{"ip": "127.0.0.1"}], "HostAliases", "spec.hostAliases"),
    "hostname": ("hostname", "web", "Hostname", "spec.hostname"),
    "hostname_override": ("hostnameOverride", "web", "Hostname", "spec.hostnameOverride"),
    "set_hostname_as_fqdn": ("setHostnameAsFQDN", True, "Hostname", "spec.setHostnameAsFQDN"),
    "subdomain": ("subdomain", "db", "Subdomain", "spec.subdomain"),
    "dns_policy": ("dnsPolicy", "None", "DNSPolicy", "spec.dnsPolicy"),
    "dns_config": ("dnsConfig", {"nameservers": ["10.0.0.2"]}, "DNSConfig", "spec.dnsConfig"),
    "share_process_namespace": (
        "shareProcessNamespace",
        True,
        "ShareProcessNamespace",
        "spec.shareProcessNamespace",
    ),
    "runtime_class_name": ("runtimeClassName", "gvisor", "RuntimeClass", "spec.runtimeClassName"),
    "overhead": ("overhead", {"cpu": "10m"}, "Overhead", "spec.overhead"),
    "resources": ("resources", {"requests": {"cpu": "1"}}, "PodResources", "spec.resources"),
    "resource_claims": ("resourceClaims", [{"name": "gpu"}], "ResourceClaims", "spec.resourceClaims"),
    "os": ("os", {"name": "windows"}, "Platform", "spec.os.name"),
}

_PROBE: Final = {"httpGet": {"path": "/", "port": 80}}

CONTAINER_SAMPLES: Final[dict[str, Sample]] = {
    "name": ("name", "a.b", "ContainerName", "name"),
    "image": ("image", " ", "NoImage", "image"),
    "image_pull_policy": ("imagePullPolicy", "Never", "ImagePullPolicy", "imagePullPolicy"),
    "env": (
        "env",
        [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "VariableField",
        "env[0].valueFrom.fieldRef",
    ),
    "env_from": ("envFrom", [{"secretRef": {"name": "s"}}], "EnvFrom", "envFrom"),
    "ports": ("ports", [{"containerPort": 80, "hostPort": 80}], "HostPort", "ports[0]"),
    "resources": (
        "resources",
        {"limits": {"nvidia.com/gpu": "1"}},
        "ExtendedResource",
        "resources.limits[nvidia.com/gpu]",
    ),
    "volume_devices": ("volumeDevices", [{"name": "d"}], "VolumeDevices", "volumeDevices"),
    "security_context": (
        "securityContext",
        {"privileged": True, "capabilities": {}},
        "SecurityContext",
        "securityContext.privileged",
    ),
    "lifecycle": ("lifecycle", {"preStop": {"sleep": {"seconds": 5}}}, "Lifecycle", "lifecycle"),
    "liveness_probe": ("livenessProbe", _PROBE, "Probe", "livenessProbe"),
    "readiness_probe": ("readinessProbe", _PROBE, "Probe", "readinessProbe"),
    "startup_probe": ("startupProbe", _PROBE, "Probe", "startupProbe"),
    "restart_policy": ("restartPolicy", "Never", "ContainerRestartPolicy", "restartPolicy"),
    "restart_policy_rules": (
        "restartPolicyRules",
        [{"action": "Restart"}],
        "ContainerRestartPolicy",
        "restartPolicyRules",
    ),
    "termination_message_path": (
        "terminationMessagePath",
        "/tmp/why",  # noqa: S108  (a path inside a container)
        "TerminationMessagePath",
        "terminationMessagePath",
    ),
    "termination_message_policy": (
        "terminationMessagePolicy",
        "FallbackToLogsOnError",
        "TerminationMessagePolicy",
        "terminationMessagePolicy",
    ),
}


def as_the_api_server_sends_it() -> Pod:
    """A plain pod of a Deployment, as a real API server hands it to admission webhooks."""
    return a_pod(
        containers=[
            a_container(
                cpu="500m",
                memory="512Mi",
                imagePullPolicy="Always",
                terminationMessagePath="/dev/termination-log",
                terminationMessagePolicy="File",
                volumeMounts=[TOKEN_MOUNT],
                env=[{"name": "MODE", "value": "fast"}],
            )
        ],
        volumes=[TOKEN_VOLUME],
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        serviceAccountName="default",
        serviceAccount="default",
        securityContext={},
        schedulerName="default-scheduler",
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
        priority=0,
        tolerations=[
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for state in ("not-ready", "unreachable")
        ],
    )


def found(pod: Pod) -> list[tuple[str, str]]:
    """The codes and fields of the pod's refusals."""
    return [(reason.code, reason.field) for reason in refusals(pod)]


def with_container(**fields: Any) -> Pod:
    """A pod with one container of these fields."""
    return a_pod(containers=[a_container(**fields)])


def names_of(struct: type[msgspec.Struct]) -> set[str]:
    """The names of a value's fields."""
    return {field.name for field in msgspec.structs.fields(struct)}
