"""Health checks of containers that are processes of this host: a command beside the container's own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from app.lifeline.parent_death import dies_with_parent
from app.local.fargate.running.workload import Key

_NOT_EXECUTED: Final = 126
_NAMESPACES: Final = {"user": "--user", "mnt": "--mount"}


class ProcessChecks:
    """Runs checks, each in a process group of its own that ends with it."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[None], Key] = {}

    def start(
        self,
        key: Key,
        argv: tuple[str, ...],
        *,
        beside: int,
        environment: Mapping[str, str],
        done: Callable[[int], None],
    ) -> Callable[[], None]:
        """Execute a command where the process `beside` runs; calling what is returned kills it.

        What cannot be executed is told as exit code 126.
        """
        task = asyncio.get_running_loop().create_task(_run(argv, beside, environment, done))
        self._running[task] = key
        task.add_done_callback(self._running.pop)
        return lambda: self._kill(task)

    def end(self, key: Key) -> None:
        """Kill every check of a container that is over."""
        for task in [task for task, whose in self._running.items() if whose == key]:
            self._kill(task)

    async def close(self) -> None:
        """Kill every check and return when they are gone."""
        tasks = list(self._running)
        for task in tasks:
            self._kill(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _kill(self, task: asyncio.Task[None]) -> None:
        if task is not asyncio.current_task():  # it told its code itself, and is about to end
            task.cancel()


async def _run(
    argv: tuple[str, ...], beside: int, environment: Mapping[str, str], done: Callable[[int], None]
) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *_entering(beside),
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd=f"/proc/{beside}/cwd",
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
    except OSError:
        done(_NOT_EXECUTED)
        return
    try:
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left of it
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    done(code)


def _entering(pid: int) -> tuple[str, ...]:
    """The command's prefix that puts it into the namespaces of a process that has its own (nsenter(1))."""
    own = [
        option
        for name, option in _NAMESPACES.items()
        if _namespace(pid, name) != _namespace(os.getpid(), name)
    ]
    if not own:
        return ()
    target = ("nsenter", f"--target={pid}", *own, "--root", "--wd")
    if "--user" in own:
        return (*target, "--preserve-credentials", "--")
    status = Path(f"/proc/{pid}").stat()
    return (*target, f"--setuid={status.st_uid}", f"--setgid={status.st_gid}", "--")


def _namespace(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")  # noqa: PTH115  (Path would resolve what is no path)
