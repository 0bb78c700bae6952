"""A container definition, as far as running it needs one.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.local.fargate.definitions.container_parts import (
    LinuxParameters,
    MountPoint,
    RepositoryCredentials,
    Secret,
    VolumeFrom,
)

_DEFAULT_STOP_TIMEOUT: Final = 30


class Dependency(msgspec.Struct, frozen=True, rename="camel"):
    """Another container, and what must have become of it before this one starts."""

    container_name: str
    condition: str


class LogConfiguration(msgspec.Struct, frozen=True, rename="camel"):
    """Where a container's output goes."""

    log_driver: str
    options: dict[str, str] = {}


class RestartPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """Whether ECS itself restarts a container.

    One that ran for less than `restart_attempt_period` seconds is not restarted.
    """

    enabled: bool
    ignored_exit_codes: tuple[int, ...] = ()
    restart_attempt_period: int = 300


class HealthCheck(msgspec.Struct, frozen=True, rename="camel"):
    """A command that says whether the container is healthy; times in seconds.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    """

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int = 0

    @property
    def argv(self) -> tuple[str, ...]:
        """What to execute: CMD as it stands, CMD-SHELL by the container's shell."""
        kind, *words = self.command
        return tuple(words) if kind == "CMD" else ("/bin/sh", "-c", " ".join(words))


class Variable(msgspec.Struct, frozen=True):
    """One environment variable."""

    name: str
    value: str = ""


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The part of a container definition that running it needs."""

    name: str
    image: str = ""
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    essential: bool = True
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[Variable, ...] = ()
    working_directory: str = ""
    user: str = ""
    mount_points: tuple[MountPoint, ...] = ()
    volumes_from: tuple[VolumeFrom, ...] = ()
    readonly_root_filesystem: bool = False
    linux_parameters: LinuxParameters | None = None
    secrets: tuple[Secret, ...] = ()
    repository_credentials: RepositoryCredentials | None = None
    depends_on: tuple[Dependency, ...] = ()
    log_configuration: LogConfiguration | None = None
    restart_policy: RestartPolicy | None = None
    health_check: HealthCheck | None = None
    start_timeout: int | None = None
    stop_timeout: int = _DEFAULT_STOP_TIMEOUT

    @property
    def awslogs(self) -> Mapping[str, str] | None:
        """The options of the awslogs driver, where that is the driver."""
        log = self.log_configuration
        return log.options if log is not None and log.log_driver == "awslogs" else None
