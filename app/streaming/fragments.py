"""Cuts a WebSocket's long frames into short ones before they are read, so that none is ever held whole. Pure.

A message may come in fragments of any length (RFC 6455, 5.4), and whoever stands between two peers may cut
them anew: a client that writes megabytes at once, as the Python client does, is then read as one that writes
little by little. A client's frames are masked by four bytes, over and over: each cut falls behind the fourth.
"""

from typing import Final

PIECE_BYTES: Final = 64 * 1024
"""The most of one frame that is passed on as one."""

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_OPCODE: Final = 0x0F
_LENGTH: Final = 0x7F
_MASK_BYTES: Final = 4
_LONGER: Final = {126: 2, 127: 8}
"""How many bytes the length takes that is not in the second byte itself."""


class Fragments:
    """Bytes of a WebSocket in, the same messages out, in frames of at most `piece` bytes.

    What breaks the protocol still does so behind it.
    """

    def __init__(self, *, piece: int = PIECE_BYTES) -> None:
        self._piece = piece - piece % _MASK_BYTES
        self._head = b""
        self._first = 0
        self._mask = b""
        self._left = 0
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """What can be passed on by now."""
        out = bytearray()
        while data:
            if self._left:
                taken = data[: self._left - len(self._held)]
                data = data[len(taken) :]
                self._held += taken
                self._cut(out)
            else:
                data = self._begin(data, out)
        return bytes(out)

    def _begin(self, data: bytes, out: bytearray) -> bytes:
        """Read a frame's head; what follows it."""
        had = len(self._head)
        head = self._head + data[:14]
        size = _head_bytes(head)
        if not size or len(head) < size:
            self._head = head
            return data[14:]
        self._head = b""
        data = data[size - had :]
        self._first, self._left = head[0], _payload_bytes(head)
        self._mask = head[size - _MASK_BYTES : size] if head[1] & _MASKED else b""
        if not self._left:
            out += head[:size]
        return data

    def _cut(self, out: bytearray) -> None:
        while self._held and (len(self._held) >= self._piece or len(self._held) == self._left):
            payload = bytes(self._held[: self._piece])
            del self._held[: self._piece]
            self._left -= len(payload)
            is_last = not self._left
            first = self._first if is_last else self._first & ~_FINAL
            out += _frame(first, self._mask, payload)
            # What follows of the frame goes on with the same message.
            self._first &= ~_OPCODE


def _head_bytes(head: bytes) -> int:
    """How long the head is; 0 where that is not known yet."""
    if len(head) < 2:  # noqa: PLR2004  (the shortest head)
        return 0
    return 2 + _LONGER.get(head[1] & _LENGTH, 0) + (_MASK_BYTES if head[1] & _MASKED else 0)


def _payload_bytes(head: bytes) -> int:
    length = head[1] & _LENGTH
    return int.from_bytes(head[2 : 2 + _LONGER[length]]) if length in _LONGER else length


def _frame(first: int, mask: bytes, payload: bytes) -> bytes:
    masked = _MASKED if mask else 0
    if len(payload) < 126:  # noqa: PLR2004  (the largest length that the second byte has room for)
        return bytes((first, masked | len(payload))) + mask + payload
    if len(payload) < 1 << 16:
        return bytes((first, masked | 126)) + len(payload).to_bytes(2) + mask + payload
    return bytes((first, masked | 127)) + len(payload).to_bytes(8) + mask + payload
