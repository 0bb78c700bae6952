"""Proofs of the rows of volumes: scratch space, claims, and the kinds that Fargate has nothing like."""

from typing import Any, Final

from app.bridge.translation.material import Material
from app.model.objects import CsiSource, PersistentVolume, PersistentVolumeSpec
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod
from tests.ledger.proofs import Samples, holds, lacks, refused, refused_at_launch, same, shows, waits

V: Final = "spec.volumes[0]"
CLAIM_SPEC: Final = f"{V}.ephemeral.volumeClaimTemplate.spec"
DISKS: Final = settings(ebs_role_arn="arn:aws:iam::123456789012:role/ebs")

FOREIGN: Final = (
    "hostPath",
    "nfs",
    "csi",
    "image",
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)


def mounting(readers: int = 1, /, **source: Any) -> Pod:
    """A pod whose containers mount one volume at /v."""
    mounts = [{"name": "v", "mountPath": "/v"}]
    containers = [a_container(name, volumeMounts=mounts, command=["/it"]) for name in ("main", "b")[:readers]]
    return a_pod(volumes=[{"name": "v", **source}], containers=containers)


def on(driver: str, handle: str) -> Material:
    csi = CsiSource(driver=driver, volume_handle=handle)
    return a_material(claims={"data": PersistentVolume(spec=PersistentVolumeSpec(csi=csi))})


def ephemeral(metadata: Any = None, **spec: Any) -> Pod:
    body = {"resources": {"requests": {"storage": "10Gi"}}, **spec}
    template = {"spec": body, **({"metadata": metadata} if metadata else {})}
    return mounting(ephemeral={"volumeClaimTemplate": template})


DISK: Final = {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}}
EFS: Final = on("efs.csi.aws.com", "fs-1::fsap-2")
MINE: Final = mounting(persistentVolumeClaim={"claimName": "data"})
READ_ONLY: Final = mounting(persistentVolumeClaim={"claimName": "data", "readOnly": True})
MEMORY: Final = {"medium": "Memory", "sizeLimit": "64Mi"}
TMPFS: Final = ("linuxParameters", "tmpfs", 0)

