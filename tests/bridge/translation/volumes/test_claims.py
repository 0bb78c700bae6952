from typing import Any

import msgspec
import pytest

from app.bridge.translation.material import Unready
from app.model.objects import PersistentVolume
from tests.bridge.translation.builders import a_material
from tests.bridge.translation.volumes.volume_parts import brought, codes, mounted, well

CLAIM = {"name": "c", "persistentVolumeClaim": {"claimName": "shared"}}
ROLE = {"ebs_role_arn": "arn:aws:iam::123456789012:role/ebs"}


def on_efs(handle: str, **spec: Any) -> dict[str, Any]:
    csi = {"driver": "efs.csi.aws.com", "volumeHandle": handle, **spec.pop("csi", {})}
    volume = msgspec.convert({"spec": {"csi": csi, **spec}}, PersistentVolume)
    return {"material": a_material(claims={"shared": volume})}


@pytest.mark.parametrize(
    ("found", "configuration"),
    [
        pytest.param(
            on_efs("fs-1::fsap-2"),
            {
                "fileSystemId": "fs-1",
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-2"},
            },
            id="access-point",
        ),
        pytest.param(
            on_efs("fs-1"),
            {"fileSystemId": "fs-1", "rootDirectory": "/", "transitEncryption": "ENABLED"},
            id="whole-file-system",
        ),
        pytest.param(
            on_efs("fs-1:/a/b/", csi={"volumeAttributes": {"encryptInTransit": "false"}}),
            {"fileSystemId": "fs-1", "rootDirectory": "/a/b", "transitEncryption": "DISABLED"},
            id="folder-in-the-clear",
        ),
        pytest.param(
            on_efs("fs-1", mountOptions=["tls", "iam"]),
            {
                "fileSystemId": "fs-1",
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"iam": "ENABLED"},
            },
            id="by-the-task-role",
        ),
    ],
)
def test_a_claim_on_efs_is_mounted(found: dict[str, Any], configuration: dict[str, Any]) -> None:
    answer = well(brought([CLAIM], [mounted("c", "/srv")], **found))
    assert answer.volumes == ({"name": "c", "efsVolumeConfiguration": configuration},)
    assert answer.mounts["main"] == ({"sourceVolume": "c", "containerPath": "/srv", "readOnly": False},)


def test_a_claim_keeps_its_owners() -> None:
    found = on_efs("fs-1::fsap-2")
    answer = well(brought([CLAIM], [mounted("c")], securityContext={"fsGroup": 5}, **found))
    assert answer.plan == ()


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        pytest.param({"readOnly": True}, on_efs("fs-1"), id="by-the-pod"),
        pytest.param({}, on_efs("fs-1", csi={"readOnly": True}), id="by-the-volume"),
    ],
)
def test_a_claim_may_be_read_only(claim: dict[str, Any], found: dict[str, Any]) -> None:
    volume = {"name": "c", "persistentVolumeClaim": {"claimName": "shared", **claim}}
    assert well(brought([volume], [mounted("c")], **found)).mounts["main"][0]["readOnly"]


def test_folders_of_a_file_system_are_volumes_of_their_own() -> None:
    mounts = [mounted("c", "/a", subPath="x/y"), mounted("c", "/b")]
    answer = well(brought([CLAIM], mounts, **on_efs("fs-1:/base")))
    roots = {each["name"]: each["efsVolumeConfiguration"]["rootDirectory"] for each in answer.volumes}
    assert roots == {"c_1": "/base/x/y", "c": "/base"}


def test_an_access_point_has_no_folders() -> None:
    answer = brought([CLAIM], [mounted("c", subPath="x")], **on_efs("fs-1::fsap-2"))
    assert codes(answer) == [("SubPathOnAccessPoint", "spec.containers[0].volumeMounts[0]")]


