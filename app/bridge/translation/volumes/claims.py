"""Volumes that outlive or leave the task: claims on EFS, and disks that ECS makes for it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ebs-volumes.html
"""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.material import Unready
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.fragment import Fragment, mount_point
from app.bridge.translation.volumes.mounts import Mount
from app.bridge.translation.volumes.written import folder_names, group_line, volume_group
from app.model.objects import CsiSource, PersistentVolume
from app.model.quantity import GIB, QuantityError, whole
from app.model.reason import Reason
from app.model.setting import named
from app.model.volume import ClaimSpec, ClaimVolume, EphemeralVolume
from app.model.wire import Json

_EFS_DRIVER: Final = "efs.csi.aws.com"


def claimed(
    name: str, source: ClaimVolume, *, mounts: Sequence[Mount], scene: Scene, field: str
) -> Fragment | Unready | tuple[Reason, ...]:
    """The share of a claim that is bound to EFS; anything else is refused.

    Args:
        name: of the volume in the task.
        source: the claim.
        mounts: where it is mounted; none leaves it out.
        scene: the pod and what was found for it.
        field: the volume's path in the pod.
    """
    found = scene.material.claims.get(source.claim_name)
    if found is None:
        key = f"{scene.pod.metadata.namespace}/{source.claim_name}"
        message = f"Unable to attach or mount volumes: error processing PVC {key}: PVC is not bound"
        return Unready("ContainerCreating", message, "FailedMount")
    csi = found.spec.csi
    if csi is None or csi.driver != _EFS_DRIVER:
        driver = f"driver {csi.driver}" if csi is not None else "no CSI driver"
        message = (
            f'claim "{source.claim_name}" is on a volume with {driver}; Fargate mounts EFS alone, use it'
        )
        return (Reason("ClaimNotOnEfs", message, f"{field}.persistentVolumeClaim"),)
    return _on_efs(name, found, csi, mounts=mounts, read_only=source.read_only)


def made_by_ecs(
    name: str,
    source: EphemeralVolume,
    *,
    mounts: Sequence[Mount],
    scene: Scene,
    field: str,
) -> Fragment | tuple[Reason, ...]:
    """The share of an ephemeral volume: an EBS volume that ECS makes for the task and deletes with it.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskManagedEBSVolumeConfiguration.html

    Args:
        name: of the volume in the task.
        source: the claim that the pod would make.
        mounts: where it is mounted; none leaves it out.
        scene: the pod, and the role with which ECS makes the disk.
        field: the volume's path in the pod.
    """
    where = f"{field}.ephemeral"
    spec = source.volume_claim_template.spec if source.volume_claim_template is not None else ClaimSpec()
    reasons = [*_against_ebs(spec, settings=scene.settings, field=where), *_against_parts(mounts)]
    try:
        size = whole(_requested(spec))
    except QuantityError as error:
        reasons.append(Reason("InvalidQuantity", str(error), where))
        size = 0
    if reasons or not mounts:
        return tuple(reasons) if reasons else Fragment()
    disk = {
        "roleArn": scene.settings.ebs_role_arn,
        "sizeInGiB": max(-(-size // GIB), 1),
        "filesystemType": "ext4",
        "terminationPolicy": {"deleteOnTermination": True},
    }
    return Fragment(
        volumes=({"name": name, "configuredAtLaunch": True},),
        mounts=_points({"": name}, mounts, read_only=False),
        lines=group_line(name, gid=volume_group(scene.pod)),
        launch=({"name": name, "managedEBSVolume": disk},),
    )


class _Handle(msgspec.Struct, frozen=True):
    """What an EFS volume's handle says: `SYSTEM`, `SYSTEM:PATH`, `SYSTEM::POINT` or `SYSTEM:PATH:POINT`.

    https://github.com/kubernetes-sigs/aws-efs-csi-driver/tree/master/docs
    """

    system: str
    path: str
    access_point: str


def _handle(text: str) -> _Handle:
    system, _, rest = text.partition(":")
    path, _, access_point = rest.partition(":")
    return _Handle(system, posixpath.normpath(f"/{path.strip('/')}"), access_point)


def _on_efs(
    name: str, volume: PersistentVolume, csi: CsiSource, *, mounts: Sequence[Mount], read_only: bool
) -> Fragment | tuple[Reason, ...]:
    handle = _handle(csi.volume_handle)
    reasons = tuple(_against_folders(handle, mounts))
    if reasons:
        return reasons
    names = folder_names(name, (each.part for each in mounts))
    used = dict.fromkeys(each.part for each in mounts)
    return Fragment(
        volumes=tuple(
            {"name": names[part], "efsVolumeConfiguration": _configuration(handle, part, volume, csi)}
            for part in used
        ),
        mounts=_points(names, mounts, read_only=read_only or csi.read_only),
    )


def _against_folders(handle: _Handle, mounts: Sequence[Mount]) -> Iterable[Reason]:
    for each in mounts:
        if each.part and handle.access_point:
            message = "ECS mounts an EFS access point as a whole; make one for the folder and claim that"
            yield Reason("SubPathOnAccessPoint", message, each.field)
        elif each.is_own:
            message = "a folder for each pod would take a task definition for each; mount the whole volume"
            yield Reason("SubPathOfPod", message, each.field)


def _configuration(handle: _Handle, part: str, volume: PersistentVolume, csi: CsiSource) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html.

    An access point and IAM both ask for encryption in transit, and an access point for its own root.
    """
    uses_role = "iam" in volume.spec.mount_options
    encrypted = csi.volume_attributes.get("encryptInTransit", "true") != "false"
    authorization = {
        **({"accessPointId": handle.access_point} if handle.access_point else {}),
        **({"iam": "ENABLED"} if uses_role else {}),
    }
    return {
        "fileSystemId": handle.system,
        "rootDirectory": posixpath.normpath(posixpath.join(handle.path, part)),
        "transitEncryption": "ENABLED" if encrypted or authorization else "DISABLED",
        **({"authorizationConfig": authorization} if authorization else {}),
    }


def _against_ebs(spec: ClaimSpec, *, settings: TaskSettings, field: str) -> Iterable[Reason]:
    if not settings.ebs_role_arn:
        message = (
            f"the bridge has no role to make disks with; set {named('bridge', 'ebs_role')}, or use emptyDir"
        )
        yield Reason("EphemeralVolumeRole", message, field)
    if spec.volume_mode not in {None, "", "Filesystem"}:
        yield Reason("VolumeMode", "Fargate has no block devices; use volumeMode Filesystem", field)
    if spec.data_source is not None or spec.data_source_ref is not None:
        yield Reason("VolumeDataSource", "the disk begins empty; remove dataSource", field)


def _against_parts(mounts: Sequence[Mount]) -> Iterable[Reason]:
    for each in mounts:
        if each.part:
            message = "ECS mounts the whole disk; remove subPath, or use an emptyDir for it"
            yield Reason("SubPathOfDisk", message, each.field)


def _requested(spec: ClaimSpec) -> str:
    resources = spec.resources if isinstance(spec.resources, dict) else {}
    requests = resources.get("requests")
    return str(requests.get("storage", "0")) if isinstance(requests, dict) else "0"


def _points(
    names: Mapping[str, str], mounts: Sequence[Mount], *, read_only: bool
) -> tuple[tuple[str, Json], ...]:
    return tuple(
        (
            each.container.name,
            mount_point(names[each.part], each.path, read_only=read_only or each.read_only),
        )
        for each in mounts
    )
