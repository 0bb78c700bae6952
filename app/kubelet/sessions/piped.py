"""A command whose streams stay apart: framed inside the one terminal."""

import asyncio
from typing import Final, assert_never

from app.kubelet.lifetime import alongside
from app.kubelet.sessions.frames import BadFrame, Ended, Frame, Frames, Lacking, Over, Printed, Taken
from app.kubelet.sessions.limits import SessionConfig
from app.kubelet.sessions.opening import Broken
from app.kubelet.sessions.scripts import AWAKE, END, data_lines
from app.kubelet.streaming.remote import Remote
from app.ports.clock import Clock
from app.ports.failures import Unavailable
from app.ports.sessions import Session
from app.timing.waiting import within

AHEAD: Final = 12
"""Lines of stdin that may be on their way: less than terminals and the helper hold."""


class PipedCommand:
    """Carries a command's streams between kubectl and the session, until the command has ended."""

    def __init__(
        self, session: Session, remote: Remote, *, key: str, clock: Clock, config: SessionConfig
    ) -> None:
        self._session = session
        self._remote = remote
        self._clock = clock
        self._config = config
        self._frames = Frames(key)
        self._room = asyncio.Semaphore(AHEAD)
        self._typing = asyncio.Lock()
        self._code: int | None = None
        self._ended = asyncio.Event()
        self._is_over = False

    async def run(self, begun: bytes) -> int | None:
        """The exit code; None where the session ended before the command.

        Args:
            begun: what the session has shown of the command already.

        Raises:
            Broken: the session shows what it must not.
            PortFailure: as `Session.read` and `Session.write`.
        """
        return await alongside(self._show(begun), self._type(), self._finish(), self._stay_awake())

    async def _show(self, begun: bytes) -> int | None:
        await self._take(begun)
        while not self._is_over and (data := await self._next()):
            await self._take(data)
        return self._code

    async def _next(self) -> bytes:
        if self._code is None:
            return await self._session.read()
        try:
            return await within(self._clock, self._config.drain_seconds, self._session.read())
        except Unavailable:
            return b""

    async def _take(self, data: bytes) -> None:
        try:
            frames = self._frames.feed(data)
        except BadFrame as bad:
            raise Broken(f'the session shows what is not the command\'s: "{bad}"') from bad
        for frame in frames:
            await self._carry(frame)

    async def _carry(self, frame: Frame) -> None:
        match frame:
            case Printed(data=data, is_stderr=is_stderr):
                await (self._remote.stderr(data) if is_stderr else self._remote.stdout(data))
            case Taken():
                self._room.release()
            case Ended(code=code):
                self._code = code
                self._ended.set()
            case Over():
                self._is_over = True
            case Lacking(tool=tool):
                raise Broken(
                    f'the image has no "{tool}", which a command without a terminal needs on Fargate: '
                    "add it to the image, or use kubectl exec -it"
                )
            case _:
                assert_never(frame)

    async def _type(self) -> None:
        while data := await self._remote.stdin():
            for line in data_lines(data):
                await self._room.acquire()
                await self._write(line)
        await self._write(END)

    async def _finish(self) -> None:
        """The shell goes on reading for a command that has ended, until it is told: by the second end."""
        await self._ended.wait()
        await self._write(END + END)

    async def _stay_awake(self) -> None:
        while True:
            await self._clock.sleep(self._config.awake_seconds)
            await self._write(AWAKE)

    async def _write(self, line: bytes) -> None:
        async with self._typing:
            await self._session.write(line)
