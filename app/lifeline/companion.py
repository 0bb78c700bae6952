"""The parent's side: a child process that is part of this program, and that can be asked.

The two share a pair of sockets, the child's standard input. Where the parent ends, however that comes, the
child reads its end and stops; on Linux the kernel kills it outright (prctl(2)). Where the child ends, or no
longer answers, the program cannot go on, and `run` says so.
"""

import asyncio
import signal
import socket
from collections import deque
from collections.abc import Sequence
from typing import Final

from app.lifeline.frames import framed, next_frame
from app.lifeline.parent_death import dies_with_parent
from app.ports.clock import Clock
from app.ports.failures import Unavailable
from app.telemetry import logs
from app.timing.waiting import within

_log = logs.get(__name__)

GRACE: Final = 10.0
"""Seconds in which the child is to end by itself; then it is killed."""

LOOK: Final = 10.0
"""Seconds between two looks whether the child still answers, and for each answer."""

MOST_MISSED: Final = 6
"""So many looks in a row without an answer, and the child hangs. Where both were frozen, it is one."""

_WE_ARE_TOLD_TOO: Final = 0.5
"""Seconds in which a signal to both of us, which ended the child, has reached us."""

_COULD_NOT_START: Final = 2


class Parted(RuntimeError):
    """The other process is gone or hangs, and this one ends for it; `code` is what to end with."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Companion:
    """One child. `run` starts it, once, and stops it when cancelled.

    It stays in our process group: who stops, freezes or kills the group means both.

    Args:
        name: for people, as "the process that leads".
        command: the program and its arguments.
        greeting: the first message that it is sent.
        clock: time.
    """

    def __init__(self, name: str, command: Sequence[str], *, greeting: bytes, clock: Clock) -> None:
        self._name = name
        self._command = command
        self._greeting = greeting
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self._asked: deque[asyncio.Future[bytes]] = deque()

    async def run(self) -> None:
        """Keep it until cancelled; then wait until it has cleaned up and ended.

        Raises:
            Parted: it ended, or hangs.
            OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=theirs.fileno(), preexec_fn=dies_with_parent(signal.SIGKILL)
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            writer.write(framed(self._greeting))
            self._writer = writer
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(reader))
                tasks.create_task(self._watch())
                await self._ended(process)
        finally:
            self._writer = None
            writer.close()
            await self._stop(process)

    async def ask(self, question: bytes, *, seconds: float) -> bytes | None:
        """Its answer; None where none comes in time, or where it does not run."""
        if self._writer is None:
            return None
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._writer.write(framed(question))
        try:
            return await within(self._clock, seconds, _arrived(answer))
        except Unavailable:
            return None

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Answers come in the order of the questions; one that comes late finds nobody waiting."""
        while (answer := await next_frame(reader)) is not None:
            asked = self._asked.popleft()
            if not asked.done():
                asked.set_result(answer)

    async def _watch(self) -> None:
        missed = 0
        while missed < MOST_MISSED:
            await self._clock.sleep(LOOK)
            answer = await self.ask(b"", seconds=LOOK)
            missed = 0 if answer is not None else missed + 1
        raise Parted(
            f"{self._name} hangs: {MOST_MISSED} times in a row it did not answer; this one ends, too"
        )

    async def _ended(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        await self._clock.sleep(_WE_ARE_TOLD_TOO)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise Parted(
            f"{self._name} {how}, and this one ends with it; what it said last stands above",
            code=_COULD_NOT_START if code == _COULD_NOT_START else 1,
        )

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        """Its standard input has ended, so that it is stopping."""
        try:
            await within(self._clock, GRACE, process.wait())
        except Unavailable:
            _log.error("killed, since it did not end", process=self._name, pid=process.pid, seconds=GRACE)
        finally:
            if process.returncode is None:
                process.kill()
        await process.wait()


async def _arrived(answer: "asyncio.Future[bytes]") -> bytes:
    return await answer
