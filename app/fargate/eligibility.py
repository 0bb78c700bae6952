"""Which pods Fargate can run with what is built today, as every reason against it.

The webhook says the reasons at admission, the extender before it bursts, the bridge on the pod. Each field of
PodSpec is carried, somebody else's business, or ruled by a check; a test walks all fields, so that none can
be dropped silently.
"""

from collections.abc import Callable, Iterable
from typing import Final

from app.fargate import container, platform
from app.fargate.check import Check, examined, refused, refused_keys, set_keys
from app.fargate.sizes import ephemeral_gib_for, size_for
from app.model.container import Container, ResourceRequirements
from app.model.pod import Pod, is_of_daemon_set
from app.model.quantity import QuantityError
from app.model.reason import Reason
from app.model.requests import requests_of
from app.model.wire import Json

MOST_CONTAINERS: Final = 10
"""Containers of a task definition: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""

MOST_WORDS: Final = 64 * 1024 + 8192
"""Characters of a task definition and of RunTask's overrides together:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html"""

CARRIED: Final = frozenset(
    {
        "restart_policy",
        "termination_grace_period_seconds",
        "service_account_name",
        "service_account",
        "automount_service_account_token",
    }
)
"""Fields that the bridge honours whatever their value. A grace above ECS's 120 s is cut to it."""

SCHEDULERS: Final = frozenset(
    {
        "node_name",
        "tolerations",
        "topology_spread_constraints",
        "scheduler_name",
        "scheduling_gates",
        "priority",
        "priority_class_name",
        "preemption_policy",
    }
)
"""Fields that have done their work once the pod is bound."""

OTHERS: Final = frozenset({"readiness_gates", "eviction_responders", "enable_service_links"})
"""Fields that other programs act on; `enableServiceLinks` is true in every pod that says nothing."""

_MIRROR: Final = "kubernetes.io/config.mirror"
_TOKEN_VOLUME_PREFIX: Final = "kube-api-access-"  # noqa: S105  (a volume's name, not a secret)
_TOKEN_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  (a path, not a secret)
_DNS_POLICIES: Final = frozenset({"", "ClusterFirst", "Default"})


def refusals(pod: Pod) -> tuple[Reason, ...]:
    """Every reason why Fargate cannot run the pod, in a stable order; empty where it can."""
    found = [
        *machine_bound(pod),
        *examined(pod.spec, POD_CHECKS, "spec"),
        *(reason for rule in WHOLE_POD.values() for reason in rule(pod)),
    ]
    return tuple(dict.fromkeys(found))


def machine_bound(pod: Pod) -> tuple[Reason, ...]:
    """Why the pod belongs to one machine and was never meant to move: a DaemonSet's, or a static one.

    https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
    """
    found = []
    if is_of_daemon_set(pod):
        message = "a DaemonSet's pod belongs to a machine, and Fargate has none; exclude the virtual node"
        found.append(Reason("DaemonSet", message, "metadata.ownerReferences"))
    if _MIRROR in pod.metadata.annotations:
        message = "a static pod belongs to the kubelet that made it; use a Deployment"
        found.append(Reason("StaticPod", message, "metadata.annotations"))
    return tuple(found)


def token_volume_names(pod: Pod) -> frozenset[str]:
    """The volumes that admission added for the service account's token; the bridge leaves them out.

    A volume of the same make that a container mounts elsewhere is the user's own.
    https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
    """
    elsewhere = {
        mount.name
        for each in _all_containers(pod)
        for mount in each.volume_mounts
        if mount.mount_path != _TOKEN_PATH
    }
    names = {_volume_name(volume) for volume in pod.spec.volumes if _holds_injected_token(volume)}
    return frozenset(names - elsewhere)


def _all_containers(pod: Pod) -> tuple[Container, ...]:
    return (*pod.spec.init_containers, *pod.spec.containers)


def _volume_name(volume: Json) -> str:
    return str(volume.get("name", "")) if isinstance(volume, dict) else ""


def _holds_injected_token(volume: Json) -> bool:
    if not _volume_name(volume).startswith(_TOKEN_VOLUME_PREFIX):
        return False
    projected = volume.get("projected")
    sources = projected.get("sources") if isinstance(projected, dict) else None
    if not isinstance(sources, list):
        return False
    return any("serviceAccountToken" in source for source in sources if isinstance(source, dict))


def _containers(pod: Pod) -> Iterable[Reason]:
    count = len(pod.spec.containers)
    if not count:
        yield Reason("NoContainers", "the pod has no container; add one", "spec.containers")
    if count > MOST_CONTAINERS:
        message = f"a task holds at most {MOST_CONTAINERS} containers, not {count}; remove some"
        yield Reason("TooManyContainers", message, "spec.containers")
    for index, each in enumerate(pod.spec.containers):
        yield from container.refusals_of(each, f"spec.containers[{index}]")


def _endings(pod: Pod) -> Iterable[Reason]:
    """ECS ends a task with its first essential container, and a kubelet lets each run to its own end."""
    if len(pod.spec.containers) > 1 and pod.spec.restart_policy != "Always":
        message = "several containers end together on ECS; use one, or restartPolicy Always"
        yield Reason("SeveralContainersRunToEnd", message, "spec.restartPolicy")


