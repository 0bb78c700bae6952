"""From a visit and a command to a process beside a container's first one, with a terminal of its own."""

import fcntl
import json
import os
import sys
import termios
from typing import Final, NamedTuple, NoReturn

from app.local.fargate.running.enclosure import becoming, kernel
from app.local.fargate.running.enclosure.plan import NOT_STARTED
from app.local.fargate.running.enclosure.user import user_from

_NAMESPACES: Final = (("user", kernel.CLONE_NEWUSER), ("mnt", kernel.CLONE_NEWNS))
"""Those that a container may have for itself; the user's first, since it brings the right to the other."""


class Visit(NamedTuple):
    """Where to go and what to become there.

    Attributes:
        beside: the container's first process.
        report: a file descriptor to write to why there is no command.
        parent: the process to die with.
        capabilities: the numbers that root may have in the container (capabilities(7)); None where the
            container has given up none.
    """

    beside: int
    report: int
    parent: int
    capabilities: tuple[int, ...] | None = None

    def text(self) -> str:
        """As the program takes it."""
        return json.dumps(self._asdict())


def main() -> NoReturn:
    """Become the command `sys.argv[2:]` by the visit `sys.argv[1]`, or say why not and exit.

    It is root, or, where this program may only be itself, whoever the container is. Standard input is the
    terminal, which it takes for its own (tty_ioctl(4)): this process must lead its session.
    """
    visit, argv = Visit(**json.loads(sys.argv[1])), sys.argv[2:]
    os.set_inheritable(visit.report, False)  # noqa: FBT003  (it takes no keyword)
    given = becoming.environment()
    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        home = user_from("").home
        _enter(visit.beside)
        if visit.capabilities is not None:
            becoming.give_up_capabilities(visit.capabilities)
        becoming.follow(visit.parent)
    except OSError as cause:
        becoming.fail(str(cause), report=visit.report, code=NOT_STARTED)
    becoming.execute(argv, {b"HOME": os.fsencode(home)} | given, report=visit.report)


def _enter(beside: int) -> None:
    """Enter the process's namespaces, root and working directory, all opened before any is entered."""
    process = f"/proc/{beside}"
    root, directory = (os.open(f"{process}/{each}", os.O_PATH) for each in ("root", "cwd"))
    spaces = [
        (os.open(f"{process}/ns/{name}", os.O_RDONLY), kind)
        for name, kind in _NAMESPACES
        if os.readlink(f"{process}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115  (Path would resolve what is no path)
    ]
    for space, kind in spaces:
        kernel.enter_namespace(space, kind)
    if spaces:
        os.fchdir(root)
        os.chroot(".")
    os.fchdir(directory)
    for each in (root, directory, *(space for space, _ in spaces)):
        os.close(each)
