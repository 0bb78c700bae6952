"""What the program is told: a plan, written by the runner and read in the new process."""

import json
from typing import Final, NamedTuple

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
NOT_STARTED: Final = 128
"""Exit codes of a container that never ran, as Docker gives them."""


class Impossible(Exception):
    """This container cannot be started on this host; the text says why."""


class Mount(NamedTuple):
    """Something at `target`, a path of the container.

    It is the host's file or directory `source`; or a file of its own with the content `text`; or, where both
    are None, a tmpfs with `options` as mount(8) has them.
    """

    target: str
    source: str | None = None
    text: str | None = None
    readonly: bool = False
    options: tuple[str, ...] = ()


class Plan(NamedTuple):
    """What to build and what to become.

    Attributes:
        scratch: an empty directory of the host to work upon.
        report: a file descriptor to write to why the container cannot be started.
        parent: the process to die with.
        readonly: whether the root is, mounts apart.
        user: `user` or `user:group`, by names or numbers; empty for root.
        directory: where to start, made where it is missing; empty for `/`.
        capabilities: the numbers that it may have (capabilities(7)).
    """

    scratch: str
    report: int
    parent: int
    mounts: tuple[Mount, ...] = ()
    readonly: bool = False
    user: str = ""
    directory: str = ""
    capabilities: tuple[int, ...] = ()

    def text(self) -> str:
        """As the program takes it."""
        return json.dumps(self._asdict() | {"mounts": [each._asdict() for each in self.mounts]})


def plan_from(text: str) -> Plan:
    """The plan that `Plan.text` wrote."""
    fields = json.loads(text)
    return Plan(**fields | {"mounts": tuple(Mount(**each) for each in fields["mounts"])})
