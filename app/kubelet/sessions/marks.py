"""Marks in what a terminal shows: `NONCE:CODE.`, where nobody but us knows the nonce. Pure."""

import re
from typing import Final

LONGEST_CODE: Final = 3


class Marks:
    """Cuts what a terminal shows at its marks, however its bytes were cut on the way."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce.encode()
        self._mark = re.compile(re.escape(self._nonce) + rb":(\d{1,%d})\." % LONGEST_CODE)
        self._held = b""

    def cut(self, data: bytes) -> tuple[bytes, int | None, bytes]:
        """Text, the code of the mark behind it, and what follows that, to be cut again.

        Without a mark (None) nothing follows; what may be the beginning of one is held back.
        """
        data = self._held + data
        mark = self._mark.search(data)
        if mark:
            self._held = b""
            return data[: mark.start()], int(mark[1]), data[mark.end() :]
        keep = self._begun(data)
        self._held = data[keep:]
        return data[:keep], None, b""

    def rest(self) -> bytes:
        """What was held back, and given up now."""
        held, self._held = self._held, b""
        return held

    def _begun(self, data: bytes) -> int:
        """Where a mark may have begun; the end of the data where none has."""
        longest = len(self._nonce) + 1 + LONGEST_CODE
        for start in range(max(0, len(data) - longest), len(data)):
            tail = data[start:]
            if self._nonce.startswith(tail[: len(self._nonce)]) and re.fullmatch(
                rb"(:\d{0,%d})?" % LONGEST_CODE, tail[len(self._nonce) :]
            ):
                return start
        return len(data)
