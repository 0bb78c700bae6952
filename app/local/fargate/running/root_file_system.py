"""Which root file system a container's definition asks for. Pure."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from app.local.fargate.config import Image
from app.local.fargate.definitions.capabilities import numbers_of
from app.local.fargate.definitions.container_parts import LinuxParameters, MountPoint, Tmpfs
from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.running.enclosure.plan import Mount


class RootFileSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A root of its own, made of the host's, with mounts; `capabilities` are numbers."""

    mounts: tuple[Mount, ...] = ()
    readonly: bool = False
    user: str = ""
    capabilities: tuple[int, ...] = ()


def is_wanted(spec: ContainerSpec, image: Image) -> bool:
    """Whether a container cannot simply start in the host's file system."""
    linux = spec.linux_parameters or LinuxParameters()
    return bool(
        spec.mount_points
        or spec.volumes_from
        or spec.readonly_root_filesystem
        or spec.user
        or linux.tmpfs
        or linux.capabilities.drop
        or image.files
    )


def root_of(
    spec: ContainerSpec,
    image: Image,
    *,
    siblings: Mapping[str, ContainerSpec],
    directory_of: Callable[[str], Path],
    hosts: str,
) -> RootFileSystem:
    """The root for a container.

    Args:
        spec: the container.
        image: what is known of its image.
        siblings: the task's containers by name.
        directory_of: the directory of a volume, by the volume's name.
        hosts: the text of /etc/hosts.
    """
    linux = spec.linux_parameters or LinuxParameters()
    mounts = [
        Mount(target="/etc/hosts", text=hosts, readonly=spec.readonly_root_filesystem),
        *(Mount(target=path, source=str(file), readonly=True) for path, file in image.files.items()),
        *(_volume(each, directory_of(each.source_volume)) for each in mount_points(spec, siblings)),
        *map(_memory, linux.tmpfs),
    ]
    return RootFileSystem(
        mounts=tuple(mounts),
        readonly=spec.readonly_root_filesystem,
        user=spec.user,
        capabilities=numbers_of(linux.capabilities),
    )


def mount_points(spec: ContainerSpec, siblings: Mapping[str, ContainerSpec]) -> tuple[MountPoint, ...]:
    """The container's own and those of the containers that it has volumes from; at one path its own wins."""
    found = {each.container_path: each for each in spec.mount_points}
    for source in spec.volumes_from:
        for each in mount_points(siblings[source.source_container], siblings):
            readonly = each.read_only or source.read_only
            found.setdefault(each.container_path, msgspec.structs.replace(each, read_only=readonly))
    return tuple(found.values())


def _volume(point: MountPoint, directory: Path) -> Mount:
    return Mount(target=point.container_path, source=str(directory), readonly=point.read_only)


def _memory(tmpfs: Tmpfs) -> Mount:
    options = (*(each for each in tmpfs.mount_options if not each.startswith("size=")), f"size={tmpfs.size}m")
    return Mount(target=tmpfs.container_path, options=options)
