"""A process that outlives this program for a moment, to kill the sessions that it leaves behind."""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Final

import app
from app.local.fargate.running.sessions import kill_sessions

_SOURCES: Final = str(Path(app.__file__).parent.parent)
_PROGRAM: Final = (
    f"import sys; sys.path.insert(0, {_SOURCES!r}); from app.local.fargate.running.guard import main; main()"
)


class Guard:
    """Knows the sessions that run. The end of its input is the end of this program, however that came about.

    The kernel kills only first processes with their parent: what they started would live on.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def open(self) -> None:
        """Start it, in a session of its own that no signal from a terminal reaches."""
        self._process = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def watch(self, leader: int) -> None:
        """Kill this session at the end."""
        self._tell(f"+{leader}")

    def forget(self, leader: int) -> None:
        """This session is over."""
        self._tell(f"-{leader}")

    def close(self) -> None:
        """End it; it kills what is left of the sessions first."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.communicate()

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # somebody killed it; the rest goes on without
            print(line, file=self._process.stdin, flush=True)


def main() -> None:
    """Read `+SESSION` and `-SESSION` line by line to the end, and kill the sessions that are left."""
    left: set[int] = set()
    for line in sys.stdin:
        session = int(line[1:])
        if line.startswith("+"):
            left.add(session)
        else:
            left.discard(session)
    kill_sessions(left)
