"""What RegisterTaskDefinition and RunTask refuse about volumes on Fargate. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_data_volumes.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.protocol.errors import AwsError, client_error, invalid
from app.local.fargate.protocol.wire import Json

_VOLUME_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FILE_SYSTEM: Final = re.compile(r"fs-[0-9a-f]{8,40}")
_ACCESS_POINT: Final = re.compile(r"fsap-[0-9a-f]{8,40}")
_EPHEMERAL_GIB: Final = range(21, 201)
_EBS_TYPES: Final = {"gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"}
_NOT_ON_FARGATE: Final = ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration")


def require_storage(params: Json, containers: Sequence[ContainerSpec]) -> None:
    """Raise AwsError for the first rule that a task definition's storage breaks."""
    volumes = params.get("volumes", ())
    names = [each.get("name", "") for each in volumes]
    for volume in volumes:
        _require_volume(volume)
    if len(set(names)) < len(names):
        raise client_error("Volume names must be unique within a task definition.")
    if sum(bool(each.get("configuredAtLaunch")) for each in volumes) > 1:
        raise client_error("Only one volume of a task definition can be configured at launch.")
    by_name = {each.name: each for each in containers}
    for container in containers:
        _require_mounts(container, volumes=names)
        _require_sources(container, by_name)
    require_ephemeral(params)


def require_ephemeral(params: Json) -> None:
    """Raise AwsError where `ephemeralStorage` has a size that Fargate does not offer."""
    size = params.get("ephemeralStorage", {}).get("sizeInGiB")
    if size is not None and size not in _EPHEMERAL_GIB:
        raise client_error("Invalid ephemeral storage size. Valid values are between 21 and 200 GiB.")


def _require_volume(volume: Json) -> None:
    name = volume.get("name", "")
    if not _VOLUME_NAME.fullmatch(name):
        raise client_error(f"Invalid volume name: {name}")
    unsupported = next((each for each in _NOT_ON_FARGATE if each in volume), None)
    if unsupported is not None:
        raise client_error(f"Fargate compatible task definitions do not support {unsupported}.")
    if "s3filesVolumeConfiguration" in volume:
        raise AwsError("UnsupportedFeatureException", "The embedded Fargate has no S3 Files volumes.")
    if volume.get("host", {}).get("sourcePath"):
        raise client_error("Fargate compatible task definitions do not support sourcePath.")
    if volume.get("configuredAtLaunch") and ({"host", "efsVolumeConfiguration"} & volume.keys()):
        raise client_error(f"Volume '{name}' is configured at launch and can have no other configuration.")
    if "efsVolumeConfiguration" in volume:
        _require_efs(volume["efsVolumeConfiguration"])


def _require_efs(efs: Json) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html."""
    access = efs.get("authorizationConfig", {})
    access_point, directory = access.get("accessPointId"), efs.get("rootDirectory", "/")
    encrypted = efs.get("transitEncryption") == "ENABLED"
    if not _FILE_SYSTEM.fullmatch(efs["fileSystemId"]):
        raise client_error(f"Invalid EFS file system id: {efs['fileSystemId']}")
    if access_point is not None and not _ACCESS_POINT.fullmatch(access_point):
        raise client_error(f"Invalid EFS access point id: {access_point}")
    if not directory.startswith("/") or ".." in directory.split("/"):
        raise client_error(f"Invalid EFS root directory: {directory}")
    if access_point is not None and directory != "/":
        raise client_error("With an EFS access point the root directory must be left out or be '/'.")
    if not encrypted and (access_point is not None or access.get("iam") == "ENABLED"):
        raise client_error(
            "EFS transit encryption must be enabled with an access point or IAM authorization."
        )
    if not encrypted and "transitEncryptionPort" in efs:
        raise client_error("An EFS transit encryption port needs transit encryption to be enabled.")


def _require_mounts(container: ContainerSpec, *, volumes: Sequence[str]) -> None:
    tmpfs = container.linux_parameters.tmpfs if container.linux_parameters is not None else ()
    paths = [
        *(each.container_path for each in container.mount_points),
        *(each.container_path for each in tmpfs),
    ]
    for path in paths:
        if not path.startswith("/") or ".." in path.split("/"):
            raise client_error(f"Invalid container path '{path}' in container '{container.name}'.")
    if len(set(paths)) < len(paths):
        raise client_error(f"Container '{container.name}' has several mounts at one path.")
    unknown = next((each for each in container.mount_points if each.source_volume not in volumes), None)
    if unknown is not None:
        raise client_error(f"Unknown volume '{unknown.source_volume}'.")
    if any(each.size < 1 for each in tmpfs):
        raise client_error("The size of a tmpfs must be at least 1 MiB.")


def _require_sources(container: ContainerSpec, known: Mapping[str, ContainerSpec]) -> None:
    """Nobody gets volumes from a container that does not exist, or in the end from itself."""
    seen: set[str] = set()
    ahead = [container.name]
    while ahead:
        name = ahead.pop()
        for source in known[name].volumes_from:
            if source.source_container not in known:
                raise client_error(f"Container '{name}' has volumes from a container that does not exist.")
            if source.source_container == container.name:
                raise client_error(f"Container '{container.name}' has volumes from itself.")
            if source.source_container not in seen:
                seen.add(source.source_container)
                ahead.append(source.source_container)


def require_configured(params: Json, volumes: Sequence[Json]) -> None:
    """Raise AwsError where RunTask does not configure exactly what the definition leaves to it.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskManagedEBSVolumeConfiguration.html
    """
    given = [each["name"] for each in params.get("volumeConfigurations", ())]
    open_ones = [each["name"] for each in volumes if each.get("configuredAtLaunch")]
    if sorted(given) != sorted(open_ones):
        raise invalid(
            "The volume configurations must be for the volumes of the task definition that are configured at "
            f"launch: {', '.join(open_ones) or 'there are none'}."
        )
    for each in params.get("volumeConfigurations", ()):
        _require_ebs(each.get("managedEBSVolume"))


def _require_ebs(volume: Json | None) -> None:
    if volume is None:
        raise invalid("A volume configuration must have a managedEBSVolume.")
    if "sizeInGiB" not in volume and "snapshotId" not in volume:
        raise invalid("A managed EBS volume needs sizeInGiB or snapshotId.")
    if volume.get("sizeInGiB", 1) < 1:
        raise invalid("The size of a managed EBS volume must be at least 1 GiB.")
    if volume.get("volumeType", "gp3") not in _EBS_TYPES:
        raise invalid(f"Invalid EBS volume type: {volume['volumeType']}")
    if volume.get("filesystemType") == "ntfs":
        raise invalid("A Linux task cannot have an EBS volume with filesystemType ntfs.")
