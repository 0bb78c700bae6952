"""Rows of Container, and of its ports, resources and mounts."""

import re
from typing import Final

from app.fargate import mount_rules, pod_rules, probe_fields
from app.fargate.check import Refusal
from app.fargate.support import Row, Section
from app.model.names import INSTALL_CONTAINER, KEEPER_CONTAINER

_container = Section("Container")
_port = Section("ContainerPort")
_resources = Section("ResourceRequirements")
_mount = Section("VolumeMount")

_ECS_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_OURS: Final = frozenset({INSTALL_CONTAINER, KEEPER_CONTAINER})
_NOT_RESERVED: Final = (
    "extended resources and huge pages (`ExtendedResource`), and what is no amount (`InvalidQuantity`)"
)
_NO_PROPAGATION: Final = frozenset({None, "", "None"})


def _is_unfit_name(name: str) -> bool:
    return _ECS_NAME.fullmatch(name) is None or name in _OURS


ROWS: Final[tuple[Row, ...]] = (
    _container.native(
        "name",
        "The container's name in the task.",
        refuses=Refusal(
            "ContainerName", "ECS takes 1 to 255 letters, digits, - and _; rename it", _is_unfit_name
        ),
        unless="names of the helper's containers, and what ECS takes for no name (`ContainerName`)",
    ),
    _container.native(
        "image",
        "Pulled by Fargate for each task.",
        refuses=Refusal("NoImage", "no image is named; set image", lambda image: not image.strip()),
        unless="none (`NoImage`)",
    ),
    _container.native(
        "imagePullPolicy",
        "Fargate keeps no images: each task pulls.",
        refuses=Refusal(
            "ImagePullPolicy", "Fargate always pulls; use IfNotPresent or Always", lambda it: it == "Never"
        ),
        unless="Never (`ImagePullPolicy`)",
    ),
    _container.native(
        "command",
        "ECS's entryPoint. Where the helper goes before it and the pod names none, the image's own is looked "
        "up in its registry.",
        unless="none, where the helper goes before it and the image cannot be read (at launch, "
        "`ImageUnknown`)",
    ),
    _container.native("args", "ECS's command, with `$(VAR)` expanded as a kubelet does."),
    _container.native("workingDir", "ECS's workingDirectory."),
    _container.native("env", "Variables of the container.", of="EnvVar"),
    _container.emulated(
        "envFrom",
        "Every key of a ConfigMap becomes a variable, of a Secret an ECS secret; values of Secrets never "
        "stand in a task definition or override.",
        of="EnvFromSource",
    ),
    _container.native("ports", "ECS's portMappings.", of="ContainerPort"),
    _port.native("containerPort", "The port of the mapping."),
    _port.native("name", "Probes may name it."),
    _port.native(
        "protocol",
        "TCP or UDP.",
        refuses=Refusal(
            "PortProtocol", "ECS maps TCP and UDP only; change it", lambda it: it not in {"", "TCP", "UDP"}
        ),
        unless="SCTP (`PortProtocol`)",
    ),
    _port.refused("hostPort", "HostPort", "Fargate has no host to open ports on; remove hostPort"),
    _port.refused("hostIP", "HostPort", "Fargate has no host to open ports on; remove hostIP"),
    _container.native(
        "resources",
        "Requests are reserved and decide the task's size, a memory limit kills; cpu is a share.",
        of="ResourceRequirements",
        refuses=pod_rules.resources,
        unless="amounts that are none, and resources that Fargate has not",
    ),
    _resources.native(
        "requests",
        "cpu, memory and ephemeral-storage; the task has the smallest size that covers the pod.",
        unless=_NOT_RESERVED,
    ),
    _resources.native(
        "limits",
        "Memory: the container is killed above it. A limit stands in for a missing request.",
        unless=_NOT_RESERVED,
    ),
    _resources.refused("claims", "ResourceClaims", "Fargate has no devices to claim; remove the claims"),
    _container.native("resizePolicy", "Nothing resizes a task, so nothing restarts for it."),
    _container.native("volumeMounts", "ECS's mountPoints.", of="VolumeMount"),
    _mount.native(
        "name",
        "The volume's name.",
        rule=mount_rules.unknown_volumes,
        unless="a volume that the pod has not (`UnknownVolume`)",
    ),
    _mount.native(
        "mountPath",
        "ECS's containerPath.",
        refuses=Refusal(
            "ReservedMountPath", "the in-task helper lives there; mount elsewhere", mount_rules.is_reserved
        ),
        unless="/spillway and below, where the helper lives (`ReservedMountPath`)",
    ),
    _mount.native("readOnly", "ECS's readOnly."),
    _mount.native(
        "recursiveReadOnly",
        "Disabled and IfPossible.",
        refuses=Refusal(
            "RecursiveReadOnly", "ECS cannot promise it; use IfPossible", lambda it: it == "Enabled"
        ),
        unless="Enabled (`RecursiveReadOnly`)",
    ),
    _mount.native(
        "mountPropagation",
        "None.",
        refuses=Refusal(
            "MountPropagation",
            "no host to share mounts with; remove it",
            lambda it: it not in _NO_PROPAGATION,
        ),
        unless="HostToContainer and Bidirectional (`MountPropagation`)",
    ),
    _mount.emulated(
        "subPath",
        "A folder of an emptyDir or of files: a volume of its own. A single file of a configMap, secret, "
        "downwardAPI or projected volume: the helper copies it into place at the container's start. Of EFS: "
        "the root directory.",
        rule=mount_rules.sub_paths,
        unless="a single file where the container is not root or has a read-only root (`SubPathFile`), a "
        "part of an emptyDir that another mount holds (`SubPathShared`), of an ephemeral volume "
        "(`SubPathOfDisk`), and at launch of an EFS access point (`SubPathOnAccessPoint`)",
    ),
    _mount.emulated(
        "subPathExpr",
        "As `subPath`, after `$(VAR)` is expanded.",
        unless="as `subPath`, and at launch of files and EFS where the path is each pod's own "
        "(`SubPathOfPod`)",
    ),
    _container.refused(
        "volumeDevices", "VolumeDevices", "Fargate has no block devices; remove volumeDevices"
    ),
    _container.native("securityContext", "See SecurityContext.", of="SecurityContext"),
    _container.emulated("lifecycle", "Hooks run by the helper.", of="Lifecycle"),
    *probe_fields.OF_CONTAINER,
    _container.emulated(
        "restartPolicy",
        "Always of an init container makes it a sidecar. Else the helper restarts the container in place, "
        "or does not; an init container that fails for good ends the pod.",
    ),
    _container.refused(
        "restartPolicyRules", "ContainerRestartPolicy", "ECS knows no rules by exit code; use restartPolicy"
    ),
    _container.native("stdin", "ECS's interactive."),
    _container.native("stdinOnce", "Standard input ends with the first client that leaves."),
    _container.native("tty", "ECS's pseudoTerminal."),
    _container.emulated(
        "terminationMessagePath",
        "The helper reads the file when the container ends. The default path does not bring the helper: "
        "where nothing else does, what is written there is lost. Another path brings it.",
    ),
    _container.emulated(
        "terminationMessagePolicy",
        "File: see the path. FallbackToLogsOnError: the bridge reads the end of the log (80 lines, 2048 "
        "bytes) of a container that failed.",
    ),
)
