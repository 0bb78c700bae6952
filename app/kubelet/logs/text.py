"""Lines of a log as the bytes that go over the wire. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.kubelet.logs.options import LogOptions
from app.model.log import LogLine

PIECE: Final = 32 * 1024
"""Bytes after which a piece is sent: small enough that a slow reader holds little back."""


def formatted(line: LogLine, *, timestamps: bool) -> bytes:
    """`text` and a line end; with timestamps in the kubelet's form, RFC 3339 with nine digits of fraction."""
    time = f"{line.at:%Y-%m-%dT%H:%M:%S.%f}000Z " if timestamps else ""
    return f"{time}{line.text}\n".encode(errors="replace")


def pieces(lines: Iterable[LogLine], options: LogOptions) -> Iterator[bytes]:
    """The lines that are not too old, formatted, in pieces worth sending."""
    piece = bytearray()
    for line in lines:
        if options.since is None or line.at >= options.since:
            piece += formatted(line, timestamps=options.timestamps)
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
