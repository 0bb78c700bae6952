"""Proofs of the rows of security contexts."""

from typing import Any, Final

from app.model.pod import Pod
from tests.bridge.translation.builders import IMAGE, a_material, an_image
from tests.builders import a_container, a_pod
from tests.ledger.proofs import Sample, Samples, holds, main, refused, refused_at_launch, same, shows, waits

CODE: Final = "SecurityContext"
OWN: Final = "spec.containers[0].securityContext"
PODS: Final = "spec.securityContext"


def own(**rights: Any) -> Pod:
    return main(securityContext=rights)


def pods(**rights: Any) -> Pod:
    return a_pod(securityContext=rights)


def added(*names: str, drop: tuple[str, ...] = ()) -> Pod:
    return own(capabilities={"add": list(names), "drop": list(drop)})


def profiled(field: str, kind: str) -> Pod:
    return own(**{field: {"type": kind}})


def localised(field: str) -> Sample:
    """A profile of the host's, whose type says the default: the API server would refuse it, too."""
    pod = own(**{field: {"type": "RuntimeDefault", "localhostProfile": "p"}})
    return refused(pod, CODE, f"{OWN}.{field}.localhostProfile")


def controlled(name: str, value: str = "1024") -> Pod:
    return pods(sysctls=[{"name": name, "value": value}])


ROOT_IMAGE: Final = a_material(images={IMAGE: an_image(user="")})
NO_IMAGE: Final = a_material(images={})
NAMED_USER: Final = a_material(images={IMAGE: an_image(user="app")})

