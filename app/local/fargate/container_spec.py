"""A container definition, as far as running it needs one.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from collections.abc import Mapping
from typing import Final

import msgspec

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
    depends_on: tuple[Dependency, ...] = ()
    log_configuration: LogConfiguration | None = None
    restart_policy: RestartPolicy | None = None
    stop_timeout: int = _DEFAULT_STOP_TIMEOUT

    @property
    def awslogs(self) -> Mapping[str, str] | None:
        """The options of the awslogs driver, where that is the driver."""
        log = self.log_configuration
        return log.options if log is not None and log.log_driver == "awslogs" else None
