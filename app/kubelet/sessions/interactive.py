"""A command in the terminal itself: `kubectl exec -it`."""

from app.kubelet.lifetime import alongside
from app.kubelet.sessions.marks import Marks
from app.kubelet.streaming.remote import Remote
from app.ports.sessions import Session

END_OF_INPUT = b"\x04"
"""What a terminal takes for the end of its input (Ctrl-D)."""


class InteractiveCommand:
    """Passes a terminal through until the command's end is marked."""

    def __init__(self, session: Session, remote: Remote, *, marks: Marks, has_stdin: bool) -> None:
        self._session = session
        self._remote = remote
        self._marks = marks
        self._has_stdin = has_stdin

    async def run(self, begun: bytes) -> int | None:
        """The exit code; None where the session ended before the command.

        Args:
            begun: what the terminal has shown of the command already.

        Raises:
            PortFailure: as `Session.read` and `Session.write`.
        """
        return await alongside(self._show(begun), self._type(), self._resize())

    async def _show(self, begun: bytes) -> int | None:
        data = begun
        while True:
            text, code, _ = self._marks.cut(data)
            if text:
                await self._remote.stdout(text)
            if code is not None:
                return code
            data = await self._session.read()
            if not data:
                return None

    async def _type(self) -> None:
        if not self._has_stdin:
            return
        while data := await self._remote.stdin():
            await self._session.write(data)
        await self._session.write(END_OF_INPUT)

    async def _resize(self) -> None:
        while True:
            columns, rows = await self._remote.resized()
            await self._session.resize(columns=columns, rows=rows)
