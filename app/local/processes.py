"""Child processes with a log each: started in their own process group, and ended group by group."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.lifeline.parent_death import dies_with_parent
from app.ports.clock import Clock

_LAST_LINES = 5
_POLL = 0.05


_UTIME, _STIME = 11, 12
"""Where user and system time stand in /proc/PID/stat after the name, in clock ticks (proc(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """What a program takes: the largest resident size in MiB, and the CPU time in seconds.

    Of several processes it is the sum; memory that two of them share counts twice.
    """

    peak_mib: float = 0.0
    cpu_seconds: float = 0.0


class Child:
    """One running program; its output goes to a log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, *, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        orphaned: signal.Signals = signal.SIGTERM,
    ) -> "Child":
        """Start the program in `directory`, logging to `directory/NAME.log`.

        A process group of its own keeps a terminal's Ctrl-C away from it: whoever started it stops it. Where
        that one is killed, the kernel signals the child too (Linux).

        Args:
            name: for people, and the log's name.
            command: the program and its arguments.
            directory: where it runs.
            environment: all of its environment; this process's own where left out.
            orphaned: the signal that it gets then.

        Raises:
            OSError: the program cannot be run.
        """
        log = directory / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=environment,
                preexec_fn=dies_with_parent(orphaned),
            )
        return cls(name, process, log=log)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def burden(self) -> Burden:
        """What it and the processes below it have taken so far (Linux); nothing once they have ended."""
        several = [_burden(each) for each in _family(self._process.pid)]
        return Burden(
            peak_mib=sum(each.peak_mib for each in several),
            cpu_seconds=sum(each.cpu_seconds for each in several),
        )

    def obituary(self) -> str:
        """Why it ended, as far as its log tells."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return f"{self.name} ended with exit code {self.exit_code}; the end of {self.log}:\n" + "\n".join(
            lines
        )

    async def stop(self, *, clock: Clock, grace: float = 5.0) -> None:
        """SIGTERM to the group, SIGKILL after `grace` seconds; returns when the program is gone."""
        self._signal(signal.SIGTERM)
        deadline = clock.steady() + grace
        while self._process.returncode is None and clock.steady() < deadline:
            await clock.sleep(_POLL)
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def pause(self) -> None:
        """SIGSTOP to the group, as a machine that hangs would; it goes on after `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to the group."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL to the group, as a crash would; returns when the program is gone."""
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # it ended between the look and the signal


def _family(pid: int) -> Iterator[int]:
    """The process and all below it (proc(5)); those of one that is gone are not found."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from _family(int(child))


def _burden(pid: int) -> Burden:
    folder = Path("/proc") / str(pid)
    try:
        status, stat = (folder / "status").read_text(), (folder / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return Burden()
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    fields = stat.rpartition(")")[2].split()
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    return Burden(peak_mib=int(peak.split()[1]) / 1024, cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"))
