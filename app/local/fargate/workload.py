"""What a runner gets to run, and what it tells about it."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """One container of one task: `environment` is all that it asked for, nothing of the host's."""

    task: str
    container: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str = ""

    @property
    def key(self) -> "Key":
        """Who it is."""
        return (self.task, self.container)


Key = tuple[str, str]
"""Task id and container name."""


class Listener(Protocol):
    """Told by runners, in the event loop."""

    def printed(self, key: Key, line: str) -> None:
        """The container printed a line, given without its end."""
        ...

    def exited(self, key: Key, code: int, *, reason: str = "") -> None:
        """The container is over; it prints no more."""
        ...


class Runner(Protocol):
    """Runs containers. Calls about one that is over, or never was, do nothing."""

    def start(self, workload: Workload, listener: Listener) -> None:
        """Begin; the outcome comes through the listener, never before this returns."""
        ...

    def terminate(self, key: Key) -> None:
        """SIGTERM."""
        ...

    def kill(self, key: Key) -> None:
        """SIGKILL."""
        ...
