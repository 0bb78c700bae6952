"""Terminals with a command behind them, beside the first process of a container (pty(7))."""

import asyncio
import errno
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import app
from app.lifeline.parent_death import dies_with_parent
from app.local.fargate.running.enclosure.visit import Visit
from app.local.fargate.running.guard import Guard
from app.local.fargate.running.sessions import kill_sessions
from app.local.fargate.running.workload import Key, Workload

SCREENFUL: Final = 1024
"""The most bytes that a watcher is shown at a time."""

_SOURCES: Final = str(Path(app.__file__).parent.parent)
_PROGRAM: Final = (
    f"import sys; sys.path.insert(0, {_SOURCES!r}); "
    "from app.local.fargate.running.enclosure.visit import main; main()"
)
_OF_TERMINALS: Final = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
"""What the agent sets for every command, the language only where there is none."""

_LONGEST_REASON: Final = 4096


class Watcher(Protocol):
    """Told by a terminal, in the event loop."""

    def shown(self, data: bytes) -> None:
        """The terminal shows this next; at most SCREENFUL bytes."""
        ...

    def ended(self, problem: str) -> None:
        """The command is over, and everything was shown; `problem` says why it never ran, if it did not."""
        ...


class Terminal(Protocol):
    """A terminal with a command behind it. Calls about one that is over do nothing."""

    def type(self, data: bytes, taken: Callable[[], None]) -> None:
        """Type; `taken` is called once all of it is, perhaps before this returns. One call at a time."""
        ...

    def resize(self, *, columns: int, rows: int) -> None:
        """Change its size; the kernel sends SIGWINCH."""
        ...

    def hold(self) -> None:
        """Show no more for now: a command that prints on has to wait."""
        ...

    def go_on(self) -> None:
        """Show again."""
        ...

    def kill(self) -> None:
        """SIGKILL to the command and all that it has started."""
        ...


class Terminals:
    """Opens terminals, and ends them with their containers; what they run dies with this program too."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._open: dict[asyncio.Task[None], tuple[Key, _PseudoTerminal]] = {}

    def start(
        self,
        workload: Workload,
        argv: tuple[str, ...],
        *,
        beside: int,
        environment: Mapping[str, str],
        watcher: Watcher,
    ) -> Terminal:
        """Execute a command where the process `beside` runs; the watcher hears of it after this returned.

        Raises:
            OSError: there is no terminal left.
        """
        terminal = _PseudoTerminal(watcher, guard=self._guard)
        visit = Visit(
            beside=beside,
            report=terminal.report,
            parent=os.getpid(),
            capabilities=workload.root.capabilities if workload.root is not None else None,
        )
        command = (sys.executable, "-I", "-S", "-c", _PROGRAM, visit.text(), *argv)
        task = asyncio.get_running_loop().create_task(
            terminal.run(command, {**_OF_TERMINALS, **environment, "TERM": _OF_TERMINALS["TERM"]})
        )
        self._open[task] = (workload.key, terminal)
        task.add_done_callback(self._open.pop)
        return terminal

    def end(self, key: Key) -> None:
        """Kill what runs in the terminals of a container that is over."""
        for whose, terminal in self._open.values():
            if whose == key:
                terminal.kill()

    async def close(self) -> None:
        """Kill everything and return when it is gone."""
        for _, terminal in self._open.values():
            terminal.kill()
        await asyncio.gather(*self._open, return_exceptions=True)


class _PseudoTerminal:
    """One terminal, from before its command starts until it has shown everything."""

    def __init__(self, watcher: Watcher, *, guard: Guard) -> None:
        self._watcher = watcher
        self._guard = guard
        self._ours, self._theirs = os.openpty()
        self._reader, self.report = os.pipe()
        os.set_blocking(self._ours, False)
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._untyped = b""
        self._taken: Callable[[], None] | None = None
        self._held = False
        self._killed = False
        self._dark = asyncio.Event()
        self._closed = False

    async def run(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Execute the command and show what it prints; returns when it and all that it started are gone."""
        problem = ""
        try:
            self._process = await self._start(command, environment)
            await self._accompany(self._process)
            problem = os.read(self._reader, _LONGEST_REASON).decode(errors="replace")
        except OSError as cause:
            problem = str(cause)
        finally:
            self._close()
        self._watcher.ended(problem)

    def type(self, data: bytes, taken: Callable[[], None]) -> None:
        if self._closed:
            taken()
            return
        self._untyped, self._taken = data, taken
        self._type_on()

    def resize(self, *, columns: int, rows: int) -> None:
        if not self._closed:
            fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hold(self) -> None:
        self._held = True
        self._look_away()

    def go_on(self) -> None:
        self._held = False
        self._look()

    def kill(self) -> None:
        self._killed = True
        self._darken()
        if self._process is not None and self._process.returncode is None:
            kill_sessions({self._process.pid})

    async def _start(
        self, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=self._theirs,
                stdout=self._theirs,
                stderr=self._theirs,
                env=environment,
                cwd="/",
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
                pass_fds=(self.report,),
            )
        finally:
            os.close(self._theirs)
            os.close(self.report)

    async def _accompany(self, process: asyncio.subprocess.Process) -> None:
        self._guard.watch(process.pid)
        try:
            if self._killed:
                kill_sessions({process.pid})
            self._look()
            await process.wait()
        finally:
            kill_sessions({process.pid})
            self._guard.forget(process.pid)
        await self._dark.wait()

    def _look(self) -> None:
        if self._process is not None and not (self._held or self._closed or self._dark.is_set()):
            self._loop.add_reader(self._ours, self._show)

    def _look_away(self) -> None:
        if not self._closed:
            self._loop.remove_reader(self._ours)

    def _show(self) -> None:
        try:
            data = os.read(self._ours, SCREENFUL)
        except BlockingIOError:
            return
        except OSError as cause:
            if cause.errno != errno.EIO:
                raise
            data = b""  # nobody has the terminal open any more
        if data:
            self._watcher.shown(data)
        else:
            self._darken()

    def _darken(self) -> None:
        """There is nothing more to show."""
        self._dark.set()
        self._look_away()

    def _type_on(self) -> None:
        try:
            while self._untyped:
                self._untyped = self._untyped[os.write(self._ours, self._untyped) :]
        except BlockingIOError:
            pass  # nobody reads: the kernel takes no more for now
        except OSError:
            self._untyped = b""  # nobody has the terminal open any more
        if self._untyped:
            self._loop.add_writer(self._ours, self._type_on)
            return
        self._loop.remove_writer(self._ours)
        taken, self._taken = self._taken, None
        if taken is not None:
            taken()

    def _close(self) -> None:
        self._loop.remove_reader(self._ours)
        self._loop.remove_writer(self._ours)
        self._closed = True
        os.close(self._ours)
        os.close(self._reader)