SAMPLES: Final[Samples] = {
    "SecurityContext.runAsUser": (shows(own(runAsUser=7), "main", "user", is_="7"),),
    "SecurityContext.runAsGroup": (
        shows(own(runAsUser=7, runAsGroup=8), "main", "user", is_="7:8"),
        refused_at_launch(own(runAsGroup=8), "ImageUser", material=NO_IMAGE),
    ),
    "SecurityContext.runAsNonRoot": (
        same(own(runAsNonRoot=True, runAsUser=7), own(runAsUser=7)),
        holds(own(runAsNonRoot=True), "main", "run", has="nonroot", material=NAMED_USER),
        waits(own(runAsNonRoot=True), "CreateContainerConfigError", material=ROOT_IMAGE),
    ),
    "SecurityContext.seLinuxOptions": (
        refused(own(seLinuxOptions={"level": "s0"}), CODE, f"{OWN}.seLinuxOptions"),
    ),
    "SecurityContext.windowsOptions": (
        refused(own(windowsOptions={"hostProcess": False}), CODE, f"{OWN}.windowsOptions"),
    ),
    "SecurityContext.seccompProfile": (same(profiled("seccompProfile", "RuntimeDefault"), main()),),
    "SecurityContext.appArmorProfile": (same(profiled("appArmorProfile", "RuntimeDefault"), main()),),
    "SecurityContext.privileged": (
        same(own(privileged=False), main()),
        refused(own(privileged=True), CODE, f"{OWN}.privileged"),
    ),
    "SecurityContext.readOnlyRootFilesystem": (
        shows(own(readOnlyRootFilesystem=True), "main", "readonlyRootFilesystem", is_=True),
    ),
    "SecurityContext.allowPrivilegeEscalation": (
        holds(own(allowPrivilegeEscalation=False), "main", "run", has="nonewprivileges"),
        same(own(allowPrivilegeEscalation=True), main()),
    ),
    "SecurityContext.capabilities": (
        shows(added("SYS_PTRACE"), "main", "linuxParameters", is_={"capabilities": {"add": ["SYS_PTRACE"]}}),
    ),
    "Capabilities.drop": (
        shows(added(drop=("ALL",)), "main", "linuxParameters", "capabilities", is_={"drop": ["ALL"]}),
    ),
    "Capabilities.add": (
        shows(
            added("CHOWN", drop=("ALL",)),
            "main",
            "linuxParameters",
            "capabilities",
            "drop",
            is_=[
                "AUDIT_WRITE",
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
            ],
        ),
        refused(added("SYS_ADMIN"), CODE, f"{OWN}.capabilities.add[0]"),
    ),
    "SecurityContext.procMount": (
        same(own(procMount="Default"), main()),
        refused(own(procMount="Unmasked"), CODE, f"{OWN}.procMount"),
    ),
    "SeccompProfile.type": (
        same(profiled("seccompProfile", "RuntimeDefault"), main()),
        refused(profiled("seccompProfile", "Unconfined"), CODE, f"{OWN}.seccompProfile.type"),
    ),
    "SeccompProfile.localhostProfile": (localised("seccompProfile"),),
    "AppArmorProfile.type": (
        same(profiled("appArmorProfile", "Unconfined"), main()),
        refused(profiled("appArmorProfile", "Localhost"), CODE, f"{OWN}.appArmorProfile.type"),
    ),
    "AppArmorProfile.localhostProfile": (localised("appArmorProfile"),),
    "PodSecurityContext.runAsUser": (
        shows(pods(runAsUser=7), "main", "user", is_="7"),
        same(
            a_pod(
                securityContext={"runAsUser": 7}, containers=[a_container(securityContext={"runAsUser": 9})]
            ),
            own(runAsUser=9),
        ),
    ),
    "PodSecurityContext.runAsGroup": (
        shows(pods(runAsUser=7, runAsGroup=8), "main", "user", is_="7:8"),
        refused_at_launch(pods(runAsGroup=8), "ImageUser", material=NO_IMAGE),
    ),
    "PodSecurityContext.runAsNonRoot": (
        holds(pods(runAsNonRoot=True), "main", "run", has="nonroot", material=NAMED_USER),
        waits(pods(runAsNonRoot=True), "CreateContainerConfigError", material=ROOT_IMAGE),
    ),
    "PodSecurityContext.seccompProfile": (same(pods(seccompProfile={"type": "RuntimeDefault"})),),
    "PodSecurityContext.appArmorProfile": (same(pods(appArmorProfile={"type": "Unconfined"})),),
    "PodSecurityContext.seLinuxOptions": (
        refused(pods(seLinuxOptions={"level": "s0"}), CODE, f"{PODS}.seLinuxOptions"),
    ),
    "PodSecurityContext.windowsOptions": (
        refused(pods(windowsOptions={"runAsUserName": "x"}), CODE, f"{PODS}.windowsOptions"),
    ),
    "PodSecurityContext.fsGroup": (
        holds(
            a_pod(
                securityContext={"fsGroup": 50},
                volumes=[{"name": "v", "emptyDir": {}}],
                containers=[a_container(volumeMounts=[{"name": "v", "mountPath": "/v"}])],
            ),
            "plan",
            has="group v 50",
        ),
        holds(pods(fsGroup=50), "main", "run", has="user 0 - +,50"),
        refused_at_launch(pods(fsGroup=50), "ImageUser", material=NO_IMAGE),
    ),
    "PodSecurityContext.fsGroupChangePolicy": (
        same(pods(fsGroup=50, fsGroupChangePolicy="OnRootMismatch"), pods(fsGroup=50)),
    ),
    "PodSecurityContext.supplementalGroups": (
        holds(pods(supplementalGroups=[60, 61]), "main", "run", has="user 0 - +,60,61"),
        refused_at_launch(pods(supplementalGroups=[60]), "ImageUser", material=NO_IMAGE),
    ),
    "PodSecurityContext.supplementalGroupsPolicy": (
        same(pods(supplementalGroupsPolicy="Merge")),
        refused(pods(supplementalGroupsPolicy="Strict"), CODE, f"{PODS}.supplementalGroupsPolicy"),
    ),
    "PodSecurityContext.seLinuxChangePolicy": (same(pods(seLinuxChangePolicy="Recursive")),),
    "PodSecurityContext.sysctls": (
        shows(
            controlled("net.core.somaxconn"),
            "main",
            "systemControls",
            is_=[{"namespace": "net.core.somaxconn", "value": "1024"}],
        ),
    ),
    "Sysctl.name": (
        shows(
            controlled("net/core/somaxconn"),
            "main",
            "systemControls",
            0,
            "namespace",
            is_="net.core.somaxconn",
        ),
        refused(controlled("vm.swappiness"), CODE, f"{PODS}.sysctls[0].name"),
    ),
    "Sysctl.value": (
        shows(controlled("net.core.somaxconn", "7"), "main", "systemControls", 0, "value", is_="7"),
    ),
}
