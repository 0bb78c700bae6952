"""Output in lines, as the awslogs driver makes events of it. Pure."""

from collections.abc import Iterator
from typing import Final

LONGEST: Final = 16 * 1024
"""Bytes after which the driver splits a line, in its default non-blocking mode."""


class LineSplitter:
    """Cuts a stream of bytes at line ends, and lines that are too long into pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that `data` completes, without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from _pieces(line.removesuffix(b"\r"))
        while len(self._rest) > LONGEST:
            yield _text(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]

    def rest(self) -> Iterator[str]:
        """The last line, where it had no end."""
        if self._rest:
            yield _text(self._rest)
        self._rest = b""


def _pieces(line: bytes) -> Iterator[str]:
    for start in range(0, max(len(line), 1), LONGEST):
        yield _text(line[start : start + LONGEST])


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")