SAMPLES: Final[Samples] = {
    "Volume.name": (shows(mounting(emptyDir={}), "task", "volumes", 0, "name", is_="v"),),
    "Volume.emptyDir": (holds(mounting(emptyDir={}), "task", "volumes", has={"name": "v", "host": {}}),),
    "EmptyDirVolumeSource.medium": (
        shows(mounting(emptyDir=MEMORY), "main", *TMPFS, "containerPath", is_="/v"),
        holds(mounting(2, emptyDir=MEMORY), "caveats", has="MemoryVolumeOnDisk"),
        refused(mounting(emptyDir={"medium": "HugePages"}), "VolumeMedium", f"{V}.emptyDir.medium"),
    ),
    "EmptyDirVolumeSource.sizeLimit": (
        shows(mounting(emptyDir=MEMORY), "main", *TMPFS, "size", is_=64),
        shows(mounting(emptyDir={"sizeLimit": "40Gi"}), "task", "ephemeralStorage", "sizeInGiB", is_=40),
        refused(mounting(emptyDir={"sizeLimit": "big"}), "InvalidQuantity", f"{V}.emptyDir.sizeLimit"),
    ),
    "Volume.persistentVolumeClaim": (
        shows(
            MINE,
            "task",
            "volumes",
            0,
            "efsVolumeConfiguration",
            is_={
                "fileSystemId": "fs-1",
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-2"},
            },
            material=EFS,
        ),
        refused_at_launch(MINE, "ClaimNotOnEfs", material=on("ebs.csi.aws.com", "vol-1")),
    ),
    "PersistentVolumeClaimVolumeSource.claimName": (waits(MINE, "ContainerCreating"),),
    "PersistentVolumeClaimVolumeSource.readOnly": (
        shows(READ_ONLY, "main", "mountPoints", 0, "readOnly", is_=True, material=EFS),
    ),
    "Volume.ephemeral": (
        shows(ephemeral(), "launch", "volumes", 0, "name", is_="v", config=DISKS),
        refused_at_launch(ephemeral(), "EphemeralVolumeRole"),
        refused(
            a_pod(volumes=[{"name": name, "ephemeral": DISK} for name in ("a", "b")]),
            "SeveralEphemeralVolumes",
            "spec.volumes[1].ephemeral",
        ),
    ),
    "EphemeralVolumeSource.volumeClaimTemplate": (
        shows(ephemeral(), "task", "volumes", 0, is_={"name": "v", "configuredAtLaunch": True}, config=DISKS),
        refused(mounting(ephemeral={}), "Volume", f"{V}.ephemeral.volumeClaimTemplate"),
    ),
    "PersistentVolumeClaimTemplate.metadata": (
        same(ephemeral({"labels": {"a": "b"}}), ephemeral(), config=DISKS),
    ),
    "PersistentVolumeClaimTemplate.spec": (
        shows(ephemeral(), "launch", "volumes", 0, "managedEBSVolume", "sizeInGiB", is_=10, config=DISKS),
    ),
    "PersistentVolumeClaimSpec.accessModes": (
        same(ephemeral(accessModes=["ReadWriteOnce"]), ephemeral(), config=DISKS),
    ),
    "PersistentVolumeClaimSpec.resources": (
        shows(ephemeral(), "launch", "volumes", 0, "managedEBSVolume", "sizeInGiB", is_=10, config=DISKS),
        refused(ephemeral(resources={}), "Volume", f"{CLAIM_SPEC}.resources"),
    ),
    "VolumeResourceRequirements.requests": (
        shows(
            ephemeral(resources={"requests": {"storage": "9500Mi"}}),
            "launch",
            "volumes",
            0,
            "managedEBSVolume",
            "sizeInGiB",
            is_=10,
            config=DISKS,
        ),
    ),
    "VolumeResourceRequirements.limits": (
        same(
            ephemeral(resources={"requests": {"storage": "10Gi"}, "limits": {"storage": "20Gi"}}),
            ephemeral(),
            config=DISKS,
        ),
    ),
    "PersistentVolumeClaimSpec.storageClassName": (
        holds(ephemeral(storageClassName="fast"), "caveats", has="StorageClassIgnored", config=DISKS),
        lacks(
            ephemeral(storageClassName="fast"),
            "launch",
            "volumes",
            0,
            "managedEBSVolume",
            "volumeType",
            config=DISKS,
        ),
    ),
    "PersistentVolumeClaimSpec.volumeMode": (
        same(ephemeral(volumeMode="Filesystem"), ephemeral(), config=DISKS),
        refused(ephemeral(volumeMode="Block"), "VolumeMode", f"{CLAIM_SPEC}.volumeMode"),
    ),
    "PersistentVolumeClaimSpec.volumeName": (
        refused(ephemeral(volumeName="pv"), "Volume", f"{CLAIM_SPEC}.volumeName"),
    ),
    "PersistentVolumeClaimSpec.dataSource": (
        refused(ephemeral(dataSource={"name": "s"}), "VolumeDataSource", f"{CLAIM_SPEC}.dataSource"),
    ),
    "PersistentVolumeClaimSpec.dataSourceRef": (
        refused(ephemeral(dataSourceRef={"name": "s"}), "VolumeDataSource", f"{CLAIM_SPEC}.dataSourceRef"),
    ),
    "PersistentVolumeClaimSpec.selector": (
        refused(ephemeral(selector={"matchLabels": {"a": "b"}}), "Volume", f"{CLAIM_SPEC}.selector"),
    ),
    "PersistentVolumeClaimSpec.volumeAttributesClassName": (
        refused(
            ephemeral(volumeAttributesClassName="fast"), "Volume", f"{CLAIM_SPEC}.volumeAttributesClassName"
        ),
    ),
    **{
        f"Volume.{kind}": (refused(mounting(1, **{kind: {"x": "y"}}), "Volume", f"{V}.{kind}"),)
        for kind in FOREIGN
    },
}
