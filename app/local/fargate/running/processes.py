"""Containers as processes of this host, each in a session of its own that ends as a whole."""

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.lifeline.parent_death import dies_with_parent
from app.local.fargate.logs.lines import LineSplitter
from app.local.fargate.running.entrance import CANNOT_START, Entrance
from app.local.fargate.running.guard import Guard
from app.local.fargate.running.process_checks import ProcessChecks
from app.local.fargate.running.sessions import kill_sessions
from app.local.fargate.running.terminals import Terminal, Terminals, Watcher
from app.local.fargate.running.workload import Key, Listener, Workload
from app.telemetry import logs

_FROM_HOST: Final = ("PATH", "HOME", "LANG")
_LAST_WORDS: Final = 0.5
"""Seconds that a pipe may stay open after its process ended, in the hands of a process that got away."""

_CANNOT_START: Final = 127
_KILLED: Final = 128 + signal.SIGKILL


_log = logs.get(__name__)


def host_has(command: str) -> bool:
    """Whether this host can execute `command`, found as a shell would find it."""
    return shutil.which(command) is not None


class ProcessRunner:
    """Runs workloads as processes (`workload.Runner`).

    Whatever a container starts dies with it: its whole session is killed when its first process ends, and
    all of them when the runner closes or this program exits. Where this program is killed, the kernel kills
    each container's first process, and a guard the rest (Linux).
    """

    def __init__(self) -> None:
        self._running: dict[Key, _Container] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._checks = ProcessChecks()
        self._guard = Guard()
        self._terminals = Terminals(self._guard)
        self._told: set[str] = set()

    def open(self) -> None:
        """Make sure that nothing outlives this program, however it ends."""
        self._guard.open()
        atexit.register(self._kill_all)

    async def close(self) -> None:
        """Kill everything and return when it is gone."""
        containers = list(self._running.values())
        self._kill_all()
        await self._checks.close()
        await self._terminals.close()
        await asyncio.gather(*(each.gone.wait() for each in containers))
        self._guard.close()
        atexit.unregister(self._kill_all)

    def start(self, workload: Workload, listener: Listener) -> None:
        """Begin to start the process; one that cannot be started exits with 127 and says why in its log."""
        container = _Container(workload.key, listener, guard=self._guard, on_gone=self._forget)
        self._running[workload.key] = container
        task = asyncio.get_running_loop().create_task(self._spawn(workload, container))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def terminate(self, key: Key) -> None:
        """SIGTERM to the container's first process, as ECS does."""
        if key in self._running:
            self._running[key].signal(signal.SIGTERM)

    def kill(self, key: Key) -> None:
        """SIGKILL to all of the container's processes."""
        if key in self._running:
            self._running[key].kill_session()

    def check(
        self, workload: Workload, argv: tuple[str, ...], done: Callable[[int], None]
    ) -> Callable[[], None]:
        """Execute a health check beside the container's first process; while there is none yet, it fails."""
        container = self._running.get(workload.key)
        pid = container.pid if container is not None else None
        if pid is None:
            asyncio.get_running_loop().call_soon(done, _CANNOT_START)
            return _nothing_runs
        environment = _environment(workload)
        return self._checks.start(workload.key, argv, beside=pid, environment=environment, done=done)

    def leader(self, key: Key) -> int | None:
        """The container's first process, once it is the container's command; None where there is none."""
        container = self._running.get(key)
        entered = container is not None and container.entrance is not None and container.entrance.is_open()
        return container.pid if container is not None and entered else None

    def terminal(self, workload: Workload, argv: tuple[str, ...], watcher: Watcher) -> Terminal | None:
        """Execute a command as root in the running container, behind a terminal; None where none runs."""
        pid = self.leader(workload.key)
        if pid is None:
            return None
        environment = _environment(workload)
        return self._terminals.start(workload, argv, beside=pid, environment=environment, watcher=watcher)

    async def _spawn(self, workload: Workload, container: "_Container") -> None:
        loop = asyncio.get_running_loop()
        if container.is_doomed:
            container.fail("killed before it was started", code=_KILLED)
            return
        directory = container.directory(workload)
        container.entrance = entrance = Entrance(workload, scratch=directory)
        try:
            await loop.subprocess_exec(
                lambda: container,
                *entrance.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=_environment(workload),
                cwd=directory,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
                pass_fds=entrance.passed,
            )
        except OSError as cause:
            container.fail(f"cannot start {workload.argv[0]}: {cause}", code=_CANNOT_START)
        finally:
            entrance.taken()

    def _forget(self, container: "_Container") -> None:
        if self._running.get(container.key) is container:
            del self._running[container.key]
            self._checks.end(container.key)
            self._terminals.end(container.key)
        if container.problem and container.problem not in self._told:
            self._told.add(container.problem)
            _log.warning("a container could not be started; others will fail likewise", why=container.problem)

    def _kill_all(self) -> None:
        doomed = [each.doom() for each in self._running.values()]
        kill_sessions({pid for pid in doomed if pid is not None})


