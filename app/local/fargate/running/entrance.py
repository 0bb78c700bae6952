"""The way into a container with a root of its own (`enclosure`), and what may bar it."""

import os
import select
import sys
from pathlib import Path
from typing import Final

import app
from app.local.fargate.running.enclosure.plan import Plan
from app.local.fargate.running.workload import Workload

CANNOT_START: Final = "CannotStartContainerError"

_SOURCES: Final = str(Path(app.__file__).parent.parent)
_PROGRAM: Final = (
    f"import sys; sys.path.insert(0, {_SOURCES!r}); "
    "from app.local.fargate.running.enclosure.program import main; main()"
)
_LONGEST_REASON: Final = 4096


class Entrance:
    """One start of a container: the command that leads into it, and a pipe for what goes wrong until then.

    A container without a root of its own is its own command, and there is no pipe.
    """

    def __init__(self, workload: Workload, *, scratch: str) -> None:
        self.argv = workload.argv
        self.passed: tuple[int, ...] = ()
        self._reader: int | None = None
        root = workload.root
        if root is None:
            return
        self._reader, writer = os.pipe()
        self.passed = (writer,)
        plan = Plan(
            scratch=scratch,
            report=writer,
            parent=os.getpid(),
            mounts=root.mounts,
            readonly=root.readonly,
            user=root.user,
            directory=workload.working_directory,
            capabilities=root.capabilities,
        )
        self.argv = (sys.executable, "-I", "-S", "-c", _PROGRAM, plan.text(), *workload.argv)

    def taken(self) -> None:
        """The process has the pipe now, or there is none."""
        for each in self.passed:
            os.close(each)
        self.passed = ()

    def is_open(self) -> bool:
        """Whether its command has begun, or there was nothing to do before it."""
        if self._reader is None:
            return True
        looking = select.poll()
        looking.register(self._reader, select.POLLIN)
        return any(event & select.POLLHUP for _, event in looking.poll(0))

    def problem(self) -> str:
        """Why the container could not be started, once its process is over; empty where it was."""
        if self._reader is None:
            return ""
        self.taken()
        reader, self._reader = self._reader, None
        try:
            return os.read(reader, _LONGEST_REASON).decode(errors="replace")
        finally:
            os.close(reader)
