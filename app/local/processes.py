"""Child processes with a log each: started in their own process group, and ended group by group."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.ports.clock import Clock

_LAST_LINES = 5
_POLL = 0.05


_UTIME, _STIME = 11, 12
"""Where user and system time stand in /proc/PID/stat after the name, in clock ticks (proc(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """What a process takes: its largest resident size in MiB, and its CPU time in seconds."""

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
    ) -> "Child":
        """Start the program in `directory`, logging to `directory/NAME.log`.

        A process group of its own keeps a terminal's Ctrl-C away from it: whoever started it stops it. Where
        that one is killed, the kernel ends the child too (Linux).

        Args:
            name: for people, and the log's name.
            command: the program and its arguments.
            directory: where it runs.
            environment: all of its environment; this process's own where left out.

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
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        return cls(name, process, log=log)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def burden(self) -> Burden:
        """What it has taken so far (Linux); nothing once it has ended."""
        folder = Path("/proc") / str(self._process.pid)
        try:
            status, stat = (folder / "status").read_text(), (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return Burden()
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        fields = stat.rpartition(")")[2].split()
        ticks = int(fields[_UTIME]) + int(fields[_STIME])
        return Burden(peak_mib=int(peak.split()[1]) / 1024, cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"))

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


_PR_SET_PDEATHSIG = 1


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends the child this signal when its parent dies (prctl(2)).

    None where the system has no such thing. The child's own children are not covered.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number)

    return ask
