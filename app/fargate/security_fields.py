"""Rows of the security contexts of pods and containers."""

from collections.abc import Iterable
from typing import Final

from app.fargate.check import Refusal
from app.fargate.support import Row, Section
from app.model.reason import Reason

DEFAULT_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""What a container has without asking:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html"""

ADDABLE: Final = frozenset({"SYS_PTRACE"})
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

_SYSCTLS: Final = frozenset(
    {
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    }
)
_SYSCTL_FAMILIES: Final = ("net.", "fs.mqueue.")

_CODE: Final = "SecurityContext"
_pod = Section("PodSecurityContext")
_container = Section("SecurityContext")
_capabilities = Section("Capabilities")
_seccomp = Section("SeccompProfile")
_app_armor = Section("AppArmorProfile")
_sysctl = Section("Sysctl")


def capability(name: str) -> str:
    """A capability as ECS writes it: upper case, without `CAP_`."""
    return name.upper().removeprefix("CAP_")


def is_known_sysctl(name: str) -> bool:
    """Whether Fargate takes this kernel parameter: those of the task's own network and IPC.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
    """
    dotted = dotted_sysctl(name)
    return dotted in _SYSCTLS or dotted.startswith(_SYSCTL_FAMILIES)


def dotted_sysctl(name: str) -> str:
    """The parameter as ECS writes it; Kubernetes takes slashes, too, and then a dot belongs to a name.

    https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
    """
    first = next((each for each in name if each in "./"), ".")
    return name if first == "." else name.translate(str.maketrans("./", "/."))


def _added(names: tuple[str, ...], path: str) -> Iterable[Reason]:
    for index, name in enumerate(names):
        if capability(name) not in DEFAULT_CAPABILITIES | ADDABLE:
            yield Reason(_CODE, "Fargate adds SYS_PTRACE only; remove it", f"{path}[{index}]")


_UNKNOWN_USER: Final = "where runAsUser is not set and the image cannot be read (at launch, `ImageUser`)"
_SHARED: Final = {
    "runAsUser": "ECS's user; the container's own wins over the pod's.",
    "runAsGroup": "ECS's user, after the colon.",
    "runAsNonRoot": "Certain where runAsUser is not 0. Else the image's user is looked up, or the "
    "helper looks before it starts the command.",
    "seLinuxOptions": "Fargate has no SELinux; remove it",
    "windowsOptions": "tasks run Linux; remove it",
    "seccompProfile": "See SeccompProfile.",
    "appArmorProfile": "See AppArmorProfile.",
}


def _shared(section: Section) -> tuple[Row, ...]:
    """The fields that a pod's and a container's security context have alike."""
    return (
        section.native("runAsUser", _SHARED["runAsUser"]),
        section.native("runAsGroup", _SHARED["runAsGroup"], unless=_UNKNOWN_USER),
        section.emulated("runAsNonRoot", _SHARED["runAsNonRoot"]),
        section.native("seccompProfile", _SHARED["seccompProfile"], of="SeccompProfile"),
        section.native("appArmorProfile", _SHARED["appArmorProfile"], of="AppArmorProfile"),
        section.refused("seLinuxOptions", _CODE, _SHARED["seLinuxOptions"]),
        section.refused("windowsOptions", _CODE, _SHARED["windowsOptions"]),
    )


ROWS: Final[tuple[Row, ...]] = (
    *_shared(_container),
    _container.native(
        "privileged",
        "false.",
        refuses=Refusal(_CODE, "Fargate has no privileged containers; remove it"),
        unless="true (`SecurityContext`)",
    ),
    _container.native("readOnlyRootFilesystem", "ECS's readonlyRootFilesystem."),
    _container.emulated(
        "allowPrivilegeEscalation",
        "true is how tasks run; for false, the helper sets no_new_privs before it starts the command.",
    ),
    _container.native("capabilities", "See Capabilities.", of="Capabilities"),
    _capabilities.native("drop", "ECS's drop, ALL included."),
    _capabilities.native(
        "add",
        "SYS_PTRACE, and what every container has without asking: beside `drop: [ALL]`, the others are "
        "dropped one by one.",
        refuses=_added,
        unless="any other (`SecurityContext`)",
    ),
    _container.native(
        "procMount",
        "Default.",
        refuses=Refusal(
            _CODE, "Fargate masks /proc; use Default", lambda it: it not in {None, "", "Default"}
        ),
        unless="Unmasked (`SecurityContext`)",
    ),
    _seccomp.native(
        "type",
        "RuntimeDefault, which every task has.",
        refuses=Refusal(
            _CODE,
            "not on Fargate; use RuntimeDefault",
            lambda it: it not in {"", "RuntimeDefault"},
        ),
        unless="Unconfined and Localhost (`SecurityContext`)",
    ),
    _seccomp.refused("localhostProfile", _CODE, "no host has profiles; remove it"),
    _app_armor.native(
        "type",
        "RuntimeDefault and Unconfined: tasks run without AppArmor.",
        refuses=Refusal(_CODE, "no host has profiles; remove it", lambda it: it == "Localhost"),
        unless="Localhost (`SecurityContext`)",
    ),
    _app_armor.refused("localhostProfile", _CODE, "no host has profiles; remove it"),
    *_shared(_pod),
    _pod.emulated(
        "fsGroup",
        "The helper gives every volume that it fills, and every emptyDir, to the group, and starts the "
        "containers in it.",
        unless=_UNKNOWN_USER,
    ),
    _pod.native("fsGroupChangePolicy", "Volumes are new with each task: either policy does the same."),
    _pod.emulated(
        "supplementalGroups", "The helper starts the containers in these groups.", unless=_UNKNOWN_USER
    ),
    _pod.native(
        "supplementalGroupsPolicy",
        "Merge.",
        refuses=Refusal(_CODE, "the image's groups stay; use Merge", lambda it: it == "Strict"),
        unless="Strict (`SecurityContext`)",
    ),
    _pod.native("seLinuxChangePolicy", "There is nothing to relabel."),
    _pod.native("sysctls", "ECS's systemControls.", of="Sysctl"),
    _sysctl.native(
        "name",
        "`net.*`, `fs.mqueue.*`, and of `kernel.` the `msg*`, `sem` and `shm*` ones.",
        refuses=Refusal(
            _CODE,
            "Fargate sets net.*, fs.mqueue.* and IPC ones only; remove it",
            lambda it: not is_known_sysctl(it),
        ),
        unless="any other (`SecurityContext`)",
    ),
    _sysctl.native("value", "As it stands."),
)
