"""The size of a terminal, as clients send it: JSON objects, one behind the other. Pure."""

import json
from typing import Final

MOST_CHARACTERS: Final = 4096
"""Of what is not a whole object yet."""

_LARGEST: Final = 0xFFFF


class Sizes:
    """Reads `{"Width":80,"Height":24}` out of whatever pieces it comes in."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, data: bytes) -> tuple[int, int] | None:
        """The newest (columns, rows) that is complete in it, if any; what makes no sense is dropped.

        Only the last object is looked at: a client may send thousands at once, and one counts.
        """
        text = self._text + data.decode("latin-1")
        end = text.rfind("}") + 1
        self._text = text[end:] if len(text) - end <= MOST_CHARACTERS else ""
        begin = text.rfind("{", 0, end)
        if begin < 0 or end - begin > MOST_CHARACTERS:
            return None
        try:
            return _size(json.loads(text[begin:end]))
        except (ValueError, RecursionError):
            return None


def _size(value: object) -> tuple[int, int] | None:
    if not isinstance(value, dict):
        return None
    width, height = value.get("Width"), value.get("Height")
    if not (isinstance(width, int) and isinstance(height, int)):
        return None
    return (width, height) if 0 < width <= _LARGEST and 0 < height <= _LARGEST else None
