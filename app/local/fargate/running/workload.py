"""What a runner gets to run, and what it tells about it."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from app.local.fargate.running.root_file_system import RootFileSystem


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """One container of one task: `environment` is all that it asked for, nothing of the host's.

    `root` is its root file system where the host's own will not do.
    """

    task: str
    container: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str = ""
    root: RootFileSystem | None = None

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

    def leader(self, key: Key) -> int | None:
        """The container's first process, once it is the container's command; None where there is none."""
        ...

    def check(
        self, workload: Workload, argv: tuple[str, ...], done: Callable[[int], None]
    ) -> Callable[[], None]:
        """Execute a command as in the running container, with its environment.

        `done` gets the exit code, never before this returns, and not at all where the container ends first.
        Calling what is returned ends the command, if it still runs; what it tells after that is void.
        """
        ...
