"""What the far side of a session without a terminal says, line by line. Pure.

`:` stdout, `!` stderr, each followed by base64; a line of base64 alone goes on with the stream of the last.
`^`: a line of stdin was taken. `.CODE`: the command has ended. `$`: nothing more will be said. `?WORD`: what
the image lacks.
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
    """Makes frames of what the terminal shows."""

    def __init__(self) -> None:
        self._partial = b""
        self._is_stderr = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames of the lines that are whole by now. Raises BadFrame."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LONGEST_LINE:
            raise BadFrame("a line without an end")
        # A terminal that is not raw turns every newline into a carriage return and a newline.
        return [self._frame(text) for line in lines if (text := line.strip(b"\r"))]

    def _frame(self, line: bytes) -> Frame:
        match line[:1]:
            case b":" | b"!" as mark:
                self._is_stderr = mark == b"!"
                return self._printed(line[1:])
            case b"^":
                return Taken()
            case b"$":
                return Over()
            case b"?":
                return Lacking(line[1:].decode(errors="replace"))
            case b".":
                return Ended(_code(line[1:]))
            case _:
                return self._printed(line)

    def _printed(self, text: bytes) -> Printed:
        try:
            return Printed(binascii.a2b_base64(text, strict_mode=True), self._is_stderr)
        except binascii.Error as error:
            raise BadFrame(text[:200].decode(errors="replace")) from error


def _code(text: bytes) -> int:
    if not text.isdigit():
        raise BadFrame(text[:200].decode(errors="replace"))
    return int(text)
