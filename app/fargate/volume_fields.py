"""Rows of volumes: scratch space, claims, and the kinds that Fargate has nothing like."""

from collections.abc import Iterable
from typing import Any, Final

from app.fargate import pod_rules
from app.fargate.check import Refusal
from app.fargate.support import Row, Section
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.setting import named

_volume = Section("Volume")
_empty = Section("EmptyDirVolumeSource")
_claim = Section("PersistentVolumeClaimVolumeSource")
_ephemeral = Section("EphemeralVolumeSource")
_template = Section("PersistentVolumeClaimTemplate")
_spec = Section("PersistentVolumeClaimSpec")
_amounts = Section("VolumeResourceRequirements")

_CODE: Final = "Volume"
_FRESH: Final = "each task gets a new disk; remove it"

_FOREIGN: Final = {
    "hostPath": "Fargate has no host to mount from; use emptyDir or EFS",
    "nfs": "Fargate mounts no NFS but EFS; use a claim on EFS",
    "csi": "Fargate runs no CSI drivers; use a secret, or a claim on EFS",
    "image": "Fargate mounts no images; copy the files in an init container",
    "awsElasticBlockStore": "it belongs to one node; use ephemeral or EFS",
    "azureDisk": "it is Azure's; use a claim on EFS",
    "azureFile": "it is Azure's; use a claim on EFS",
    "cephfs": "Fargate mounts no CephFS; use a claim on EFS",
    "cinder": "it is OpenStack's; use a claim on EFS",
    "fc": "Fargate has no Fibre Channel; use a claim on EFS",
    "flexVolume": "Fargate runs no volume plugins; use a claim on EFS",
    "flocker": "Fargate runs no volume plugins; use a claim on EFS",
    "gcePersistentDisk": "it is Google's; use a claim on EFS",
    "gitRepo": "no kubelet clones it any more; clone in an init container",
    "glusterfs": "Fargate mounts no GlusterFS; use a claim on EFS",
    "iscsi": "Fargate has no iSCSI; use a claim on EFS",
    "photonPersistentDisk": "it is VMware's; use a claim on EFS",
    "portworxVolume": "Fargate runs no volume plugins; use a claim on EFS",
    "quobyte": "Fargate mounts no Quobyte; use a claim on EFS",
    "rbd": "Fargate mounts no Ceph devices; use a claim on EFS",
    "scaleIO": "Fargate runs no volume plugins; use a claim on EFS",
    "storageos": "Fargate runs no volume plugins; use a claim on EFS",
    "vsphereVolume": "it is VMware's; use a claim on EFS",
}


def _one_ephemeral(pod: Pod) -> Iterable[Reason]:
    indexes = [index for index, each in enumerate(pod.spec.volumes) if each.ephemeral is not None]
    for index in indexes[1:]:
        message = "a task has at most one; use emptyDir or EFS for the others"
        yield Reason("SeveralEphemeralVolumes", message, f"spec.volumes[{index}].ephemeral")


def _no_template(template: object, path: str) -> Iterable[Reason]:
    if template is None:
        yield Reason(_CODE, "it has no template; add volumeClaimTemplate", path)


def _storage(asked: Any, path: str) -> Iterable[Reason]:
    requests = asked.get("requests") if isinstance(asked, dict) else None
    size = requests.get("storage") if isinstance(requests, dict) else None
    if not isinstance(size, str) or not size:
        yield Reason(_CODE, "no size; set requests.storage", path)
        return
    faults = tuple(pod_rules.amounts({"cpu": size}, path))
    yield from (Reason(each.code, each.message, f"{path}.requests[storage]") for each in faults)


def _size_limit(size: str | None, path: str) -> Iterable[Reason]:
    for fault in pod_rules.amounts({"memory": size} if size else {}, path):
        yield Reason(fault.code, fault.message, path)


ROWS: Final[tuple[Row, ...]] = (
    _volume.native("name", "The volume's name in the task."),
    _volume.native(
        "emptyDir", "An empty volume of the task, on its ephemeral storage.", of="EmptyDirVolumeSource"
    ),
    _empty.emulated(
        "medium",
        "Disk. Memory: a tmpfs of the container that mounts it; where several do, disk.",
        refuses=Refusal(
            "VolumeMedium", "Fargate has no huge pages; use Memory", lambda it: it not in {"", "Memory"}
        ),
        unless="huge pages (`VolumeMedium`)",
    ),
    _empty.emulated(
        "sizeLimit",
        "The size of a tmpfs (by default half of the task's memory); of disk, it counts into the task's "
        "ephemeral storage, and nobody is evicted for it.",
        refuses=_size_limit,
        unless="what is no amount (`InvalidQuantity`)",
    ),
    _volume.emulated(
        "configMap",
        "Files that the helper writes before the first container starts.",
        of="ConfigMapVolumeSource",
    ),
    _volume.emulated(
        "secret",
        "Files that the helper writes; the values reach it from Secrets Manager alone.",
        of="SecretVolumeSource",
    ),
    _volume.emulated("downwardAPI", "Files that the helper writes.", of="DownwardAPIVolumeSource"),
    _volume.emulated("projected", "Files that the helper writes.", of="ProjectedVolumeSource"),
    _volume.emulated(
        "persistentVolumeClaim",
        "A volume of the EFS CSI driver is mounted by its access point or path.",
        of="PersistentVolumeClaimVolumeSource",
        unless="claims bound to any other volume (at launch, `ClaimNotOnEfs`)",
    ),
    _claim.emulated("claimName", "The claim, in the pod's namespace; the pod waits until it is bound."),
    _claim.native("readOnly", "Every mount of it is read-only."),
    _volume.emulated(
        "ephemeral",
        "An EBS volume that ECS makes and deletes with the task; refused at launch where "
        f"`{named('bridge', 'ebs_role')}` is not set.",
        of="EphemeralVolumeSource",
        rule=_one_ephemeral,
        unless="a second one (`SeveralEphemeralVolumes`)",
    ),
    _ephemeral.emulated(
        "volumeClaimTemplate",
        "No claim is made; what it asks for is asked of ECS.",
        of="PersistentVolumeClaimTemplate",
        refuses=_no_template,
        unless="where it is missing (`Volume`)",
    ),
    _template.emulated("metadata", "There is no claim to carry it."),
    _template.emulated("spec", "See PersistentVolumeClaimSpec.", of="PersistentVolumeClaimSpec"),
    _spec.emulated("accessModes", "One task has it, which meets all of them."),
    _spec.emulated(
        "resources",
        "See VolumeResourceRequirements.",
        of="VolumeResourceRequirements",
        refuses=_storage,
        unless="without requests.storage (`Volume`)",
    ),
    _amounts.emulated("requests", "storage, in whole GiB, is the volume's size."),
    _amounts.emulated("limits", "The volume has the size that is requested, which is within them."),
    _spec.emulated("storageClassName", "The volume is EBS gp3, whatever the class says."),
    _spec.native(
        "volumeMode",
        "Filesystem.",
        refuses=Refusal("VolumeMode", "ECS formats it; use Filesystem", lambda it: it == "Block"),
        unless="Block (`VolumeMode`)",
    ),
    _spec.refused("volumeName", _CODE, _FRESH),
    _spec.refused("dataSource", "VolumeDataSource", _FRESH),
    _spec.refused("dataSourceRef", "VolumeDataSource", _FRESH),
    _spec.refused("selector", _CODE, _FRESH),
    _spec.refused("volumeAttributesClassName", _CODE, "unknown to ECS; remove it"),
    *(_volume.refused(kind, _CODE, why) for kind, why in _FOREIGN.items()),
)
