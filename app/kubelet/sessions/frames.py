"""What the far side of a session without a terminal says, line by line. Pure.

`:` stdout, `!` stderr, each followed by base64. `^`: a line of stdin was taken. `.CODE`: the command has
ended. `$`: nothing more will be said. `?WORD`: what the image lacks. Behind each mark stands the session's
key, which nobody in the container knows but the far side: what others write on the terminal says nothing.
"""

import binascii
from typing import Final

import msgspec

LONGEST_LINE: Final = 1 << 20


class Printed(msgspec.Struct, frozen=True):
    """The command wrote something."""

    data: bytes
    is_stderr: bool = False


class Taken(msgspec.Struct, frozen=True):
    """The far side took a line of stdin."""


class Ended(msgspec.Struct, frozen=True):
    """The command ended; what it wrote may still follow."""

    code: int


class Over(msgspec.Struct, frozen=True):
    """Nothing follows."""


class Lacking(msgspec.Struct, frozen=True):
    """The image has no such tool."""

    tool: str


Frame = Printed | Taken | Ended | Over | Lacking
"""Everything that is said."""


class BadFrame(ValueError):
    """A line that is none of ours: something else writes on the terminal."""


class Frames:
    """Makes frames of what the terminal shows.

    Args:
        key: stands behind every mark; empty for helpers from before they were told one.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key.encode()
        self._partial = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames of the lines that are whole by now. Raises BadFrame."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LONGEST_LINE:
            raise BadFrame("a line without an end")
        # A terminal that is not raw turns every newline into a carriage return and a newline.
        return [self._frame(text) for line in lines if (text := line.strip(b"\r"))]

    def _frame(self, line: bytes) -> Frame:
        mark, keyed = line[:1], line[1:]
        if not keyed.startswith(self._key):
            raise _bad(line)
        # The shell puts a space between its words, and between the lines of base64.
        said = keyed[len(self._key) :].replace(b" ", b"")
        match mark:
            case b":" | b"!":
                return Printed(_bytes(said), is_stderr=mark == b"!")
            case b"^":
                return Taken()
            case b"$":
                return Over()
            case b"?":
                return Lacking(said.decode(errors="replace"))
            case b"." if said.isdigit():
                return Ended(int(said))
            case _:
                raise _bad(line)


def _bytes(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise _bad(text) from error


def _bad(line: bytes) -> BadFrame:
    return BadFrame(line[:200].decode(errors="replace"))