def test_a_folder_of_a_file_system_for_each_pod_is_refused() -> None:
    env = [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    mounts = [mounted("c", subPathExpr="$(NAME)")]
    answer = brought([CLAIM], mounts, container={"env": env}, **on_efs("fs-1"))
    assert codes(answer) == [("SubPathOfPod", "spec.containers[0].volumeMounts[0]")]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}}, id="ebs"),
        pytest.param({}, id="no-csi-driver"),
    ],
)
def test_a_claim_on_anything_else_is_refused(spec: dict[str, Any]) -> None:
    volume = msgspec.convert({"spec": spec}, PersistentVolume)
    answer = brought([CLAIM], [mounted("c")], material=a_material(claims={"shared": volume}))
    assert codes(answer) == [("ClaimNotOnEfs", "spec.volumes[0].persistentVolumeClaim")]


def test_a_claim_that_is_not_bound_keeps_the_pod_waiting() -> None:
    answer = brought([CLAIM], [mounted("c")])
    assert isinstance(answer, Unready)
    assert (answer.reason, answer.event) == ("ContainerCreating", "FailedMount")
    assert answer.message.endswith("error processing PVC shop/shared: PVC is not bound")


def ephemeral(storage: str = "5Gi", name: str = "d", **spec: Any) -> dict[str, Any]:
    wanted = {"resources": {"requests": {"storage": storage}}, **spec}
    return {"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": wanted}}}


@pytest.mark.parametrize(
    ("storage", "gib"),
    [
        pytest.param("5Gi", 5, id="exact"),
        pytest.param("1500M", 2, id="rounded-up"),
        pytest.param("1", 1, id="least"),
    ],
)
def test_an_ephemeral_volume_is_a_disk_that_ecs_makes(storage: str, gib: int) -> None:
    answer = well(brought([ephemeral(storage)], [mounted("d")], operator=ROLE))
    assert answer.volumes == ({"name": "d", "configuredAtLaunch": True},)
    assert answer.launch_volumes == (
        {
            "name": "d",
            "managedEBSVolume": {
                "roleArn": "arn:aws:iam::123456789012:role/ebs",
                "sizeInGiB": gib,
                "filesystemType": "ext4",
                "terminationPolicy": {"deleteOnTermination": True},
            },
        },
    )


def test_a_disk_is_given_to_the_group_of_volumes() -> None:
    answer = well(brought([ephemeral()], [mounted("d")], operator=ROLE, securityContext={"fsGroup": 5}))
    assert answer.plan == ("group d 5",)


def test_a_disk_that_nobody_mounts_is_not_made() -> None:
    assert well(brought([ephemeral()], [], operator=ROLE)).launch_volumes == ()


@pytest.mark.parametrize(
    ("volumes", "mounts", "operator", "code"),
    [
        pytest.param([ephemeral()], [mounted("d")], {}, "EphemeralVolumeRole", id="no-role"),
        pytest.param([ephemeral(volumeMode="Block")], [mounted("d")], ROLE, "VolumeMode", id="block-device"),
        pytest.param(
            [ephemeral(dataSource={"kind": "VolumeSnapshot"})],
            [mounted("d")],
            ROLE,
            "VolumeDataSource",
            id="data",
        ),
        pytest.param([ephemeral("lots")], [mounted("d")], ROLE, "InvalidQuantity", id="no-quantity"),
        pytest.param([ephemeral()], [mounted("d", subPath="x")], ROLE, "SubPathOfDisk", id="part"),
        pytest.param(
            [ephemeral(), ephemeral(name="e")],
            [mounted("d"), mounted("e", "/e")],
            ROLE,
            "SeveralEphemeralVolumes",
            id="two-disks",
        ),
    ],
)
def test_such_a_disk_is_refused(
    volumes: list[dict[str, Any]], mounts: list[dict[str, Any]], operator: dict[str, Any], code: str
) -> None:
    assert [found for found, _ in codes(brought(volumes, mounts, operator=operator))] == [code]
