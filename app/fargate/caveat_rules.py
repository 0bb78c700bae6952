"""What runs on Fargate and otherwise than on a node of the cluster, as far as the pod alone says it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from app.fargate.rights import all_containers
from app.model.container import Container, Probe, ProbeKind, is_sidecar, probes_of
from app.model.pod import Pod
from app.model.reason import Reason

MOST_GRACE: Final = 120
"""Seconds of stopTimeout: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""

INJECTED_TOKEN_SECONDS: Final = 3607
"""What admission asks for. By default an API server makes such tokens last much longer, up to a year.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
"""

_SERVICE: Final = re.compile(r"\.svc(?![\w-])|_SERVICE_HOST\)")
_MOST_PERIOD: Final = 300
_LEAST_PERIOD: Final = 5
_MOST_TIMEOUT: Final = 60
_MOST_FAILURES: Final = 10
_BOUNDS: Final = "keep to ECS's period 5-300 s, timeout 2-60 s, 10 failures, start 300 s"


def _grace(pod: Pod) -> Iterable[Reason]:
    if pod.spec.termination_grace_period_seconds > MOST_GRACE:
        message = f"ECS kills {MOST_GRACE} s after SIGTERM; set {MOST_GRACE} or less"
        yield Reason("GracePeriodCut", message, "spec.terminationGracePeriodSeconds")


def _hostname(pod: Pod) -> Iterable[Reason]:
    spec = pod.spec
    named = (
        ("hostname", spec.hostname),
        ("hostnameOverride", spec.hostname_override),
        ("setHostnameAsFQDN", spec.set_hostname_as_fqdn),
    )
    for field, value in named:
        if value:
            message = "the kernel's host name is ECS's; read the variable HOSTNAME"
            yield Reason("HostnameVariable", message, f"spec.{field}")
            return


def _services(pod: Pod) -> Iterable[Reason]:
    for path, container in all_containers(pod):
        if any(_SERVICE.search(word) for word in _words(container)):
            message = "a ClusterIP does not route from Fargate; use a headless Service or a load balancer"
            yield Reason("ClusterIPUnreachable", message, path)


def _words(container: Container) -> Iterator[str]:
    yield from container.command
    yield from container.args
    yield from (variable.value for variable in container.env)


def _tokens(pod: Pod) -> Iterable[Reason]:
    for index, volume in enumerate(pod.spec.volumes):
        for place, source in enumerate(volume.projected.sources if volume.projected else ()):
            token = source.service_account_token
            if token is not None and token.expiration_seconds != INJECTED_TOKEN_SECONDS:
                message = f"not refreshed, it ends after about {token.expiration_seconds} s; ask for more"
                where = f"spec.volumes[{index}].projected.sources[{place}]"
                yield Reason("TokenNotRefreshed", message, where)


def _shared_memory(pod: Pod) -> Iterable[Reason]:
    users: dict[str, set[str]] = {}
    for path, container in all_containers(pod):
        for mount in container.volume_mounts:
            users.setdefault(mount.name, set()).add(path)
    for index, volume in enumerate(pod.spec.volumes):
        is_memory = volume.empty_dir is not None and volume.empty_dir.medium == "Memory"
        if is_memory and len(users.get(volume.name, ())) > 1:
            message = "several containers mount it, so it is on disk; mount it in one"
            yield Reason("MemoryVolumeOnDisk", message, f"spec.volumes[{index}].emptyDir")


def _probes(pod: Pod) -> Iterable[Reason]:
    for path, container in all_containers(pod):
        for kind, probe in probes_of(container).items():
            if probe.exec is not None and _is_beyond_ecs(kind, probe):
                yield Reason("ProbeBounded", _BOUNDS, f"{path}.{kind}Probe")
            if probe.termination_grace_period_seconds is not None:
                message = "the pod's grace is used; set that"
                where = f"{path}.{kind}Probe.terminationGracePeriodSeconds"
                yield Reason("ProbeGraceIgnored", message, where)


