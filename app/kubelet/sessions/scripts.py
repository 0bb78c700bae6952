"""What is run in a container for an exec, and what is typed into it: for the helper, or for `sh`. Pure.

docs/decisions/0026-exec-in-one-terminal.md is the contract, helper/README.md the helper's part of it.
"""

import binascii
from collections.abc import Iterator, Sequence
from typing import Final

from app.model.names import HELPER_PATH

END: Final = b".\n"
"""Ends a document: the command, or its stdin."""

AWAKE: Final = b"-\n"
"""Says nothing; the session is in use."""

_PIECE: Final = 3000
"""Bytes of one line of stdin: 4,000 characters of base64, within the 4,095 of a terminal that is not raw."""

_PROGRAM_LINE: Final = 3600
_PLAIN: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,:;/_=+-$\"'(){}|<>&@*[]#"
)
_TYPED: Final = tuple(bytes([byte]) if byte in _PLAIN else b"\\0%03o" % byte for byte in range(256))
"""Each byte as `printf %b` reads it."""

# No quotes and no backslashes but the outer ones: ECS cuts it into words by rules of its own.
_BOOTSTRAP: Final = (
    "sh -c 'set -f; IFS=; stty -echo 2>/dev/null; echo NONCE:$?.; SPW=; "
    "while read -r SPW_L; do case $SPW_L in .) break;; esac; SPW=$SPW$SPW_L; done; eval $(printf %b $SPW)'"
)

_IN_TERMINAL: Final = (
    "stty echo 2>/dev/null; unset SPW SPW_L; trap : INT QUIT; printf %s NONCE:0.; "
    '{ (exec 2>&4 4>&-; exec "$@"); } 4>&2 2>/dev/null; printf %s "NONCE:$?."'
)
"""The shell outlives Ctrl-C, which its trap leaves as it is for the command, and marks the end."""

_IN_PIPES: Final = r"""
for SPW_T in base64 dd; do command -v $SPW_T >/dev/null || { echo "?$SPW_T"; exit; }; done
unset SPW SPW_L SPW_T
tell() { read SPW_K <&5; printf "$@" >&4; echo >&5; }
show() {
while SPW_C=$(dd bs=32768 count=1 2>/dev/null | base64); [ "$SPW_C" ]; do tell "$1%s\n" "$SPW_C"; done
}
hear() {
while SPW_L=$(dd bs=4096 count=1 2>/dev/null <&3); do
case $SPW_L in .|"") break;; -) ;; *) printf %s "$SPW_L" | base64 -d || break; tell '^\n';; esac
done 2>/dev/null
}
call() { (exec 2>&7 3<&- 4>&- 5<&- 7>&-; exec "$@"); tell '.%s\n' $?; }
exec 3<&0 4>&1
: | {
exec 5<>/proc/self/fd/0 0<&3
echo >&5
{ hear 7>&- | call "$@" 2>/dev/null | show : 7>&-; } 7>&1 | show !
tell '$\n'
}
"""
"""File 3 is the terminal to read, 4 the same to write. 5 is a pipe with a line in it: whoever holds the line
may write, so that what is said at once does not mix. 7 is the command's stderr on its way."""


def helper_start(nonce: str, *, tty: bool) -> str:
    """The command line that starts the helper."""
    return f"{HELPER_PATH} exec {'tty' if tty else 'pipe'} {nonce}"


def shell_start(nonce: str) -> str:
    """The command line of the shell that reads the rest from its terminal."""
    return _BOOTSTRAP.replace("NONCE", nonce)


def helper_document(command: Sequence[bytes]) -> Iterator[bytes]:
    """The lines to type that tell the helper its command: its words, each followed by a NUL, in base64."""
    yield from data_lines(b"".join(word + b"\0" for word in command))
    yield END


def shell_document(command: Sequence[bytes], *, nonce: str, tty: bool) -> Iterator[bytes]:
    """The lines to type that tell the shell its program; only plain characters, the others by `printf %b`."""
    words = b" ".join(_quoted(word) for word in command)
    program = (_IN_TERMINAL if tty else _IN_PIPES).replace("NONCE", nonce).encode()
    typed = b"".join(_TYPED[byte] for byte in b"set -- " + words + b"\n" + program)
    for at in range(0, len(typed), _PROGRAM_LINE):
        yield typed[at : at + _PROGRAM_LINE] + b"\n"
    yield END


def data_lines(data: bytes) -> Iterator[bytes]:
    """Lines to type for some bytes of stdin."""
    for at in range(0, len(data), _PIECE):
        yield binascii.b2a_base64(data[at : at + _PIECE])


def _quoted(word: bytes) -> bytes:
    return b"'" + word.replace(b"'", b"'\\''") + b"'"
