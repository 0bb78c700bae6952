"""Sessions of processes (setsid(2)), killed as a whole; read in the guard's process too, so by itself."""

import contextlib
import os
import signal
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

_MOST_ROUNDS: Final = 100


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int


def kill_sessions(leaders: Collection[int]) -> None:
    """SIGKILL to every process of the sessions, whatever its group, and to what descends from those.

    A process may fork while it is looked for: the search goes on until it finds nobody new. Where there is no
    /proc (proc(5)), the leaders' own groups alone are killed.
    """
    killed: set[int] = set()
    for _ in range(_MOST_ROUNDS):
        found = _members(leaders) - killed
        if not found:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
        killed |= found
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left of it
            os.killpg(leader, signal.SIGKILL)


def _members(leaders: Collection[int]) -> set[int]:
    processes = list(_processes()) if leaders else []
    members = {each.pid for each in processes if each.session in leaders}
    children: set[int] = members
    while children:
        children = {each.pid for each in processes if each.parent in children} - members
        members |= children
    return members


def _processes() -> Iterator[_Process]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended between the look and the reading
            _, parent, _, session, *_ = path.read_text(errors="replace").rpartition(")")[2].split()
            yield _Process(int(path.parent.name), int(parent), int(session))
