from typing import Any

import pytest

from tests.local.fargate.enclosed import mounted
from tests.local.fargate.fakes import Aws, Refusal, a_container, a_definition, a_launch

EFS = {"fileSystemId": "fs-0123456789abcdef0"}
POINT = {"accessPointId": "fsap-0123456789abcdef0"}
DATA = [{"name": "data", "host": {}}]
DISK = [{"name": "disk", "configuredAtLaunch": True}]
EBS = {"roleArn": "arn:aws:iam::123456789012:role/ebs", "sizeInGiB": 10}
LINUX = "linuxParameters"


def efs(**fields: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "data", "efsVolumeConfiguration": {**EFS, **fields}}]}


def volumes(*each: dict[str, Any]) -> dict[str, Any]:
    return {"volumes": list(each)}


def container(**fields: Any) -> dict[str, Any]:
    return {"containerDefinitions": [a_container(**fields)], "volumes": DATA}


def tmpfs(path: str = "/fast", size: int = 1) -> dict[str, Any]:
    return {"containerPath": path, "size": size, "mountOptions": ["noexec"]}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param(volumes({"name": "a b"}), "Invalid volume name", id="volume name"),
        pytest.param(volumes({"name": "a"}, {"name": "a"}), "must be unique", id="a volume twice"),
        pytest.param(
            volumes({"name": "a", "host": {"sourcePath": "/srv"}}),
            "do not support sourcePath",
            id="host path",
        ),
        pytest.param(
            volumes({"name": "a", "dockerVolumeConfiguration": {"scope": "task"}}),
            "dockerVolumeConfiguration",
            id="docker volume",
        ),
        pytest.param(
            volumes({"name": "a", "configuredAtLaunch": True}, {"name": "b", "configuredAtLaunch": True}),
            "Only one volume",
            id="two at launch",
        ),
        pytest.param(
            volumes({"name": "a", "configuredAtLaunch": True, "host": {}}), "no other", id="host at launch"
        ),
        pytest.param(efs(fileSystemId="x"), "Invalid EFS file system", id="file system"),
        pytest.param(efs(rootDirectory="data"), "Invalid EFS root directory", id="relative root"),
        pytest.param(efs(rootDirectory="/../x"), "Invalid EFS root directory", id="root outside"),
        pytest.param(
            efs(authorizationConfig={"accessPointId": "x"}, transitEncryption="ENABLED"),
            "Invalid EFS access point",
            id="access point",
        ),
        pytest.param(
            efs(authorizationConfig=POINT),
            "must be enabled with an access point",
            id="access point in the clear",
        ),
        pytest.param(
            efs(authorizationConfig={"iam": "ENABLED"}),
            "or IAM authorization",
            id="authorization in the clear",
        ),
        pytest.param(
            efs(authorizationConfig=POINT, transitEncryption="ENABLED", rootDirectory="/x"),
            "must be left out or be '/'",
            id="access point with a root",
        ),
        pytest.param(efs(transitEncryptionPort=2049), "needs transit encryption", id="port in the clear"),
        pytest.param(container(mountPoints=[mounted("none", "/x")]), "Unknown volume 'none'", id="no volume"),
        pytest.param(
            container(mountPoints=[mounted("data", "x")]),
            "Invalid container path",
            id="relative container path",
        ),
        pytest.param(
            container(mountPoints=[mounted("data", "/x/../../y")]),
            "Invalid container path",
            id="path upwards",
        ),
        pytest.param(
            container(mountPoints=[mounted("data", "/x"), mounted("data", "/x")]),
            "several mounts",
            id="path twice",
        ),
        pytest.param(
            container(volumesFrom=[{"sourceContainer": "none"}]), "does not exist", id="volumes from nobody"
        ),
        pytest.param(
            container(volumesFrom=[{"sourceContainer": "main"}]), "from itself", id="volumes from itself"
        ),
        pytest.param(container(**{LINUX: {"tmpfs": [tmpfs(size=0)]}}), "at least 1 MiB", id="tmpfs size"),
        pytest.param(
            container(**{LINUX: {"tmpfs": [tmpfs(path="fast")]}}), "Invalid container path", id="tmpfs path"
        ),
        pytest.param({"ephemeralStorage": {"sizeInGiB": 20}}, "between 21 and 200", id="little storage"),
        pytest.param({"ephemeralStorage": {"sizeInGiB": 201}}, "between 21 and 200", id="much storage"),
    ],
)
async def test_a_definition_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(Refusal, match=f"ClientException: .*{error}"):
        await aws.call("RegisterTaskDefinition", **a_definition(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(efs(), id="EFS"),
        pytest.param(efs(rootDirectory="/data", transitEncryption="ENABLED"), id="EFS directory"),
        pytest.param(
            efs(
                authorizationConfig=POINT | {"iam": "ENABLED"}, transitEncryption="ENABLED", rootDirectory="/"
            ),
            id="EFS access point",
        ),
        pytest.param(container(**{LINUX: {"tmpfs": [tmpfs()]}}), id="tmpfs"),
        pytest.param(container(mountPoints=[mounted("data", "/x"), mounted("data", "/y")]), id="two paths"),
        pytest.param({"ephemeralStorage": {"sizeInGiB": 21}}, id="little more storage"),
        pytest.param({"ephemeralStorage": {"sizeInGiB": 200}}, id="most storage"),
    ],
)
async def test_a_definition_is_accepted_and_shown_as_it_was_given(aws: Aws, changes: dict[str, Any]) -> None:
    await aws.register(**changes)
    found = (await aws.call("DescribeTaskDefinition", taskDefinition="web"))["taskDefinition"]
    given = a_definition(**changes)
    assert found["volumes"] == given.get("volumes", [])
    assert given["containerDefinitions"][0].items() <= found["containerDefinitions"][0].items()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param([], "configured at launch: disk", id="none"),
        pytest.param(
            [{"name": "other", "managedEBSVolume": EBS}], "configured at launch: disk", id="another"
        ),
        pytest.param([{"name": "disk"}], "must have a managedEBSVolume", id="empty"),
        pytest.param(
            [{"name": "disk", "managedEBSVolume": {"roleArn": EBS["roleArn"]}}], "sizeInGiB or", id="no size"
        ),
        pytest.param(
            [{"name": "disk", "managedEBSVolume": EBS | {"volumeType": "gp9"}}], "EBS volume type", id="type"
        ),
        pytest.param(
            [{"name": "disk", "managedEBSVolume": EBS | {"filesystemType": "ntfs"}}], "ntfs", id="file system"
        ),
    ],
)
async def test_a_launch_with_other_volume_configurations_is_refused(
    aws: Aws, given: list[dict[str, Any]], error: str
) -> None:
    await aws.register(volumes=DISK)
    with pytest.raises(Refusal, match=f"InvalidParameterException: .*{error}"):
        await aws.call("RunTask", **a_launch(volumeConfigurations=given))


async def test_a_tasks_disk_is_an_attachment_beside_its_interface(aws: Aws) -> None:
    await aws.register(volumes=DISK)
    arn = await aws.run(volumeConfigurations=[{"name": "disk", "managedEBSVolume": EBS}])
    interface, disk = (await aws.task(arn))["attachments"]
    assert (interface["type"], disk["type"]) == ("ElasticNetworkInterface", "AmazonElasticBlockStorage")
    details = {each["name"]: each["value"] for each in disk["details"]}
    assert (details["volumeName"], details["deleteOnTermination"]) == ("disk", "true")
    assert details["volumeId"].startswith("vol-")


async def test_a_launch_configures_no_volume_that_is_not_open(aws: Aws) -> None:
    await aws.register(volumes=DATA)
    with pytest.raises(Refusal, match="there are none"):
        await aws.run(volumeConfigurations=[{"name": "data", "managedEBSVolume": EBS}])
