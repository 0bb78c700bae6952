"""The sizes of a terminal, as clients send them: JSON objects, one behind the other. Pure."""

import json
from typing import Final

MOST_CHARACTERS: Final = 4096
"""Of what is not a whole object yet."""

_LARGEST: Final = 0xFFFF


class Sizes:
    """Reads `{"Width":80,"Height":24}` out of whatever pieces it comes in."""

    def __init__(self) -> None:
        self._text = ""
        self._decoder = json.JSONDecoder()

    def feed(self, data: bytes) -> list[tuple[int, int]]:
        """The (columns, rows) that are complete by now. What makes no sense is dropped."""
        self._text = (self._text + data.decode("latin-1")).lstrip()
        found: list[tuple[int, int]] = []
        while self._text:
            try:
                value, end = self._decoder.raw_decode(self._text)
            except (ValueError, RecursionError):
                break
            self._text = self._text[end:].lstrip()
            found += _size(value)
        if len(self._text) > MOST_CHARACTERS:
            self._text = ""
        return found


def _size(value: object) -> list[tuple[int, int]]:
    if not isinstance(value, dict):
        return []
    width, height = value.get("Width"), value.get("Height")
    if not (isinstance(width, int) and isinstance(height, int)):
        return []
    return [(width, height)] if 0 < width <= _LARGEST and 0 < height <= _LARGEST else []
