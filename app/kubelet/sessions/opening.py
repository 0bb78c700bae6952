"""From the far side's first word to its command: what every session begins with."""

from collections.abc import Iterable
from typing import Final

from app.kubelet.sessions.marks import Marks
from app.ports.sessions import Session

_MOST_SHOWN: Final = 300


class NotReady(Exception):
    """The session ended before its command began; what it showed instead, for people."""


class Broken(Exception):
    """The session does not work as it must; the sentence names the mend where there is one."""


async def mark(session: Session, marks: Marks) -> tuple[int, bytes]:
    """The next mark's code, and what follows it already; what was shown before is dropped.

    Raises:
        NotReady: the session is over.
        PortFailure: as `Session.read`.
    """
    shown = b""
    while data := await session.read():
        text, code, rest = marks.cut(data)
        if code is not None:
            return code, rest
        shown = (shown + text)[-_MOST_SHOWN:]
    raise NotReady(" ".join((shown + marks.rest()).decode(errors="replace").split()))


def is_too_old(shown: str) -> bool:
    """Whether it is a helper that was built before it could run commands: it tells how it is used instead."""
    return "usage: spillway-helper" in shown and "exec" not in shown.partition("usage: ")[2]


async def type_all(session: Session, lines: Iterable[bytes]) -> None:
    """Type lines, each once the far side has taken the last."""
    for line in lines:
        await session.write(line)