def _words(pod: Pod) -> Iterable[Reason]:
    """A lower bound: all words must fit into the task definition and RunTask's overrides together."""
    written = sum(
        sum(len(word) + 3 for word in (*each.command[1:], *each.args))
        + sum(len(variable.name) + len(variable.value) + 23 for variable in each.env)
        for each in pod.spec.containers
    )
    if written > MOST_WORDS:
        message = f"env, command and args take {written} characters, ECS {MOST_WORDS}; shorten them"
        yield Reason("WordsTooLong", message, "spec.containers")


def _size(pod: Pod) -> Iterable[Reason]:
    try:
        asked = requests_of(pod)
    except QuantityError:
        # Nothing is lost: the rule for the field that holds the quantity has refused it by name.
        return ()
    answers = (size_for(asked.cpu_milli, asked.memory), ephemeral_gib_for(asked.storage))
    return tuple(answer for answer in answers if isinstance(answer, Reason))


def _volumes(pod: Pod) -> Iterable[Reason]:
    left_out = token_volume_names(pod)
    known = {_volume_name(volume) for volume in pod.spec.volumes}
    for index, volume in enumerate(pod.spec.volumes):
        if _volume_name(volume) not in left_out:
            kind = next((key for key in set_keys(volume) if key != "name"), "emptyDir")
            yield Reason("Volume", f"{kind} does not reach Fargate yet; remove it", f"spec.volumes[{index}]")
    for place, each in enumerate(pod.spec.containers):
        for index, mount in enumerate(each.volume_mounts):
            if mount.name not in known:
                where = f"spec.containers[{place}].volumeMounts[{index}]"
                yield Reason("UnknownVolume", f'the pod has no volume "{mount.name}"; add it', where)


def _is_foreign_dns(policy: str) -> bool:
    return policy not in _DNS_POLICIES


def _is_requested(resources: ResourceRequirements | None) -> bool:
    return resources is not None and resources != ResourceRequirements()


POD_CHECKS: Final[dict[str, Check]] = {
    "init_containers": refused("InitContainers", "init containers do not run on Fargate yet; remove them"),
    "ephemeral_containers": refused("EphemeralContainers", "Fargate cannot add containers to a running task"),
    "active_deadline_seconds": refused(
        "ActiveDeadline",
        "no one enforces it on Fargate yet; use the Job's own activeDeadlineSeconds",
        when=lambda seconds: seconds is not None,
    ),
    "node_selector": platform.selector,
    "affinity": platform.affinity,
    "scheduling_group": refused("SchedulingGroup", "a gang cannot burst pod by pod; remove schedulingGroup"),
    "image_pull_secrets": refused("ImagePullSecrets", "not used by Fargate yet; use ECR or a public image"),
    "security_context": refused_keys("SecurityContext", "not applied on Fargate yet; remove it"),
    "host_network": refused("HostNetwork", "a task has its own network; remove hostNetwork"),
    "host_users": refused(
        "HostUsers", "user namespaces are not Fargate's; remove hostUsers", when=lambda it: it is False
    ),
    "host_pid": refused("HostPID", "Fargate has no host to share with; remove hostPID"),
    "host_ipc": refused("HostIPC", "Fargate has no host to share with; remove hostIPC"),
    "host_aliases": refused("HostAliases", "ECS refuses extra hosts on Fargate; use DNS"),
    "hostname": refused("Hostname", "ECS names the host itself on Fargate; remove hostname"),
    "hostname_override": refused("Hostname", "ECS names the host itself on Fargate; remove it"),
    "set_hostname_as_fqdn": refused("Hostname", "ECS names the host itself on Fargate; remove it"),
    "subdomain": refused("Subdomain", "ECS names the host itself on Fargate; remove subdomain"),
    "dns_policy": refused("DNSPolicy", "Fargate uses the VPC's DNS; use ClusterFirst", when=_is_foreign_dns),
    "dns_config": refused("DNSConfig", "Fargate uses the VPC's DNS; remove dnsConfig"),
    "share_process_namespace": refused(
        "ShareProcessNamespace", "not set on Fargate yet; remove shareProcessNamespace"
    ),
    "runtime_class_name": refused("RuntimeClass", "Fargate has one runtime; remove runtimeClassName"),
    "overhead": refused("Overhead", "comes with a runtime class; remove runtimeClassName"),
    "resources": refused(
        "PodResources", "set resources on the containers, not on the pod", when=_is_requested
    ),
    "resource_claims": refused("ResourceClaims", "Fargate has no devices to claim; remove the claims"),
    "os": platform.system,
}
"""Field of PodSpec → the rule for it."""

WHOLE_POD: Final[dict[str, Callable[[Pod], Iterable[Reason]]]] = {
    "containers": _containers,
    "endings": _endings,
    "words": _words,
    "sizes": _size,
    "volumes": _volumes,
}
"""Rules that look at several fields at once, by what they are about."""