def _is_beyond_ecs(kind: ProbeKind, probe: Probe) -> bool:
    """Not asked: a timeout of 1 s, the default, which ECS makes 2.

    A startup probe's failures are time to ECS: what follows a sidecar waits so long for it.
    """
    is_startup = kind == "startup"
    return (
        not _LEAST_PERIOD <= probe.period_seconds <= _MOST_PERIOD
        or probe.timeout_seconds > _MOST_TIMEOUT
        or (probe.failure_threshold > _MOST_FAILURES and not is_startup)
        or (probe.patience if is_startup else probe.initial_delay_seconds) > _MOST_PERIOD
    )


def _restarts(pod: Pod) -> Iterable[Reason]:
    """A container that fails its probe takes all the others with it: a task is stopped as a whole."""
    lasting = [each for each in all_containers(pod) if each[1] in pod.spec.containers or is_sidecar(each[1])]
    for path, container in lasting if len(lasting) > 1 else ():
        for kind in probes_of(container):
            if kind != "readiness":
                message = "its failure stops every container of the pod; split the pod if need be"
                yield Reason("ProbeRestartsAll", message, f"{path}.{kind}Probe")
                return


def _sidecars(pod: Pod) -> Iterable[Reason]:
    for path, container in all_containers(pod):
        if is_sidecar(container) and container not in pod.spec.containers:
            message = "if it ends in its first minute, it stays down; let it wait"
            yield Reason("SidecarStaysDown", message, f"{path}.restartPolicy")


def _storage_class(pod: Pod) -> Iterable[Reason]:
    for index, volume in enumerate(pod.spec.volumes):
        template = volume.ephemeral.volume_claim_template if volume.ephemeral else None
        if template is not None and template.spec.storage_class_name:
            message = "it is EBS gp3, whatever its class says; name no class"
            yield Reason("StorageClassIgnored", message, f"spec.volumes[{index}].ephemeral")


RULES: Final[tuple[Callable[[Pod], Iterable[Reason]], ...]] = (
    _grace,
    _hostname,
    _services,
    _tokens,
    _shared_memory,
    _probes,
    _restarts,
    _sidecars,
    _storage_class,
)
"""Every caveat there is."""

CAVEATS: Final[Mapping[str, str]] = {
    "GracePeriodCut": "`terminationGracePeriodSeconds` above 120: ECS kills 120 s after SIGTERM.",
    "HostnameVariable": "`hostname`, `hostnameOverride`, `setHostnameAsFQDN`: in HOSTNAME only.",
    "ClusterIPUnreachable": "A word or variable names a Service (`NAME.svc`, `$(NAME_SERVICE_HOST)`): "
    "ClusterIPs do not route from Fargate. Headless Services and load balancers do.",
    "TokenNotRefreshed": "A projected service account token of the pod's own: the task keeps the one that it "
    "began with, and the Event on the pod says until when. The one that admission adds is extended to a year "
    "by an API server with its defaults (--service-account-extend-token-expiration).",
    "MemoryVolumeOnDisk": "An emptyDir in memory that several containers mount: it is on disk.",
    "ProbeBounded": "An exec probe beyond what ECS counts: it gets the nearest values. The bridge gives a "
    "startup probe all of its time, but what follows a sidecar waits 300 s for it.",
    "ProbeGraceIgnored": "A probe's own `terminationGracePeriodSeconds`: the pod's is used.",
    "ProbeRestartsAll": "A liveness or startup probe beside other containers: its failure stops the task, "
    "and so all of them.",
    "SidecarStaysDown": "A sidecar: ECS restarts it only once it has run for a minute; one that ends earlier "
    "stays down, and the pod runs on without it.",
    "StorageClassIgnored": "An ephemeral volume with a storage class: it is EBS gp3.",
}
"""Every code that the rules give, with when and what, for people."""
