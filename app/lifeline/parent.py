"""The child's side: what its parent sends it, and the end of the parent, as the end of standard input."""

import asyncio
import socket
from collections.abc import Callable
from typing import Self

from app.lifeline.frames import framed, next_frame


class Parent:
    """The process that started this one (`app.lifeline.companion`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def at(cls, file: int = 0) -> Self:
        """The parent behind that file descriptor; 0 is standard input.

        Raises:
            OSError: it is no socket: nobody started this process as a companion.
        """
        return cls(*await asyncio.open_unix_connection(sock=socket.socket(fileno=file)))

    async def greeting(self) -> bytes | None:
        """The first message; None where the parent is gone already. To be read once, before `answer`."""
        return await next_frame(self._reader)

    async def answer(self, reply: Callable[[bytes], bytes]) -> None:
        """Answer each question; returns when the parent is gone.

        Args:
            reply: gives the answer; an empty question only asks whether we are well, and gets no more.
        """
        while (question := await next_frame(self._reader)) is not None:
            self._writer.write(framed(reply(question) if question else b""))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
