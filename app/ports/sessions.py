"""Sessions inside a running container: one terminal, far away, that is merged out of stdout and stderr.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from typing import Protocol

from app.ports.containers import Running


class Session(Protocol):
    """An open terminal; closed by whoever opened it, whatever happened to it."""

    async def read(self) -> bytes:
        """What it shows next; empty once it is over. Raises Unavailable where the connection is lost."""
        ...

    async def write(self, data: bytes) -> None:
        """Type; returns when the far side has taken it, so that nobody types faster than it reads.

        Raises Unavailable where the connection is lost; what is typed into a session that is over is dropped.
        """
        ...

    async def resize(self, *, columns: int, rows: int) -> None:
        """Tell the terminal its size."""
        ...

    async def close(self) -> None:
        """End the session, and what runs in it. May be called twice; raises nothing."""
        ...


class Sessions(Protocol):
    """Opens sessions."""

    async def open(self, where: Running, command: str) -> Session:
        """Run a command line in a new terminal of the container.

        `command` is split into words as ECS does it, by spaces outside of quotes; there is no shell.

        Raises NotFound where the task is gone, Refused where ECS allows no session (the message names the
        mend), Throttled, Unavailable.
        """
        ...
