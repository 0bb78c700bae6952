"""A helper's `exec` in a terminal of its own, spoken to by the words on the wire."""

import base64
import os
import pty
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import Self

from tests.helper.fakes import PATIENCE_SECONDS, Stage

NONCE = "c0ffee"
KEY = "5ecre7"
READY = NONCE.encode() + b":2."
BEGUN = KEY.encode() + b":0."
SILENCE = 600


class Terminal:
    """`exec` with its terminal; use as a context manager."""

    def __init__(self, stage: Stage, kind: str, **variables: str) -> None:
        self.shown = b""
        self.file, slave = pty.openpty()
        self.process = subprocess.Popen(
            [shutil.which("setsid") or "", "--ctty", stage.binary, "exec", kind, NONCE],
            env=stage.environment(variables),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self.process.wait(timeout=PATIENCE_SECONDS)

    def hang_up(self) -> None:
        """Close the terminal, as the end of a session does."""
        if self.file >= 0:
            os.close(self.file)
        self.file = -1

    def type(self, *lines: bytes) -> None:
        """Type lines."""
        for line in lines:
            os.write(self.file, line + b"\n")

    def type_command(self, *words: str, silence: int = SILENCE) -> None:
        """Type a command, once the helper is ready for it."""
        self.until(READY)
        self.type(document(KEY, str(silence), *words), b".")

    def until(self, text: bytes) -> bytes:
        """All that is shown once it shows this."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.shown:
            assert time.monotonic() < deadline, f"never shown: {text!r} in {self.shown!r}"
            self.shown += os.read(self.file, 65536)
        return self.shown

    def rest(self) -> bytes:
        """All that is shown to the end."""
        while True:
            try:
                data = os.read(self.file, 65536)
            except OSError:
                return self.shown
            self.shown += data

    def lines(self) -> list[bytes]:
        """What is said after the ready mark, to the end, without the key."""
        return self.rest().split(READY, 1)[1].replace(KEY.encode(), b"").split()

    def ended(self) -> int:
        """The code of its end."""
        return self.process.wait(timeout=PATIENCE_SECONDS)


def document(*words: str) -> bytes:
    """A line that says these words."""
    return base64.b64encode(b"".join(word.encode() + b"\0" for word in words))


def said(lines: Sequence[bytes], kind: bytes) -> bytes:
    """What was written to one stream: `:` is stdout, `!` is stderr."""
    return b"".join(base64.b64decode(line[1:]) for line in lines if line[:1] == kind)
