"""Header blocks: names and values, compressed as one for as long as the session lasts (2.6.10)."""

import zlib
from collections.abc import Iterable
from typing import Final

from app.streaming.spdy.dictionary import DICTIONARY
from app.streaming.spdy.frames import SpdyError, SpdyLimits

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, and values; a name with several values comes once for each."""

_BETWEEN_VALUES: Final = "\0"

_WINDOW: Final = 11
_MEMORY: Final = 4
"""2 KiB to look back, which the dictionary fits into, and 16 KiB to work with instead of 256."""


class HeaderWriter:
    """Writes blocks. Every block has to be sent, and in this order: each refers to those before it."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(wbits=_WINDOW, memLevel=_MEMORY, zdict=DICTIONARY)

    def write(self, headers: Iterable[tuple[str, str]]) -> bytes:
        """The block for these headers."""
        values: dict[str, list[str]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(value)
        block = len(values).to_bytes(4) + b"".join(
            _counted(name) + _counted(_BETWEEN_VALUES.join(several)) for name, several in values.items()
        )
        return self._zlib.compress(block) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """Reads blocks. Every block has to be read, of refused streams too."""

    def __init__(self, limits: SpdyLimits) -> None:
        self._limits = limits
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, block: bytes) -> Headers:
        """The headers. Raises SpdyError where it is none, or too large once decompressed."""
        most = self._limits.header_bytes
        try:
            plain = self._zlib.decompress(block, most + 1)
        except zlib.error as error:
            raise SpdyError("a header block cannot be decompressed") from error
        if self._zlib.eof:
            raise SpdyError("the compression of headers was ended")
        if len(plain) > most:
            raise SpdyError(f"a header block is larger than {most} bytes")
        return _Fields(plain).headers(most=self._limits.headers)


class _Fields:
    """Reads a decompressed block from front to back."""

    def __init__(self, plain: bytes) -> None:
        self._plain = plain
        self._place = 0

    def headers(self, *, most: int) -> Headers:
        count = self._number()
        if count > most:
            raise SpdyError(f"{count} headers are more than {most}")
        values: dict[str, str] = {}
        for _ in range(count):
            name = self._text()
            if not name or name != name.lower() or name in values:
                raise SpdyError(f"header {name!r} is empty, not in lower case, or there twice")
            values[name] = self._text()
        if self._place != len(self._plain):
            raise SpdyError("a header block goes on behind its last header")
        return tuple((name, each) for name, value in values.items() for each in value.split(_BETWEEN_VALUES))

    def _number(self) -> int:
        return int.from_bytes(self._bytes(4))

    def _text(self) -> str:
        return self._bytes(self._number()).decode("latin-1")

    def _bytes(self, size: int) -> bytes:
        found = self._plain[self._place : self._place + size]
        if len(found) < size:
            raise SpdyError("a header block breaks off")
        self._place += size
        return found


def _counted(text: str) -> bytes:
    encoded = text.encode("latin-1")
    return len(encoded).to_bytes(4) + encoded
