"""What containers take of this host, read from /proc (proc(5)); nothing where there is none."""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

_SESSION: Final = 3
_TIMES: Final = slice(11, 15)
_RESIDENT: Final = 21
"""Where they stand in /proc/PID/stat after the name: the session, the process's and its dead children's CPU
time in user and system mode, and the resident pages."""

_NANOSECONDS: Final = 1_000_000_000


class Burden(NamedTuple):
    """Of all the processes of a container.

    Attributes:
        cpu: CPU time so far, in nanoseconds.
        memory: what is resident, in bytes; pages that processes share count for each.
        processes: how many there are.
    """

    cpu: int = 0
    memory: int = 0
    processes: int = 0


def burdens(leaders: Collection[int]) -> dict[int, Burden]:
    """The burden of each session of processes, by its leader; all are looked at in one pass."""
    found = dict.fromkeys(leaders, Burden())
    for session, cpu, memory in _processes() if leaders else ():
        if session in found:
            so_far = found[session]
            found[session] = Burden(so_far.cpu + cpu, so_far.memory + memory, so_far.processes + 1)
    return found


def host_cpu() -> int:
    """The CPU time of the whole host so far, its idleness included, in nanoseconds."""
    with contextlib.suppress(OSError):
        first, *_ = Path("/proc/stat").read_text().splitlines()
        return sum(map(int, first.split()[1:9])) * _tick()
    return 0


def _processes() -> Iterator[tuple[int, int, int]]:
    page = os.sysconf("SC_PAGE_SIZE")
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended between the look and the reading
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            ticks = sum(map(int, fields[_TIMES]))
            yield int(fields[_SESSION]), ticks * _tick(), int(fields[_RESIDENT]) * page


def _tick() -> int:
    return _NANOSECONDS // os.sysconf("SC_CLK_TCK")
