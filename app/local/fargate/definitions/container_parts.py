"""The parts of a container definition about files, rights and secrets.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

import msgspec


class MountPoint(msgspec.Struct, frozen=True, rename="camel"):
    """A volume of the task, and where the container sees it."""

    source_volume: str = ""
    container_path: str = ""
    read_only: bool = False


class VolumeFrom(msgspec.Struct, frozen=True, rename="camel"):
    """Another container, all of whose volumes this one sees at the same paths."""

    source_container: str = ""
    read_only: bool = False


class Tmpfs(msgspec.Struct, frozen=True, rename="camel"):
    """Memory as a file system; `size` in MiB."""

    container_path: str
    size: int
    mount_options: tuple[str, ...] = ()


class Capabilities(msgspec.Struct, frozen=True):
    """Linux capabilities that the container has besides Docker's default ones, or lacks of them."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class LinuxParameters(msgspec.Struct, frozen=True, rename="camel"):
    """What Fargate offers of Linux; the init process is accepted, and every container does without."""

    capabilities: Capabilities = Capabilities()
    tmpfs: tuple[Tmpfs, ...] = ()
    init_process_enabled: bool = False


class Secret(msgspec.Struct, frozen=True, rename="camel"):
    """A variable whose value is read from where `value_from` says, once, before the task starts."""

    name: str
    value_from: str


class RepositoryCredentials(msgspec.Struct, frozen=True, rename="camel"):
    """The secret with `username` and `password` for the image's registry."""

    credentials_parameter: str
