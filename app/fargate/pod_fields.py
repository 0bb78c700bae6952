"""Rows of PodSpec about the pod as a whole: its names, network, life and identity."""

from collections.abc import Iterable
from typing import Final

from app.fargate import pod_rules
from app.fargate.check import Refusal
from app.fargate.support import Row, Section
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.setting import named

_pod = Section("PodSpec")
_alias = Section("HostAlias")
_dns = Section("PodDNSConfig")
_option = Section("PodDNSConfigOption")
_reference = Section("LocalObjectReference")

_DNS_POLICIES: Final = frozenset({"", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"})
_HOSTNAME: Final = "The variable HOSTNAME; the kernel's host name stays the one that ECS gives."
_RESOLVER: Final = (
    "Reaches glibc by LOCALDOMAIN and RES_OPTIONS, and /etc/resolv.conf where the helper is there anyway and "
    "the container is root with a writable root file system."
)


def _uneditable(pod: Pod, *, code: str, field: str) -> Iterable[Reason]:
    name = pod_rules.first_uneditable(pod)
    if name:
        yield Reason(code, f'"{name}" needs root and a writable root for it; change one', field)


def _host_aliases(pod: Pod) -> Iterable[Reason]:
    if pod.spec.host_aliases:
        yield from _uneditable(pod, code="HostAliases", field="spec.hostAliases")


def _nameservers(pod: Pod) -> Iterable[Reason]:
    if pod.spec.dns_config is not None and pod.spec.dns_config.nameservers:
        yield from _uneditable(pod, code="DNSConfig", field="spec.dnsConfig.nameservers")


ROWS: Final[tuple[Row, ...]] = (
    _pod.emulated(
        "restartPolicy",
        "One container: the bridge launches a new task, with the kubelet's back-off; where the helper wraps "
        "the container, it restarts in place. Several containers that end by themselves (Never, OnFailure): "
        "the helper keeps the task alive until the last one ended.",
    ),
    _pod.emulated(
        "terminationGracePeriodSeconds",
        "ECS's stopTimeout, 2 to 120 s; more is cut to 120 s, and an Event says so.",
    ),
    _pod.emulated(
        "activeDeadlineSeconds",
        "The bridge stops the task; phase Failed, reason DeadlineExceeded.",
    ),
    _pod.native(
        "resources",
        "Decides the task's size for what it names, as the scheduler counts it.",
        of="ResourceRequirements",
        refuses=pod_rules.resources,
        rule=pod_rules.size,
        unless="more than Fargate's largest size or 200 GiB of storage (`TooLarge`, "
        "`TooMuchEphemeralStorage`)",
    ),
    _pod.native(
        "serviceAccountName",
        "Its role becomes the task's role, its tokens are those of the volumes.",
        unless="one with a role that the namespace does not allow (at launch, `RoleNotAllowed`)",
    ),
    _pod.native("serviceAccount", "The old name of `serviceAccountName`; the API server keeps both alike."),
    _pod.native(
        "automountServiceAccountToken",
        "Admission's: it adds the token's volume, which is honoured where a helper image is set, and else "
        "left out with an Event.",
    ),
    _pod.native(
        "enableServiceLinks",
        "Variables of the namespace's Services as a kubelet makes them. A ClusterIP does not route from "
        f"Fargate; KUBERNETES_SERVICE_HOST is what `{named('bridge', 'kubernetes_host')}` says.",
    ),
    _pod.emulated(
        "imagePullSecrets",
        "The login goes into Secrets Manager and reaches ECS as repositoryCredentials.",
        of="LocalObjectReference",
    ),
    _reference.native("name", "The Secret's name, in the pod's namespace."),
    _pod.native("securityContext", "See PodSecurityContext.", of="PodSecurityContext"),
    _pod.native("shareProcessNamespace", "The task's pidMode `task`."),
    _pod.refused("hostNetwork", "HostNetwork", "a task has its own network; remove hostNetwork"),
    _pod.refused("hostPID", "HostPID", "Fargate has no host to share with; remove hostPID"),
    _pod.refused("hostIPC", "HostIPC", "Fargate has no host to share with; remove hostIPC"),
    _pod.native(
        "hostUsers",
        "True, the default: every task has a kernel of its own.",
        refuses=Refusal(
            "HostUsers", "user namespaces are not Fargate's; remove hostUsers", lambda it: it is False
        ),
        unless="false: a task has no user namespace (`HostUsers`)",
    ),
    _pod.emulated("hostname", _HOSTNAME),
    _pod.emulated("hostnameOverride", _HOSTNAME),
    _pod.emulated(
        "setHostnameAsFQDN",
        "HOSTNAME holds the full name.",
        unless="a full name of more than 64 characters (at launch, `HostnameTooLong`)",
    ),
    _pod.emulated("subdomain", "Part of the full name in HOSTNAME, where that is asked for."),
    _pod.emulated(
        "hostAliases",
        "The helper appends lines to /etc/hosts.",
        of="HostAlias",
        rule=_host_aliases,
        unless="where a container runs as another user than root or has a read-only root (`HostAliases`; at "
        "launch, where its image says so, `NotRoot`)",
    ),
    _alias.emulated("ip", "The line's address."),
    _alias.emulated("hostnames", "The line's names."),
    _pod.emulated(
        "dnsPolicy",
        "Names resolve through the VPC's resolver, which has to forward the cluster's domain; where "
        f"`{named('bridge', 'cluster_domain')}` says that it does, ClusterFirst sets the cluster's search "
        "list and ndots. " + _RESOLVER,
        refuses=Refusal(
            "DNSPolicy", "no such policy; use ClusterFirst or Default", lambda it: it not in _DNS_POLICIES
        ),
        unless="words that Kubernetes does not know (`DNSPolicy`)",
    ),
    _pod.emulated("dnsConfig", "See PodDNSConfig.", of="PodDNSConfig"),
    _dns.emulated(
        "nameservers",
        "The helper writes /etc/resolv.conf.",
        rule=_nameservers,
        unless="where a container runs as another user than root or has a read-only root (`DNSConfig`; at "
        "launch, where its image says so, `NotRoot`)",
    ),
    _dns.emulated("searches", _RESOLVER),
    _dns.emulated("options", _RESOLVER, of="PodDNSConfigOption"),
    _option.emulated("name", "The option's name."),
    _option.emulated("value", "After a colon, where there is one."),
    _pod.native("volumes", "See Volume.", of="Volume"),
    _pod.native(
        "containers",
        "Containers of the task: at most ten in all, the helper's two included where the pod needs them.",
        of="Container",
        rule=pod_rules.containers,
        unless="none at all, more than ten, or more words and variables than ECS takes "
        "(`NoContainers`, `TooManyContainers`, `WordsTooLong`)",
    ),
    _pod.native(
        "initContainers",
        "Containers of the task that are not essential, in a chain of dependsOn SUCCESS. Sidecars "
        "(restartPolicy Always) stop last, and ECS restarts them, once they have run for a minute; one that "
        "ends earlier stays down.",
        of="Container",
    ),
    _pod.refused(
        "ephemeralContainers",
        "EphemeralContainers",
        "Fargate cannot add containers to a running task; debug elsewhere",
    ),
)