def _nothing_runs() -> None:
    """End a health check that has not begun."""


def _environment(workload: Workload) -> dict[str, str]:
    host = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    if workload.root is not None:
        host.pop("HOME", None)  # its user has one
    return {**host, **workload.environment}


class _Container(asyncio.SubprocessProtocol):
    """One process with its output, from before it starts until its pipe is empty."""

    def __init__(
        self, key: Key, listener: Listener, *, guard: Guard, on_gone: Callable[["_Container"], None]
    ) -> None:
        self.key = key
        self._guard = guard
        self.gone = asyncio.Event()
        self._listener = listener
        self._on_gone = on_gone
        self._lines = LineSplitter()
        self._transport: asyncio.SubprocessTransport | None = None
        self._pid: int | None = None
        self._wanted: signal.Signals | None = None
        self._scratch: str | None = None
        self.entrance: Entrance | None = None
        self.problem = ""
        self._drained = False
        self._patience: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The first process, while it runs."""
        return self._pid

    @property
    def is_doomed(self) -> bool:
        """Whether it was killed before there was a process."""
        return self._wanted is signal.SIGKILL

    def directory(self, workload: Workload) -> str:
        """The working directory: the wanted one where this host has it, else an empty one of its own.

        A container with a root of its own goes to its working directory by itself.
        """
        wanted = workload.working_directory
        if workload.root is None and wanted and Path(wanted).is_dir():
            return wanted
        self._scratch = tempfile.mkdtemp(prefix="fargate-")
        return self._scratch

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the first process, or as soon as there is one."""
        if self._transport is None:
            self._wanted = number
            return
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            self._transport.send_signal(number)

    def doom(self) -> int | None:
        """It is to be killed: the leader of its session, or None where there is none yet; then it will be."""
        self._wanted = signal.SIGKILL
        return self._pid

    def kill_session(self) -> None:
        """SIGKILL to the whole session, or as soon as there is one."""
        pid = self.doom()
        if pid is not None:
            kill_sessions({pid})

    def fail(self, line: str, *, code: int) -> None:
        """There is no process, and there will be none."""
        self._listener.printed(self.key, line)
        self._finish(code)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101  (asyncio's own contract)
        self._transport = transport
        self._pid = transport.get_pid()
        self._guard.watch(self._pid)
        if self.is_doomed:
            self.kill_session()
        elif self._wanted is not None:
            self.signal(self._wanted)

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002  (stderr goes to stdout)
        for line in self._lines.feed(data):
            self._listener.printed(self.key, line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002  (there is one)
        self._drained = True
        self._close_transport()

    def process_exited(self) -> None:
        self.kill_session()
        if self._pid is not None:
            self._guard.forget(self._pid)
        self._pid = None
        self._close_transport()
        if not self._drained:
            self._patience = asyncio.get_running_loop().call_later(_LAST_WORDS, self._give_up)

    def _give_up(self) -> None:
        self._drained = True
        self._close_transport()

    def _close_transport(self) -> None:
        if self._transport is not None and self._pid is None and self._drained:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (the exit code says it all)
        for line in self._lines.rest():
            self._listener.printed(self.key, line)
        code = self._transport.get_returncode() if self._transport is not None else None
        self._finish(_container_code(code))

    def _finish(self, code: int) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self.problem = self.entrance.problem() if self.entrance is not None else ""
        if self.problem:
            self._listener.printed(self.key, f"cannot start: {self.problem}")
        self._on_gone(self)
        self.gone.set()
        reason = f"{CANNOT_START}: {self.problem}" if self.problem else ""
        self._listener.exited(self.key, code, reason=reason)


def _container_code(code: int | None) -> int:
    """The exit code as a container runtime gives it: 128 + signal for a process that a signal ended."""
    if code is None:
        return _KILLED
    return 128 - code if code < 0 else code
