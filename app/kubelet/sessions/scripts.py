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
    "stty echo 2>/dev/null; unset SPW SPW_L; trap : INT QUIT; printf %s KEY:0.; "
    '{ (exec 2>&4 4>&-; exec "$@"); } 4>&2 2>/dev/null; printf %s "KEY:$?."'
)
"""The shell outlives Ctrl-C, which its trap leaves as it is for the command, and marks the end."""

_IN_PIPES: Final = r"""
for SPW_T in base64 dd; do command -v $SPW_T >/dev/null || { echo "?KEY $SPW_T"; exit; }; done
unset SPW SPW_L SPW_T SPW_C SPW_E SPW_P
trap '' HUP
IFS='
'
tell() { read -r SPW_P <&5; echo "$1KEY" $2 >&4; SPW_C=$?; echo $SPW_P >&5; return $SPW_C; }
show() {
while SPW_C=$(trap - HUP; dd bs=32768 count=1 | base64); [ "$SPW_C" ]
do tell $1 "$SPW_C" || break; done
}
hear() {
read -r SPW_P <&5; echo $SPW_P >&5
while SPW_L=$(trap - HUP; exec dd bs=4096 count=1 <&3); do
case $SPW_L in
.) [ "$SPW_E" ] && return; SPW_E=1; exec >/dev/null;;
-) ;;
"") break;;
*) printf %s "$SPW_L" | { trap - HUP; exec base64 -d; } || exec >/dev/null; tell ^;;
esac
done
stop -HUP; sleep 2; stop -KILL
}
stop() { read -r SPW_P <&5; SPW_P=${SPW_P#-}; [ "$SPW_P" ] && kill $1 -$SPW_P; echo ${SPW_P:+-$SPW_P} >&5; }
SPW_J='set -m; trap "SPW_H=1; kill -HUP -\$!" HUP
(trap "" TTIN TTOU; trap - HUP; exec 2>&7 3<&- 4>&- 5<&- 7>&-; exec "$@") &
command set +m; echo $! >&5
while wait $!; SPW_C=$?; [ "$SPW_H" ]; do SPW_H=; done; exit $SPW_C'
call() {
(trap - HUP
command -v setsid >/dev/null || exec sh -c "$SPW_J" sh "$@"
read -r SPW_P </proc/self/stat; echo ${SPW_P%% *} >&5
exec 2>&7 3<&- 4>&- 5<&- 7>&-; exec setsid sh -c 'exec "$@"' sh "$@")
SPW_C=$?
read -r SPW_P <&5; case $SPW_P in -*) ;; *) echo .KEY $SPW_C >&4;; esac; echo >&5
}
exec 3<&0 4>&1 2>/dev/null
: | {
exec 5<>/proc/self/fd/0 0<&3
{ hear 7>&- | call "$@" | show : 7>&-; } 7>&1 | show !
tell '$'
}
"""
"""File 3 is the terminal to read, 4 the same to write, 7 the command's stderr on its way. 5 is a pipe with
one line in it, the command's process while it runs, a dash before it once it was hung up: whoever holds the
line may write, so that what is said at once does not mix.

The command has a session of its own, and so no terminal: what asks at /dev/tty must neither read our lines
nor write between them. Where the image has no `setsid`, it is a job in the background (`set -m`, which takes
the terminal for a moment, before `hear` reads), that cannot read; what it writes or sets there is noticed.

So the terminal's hang-up does not reach the command: `hear` hands it on, and therefore reads up to the second
end, also for a command that takes no more. The terminal may be gone at any time: `set +m`, which fails then,
must not end its shell (hence `command`) before the line is in the pipe, or all would wait for it for ever.
"""


def helper_start(nonce: str, *, tty: bool) -> str:
    """The command line that starts the helper."""
    return f"{HELPER_PATH} exec {'tty' if tty else 'pipe'} {nonce}"


def shell_start(nonce: str) -> str:
    """The command line of the shell that reads the rest from its terminal."""
    return _BOOTSTRAP.replace("NONCE", nonce)


def helper_document(command: Sequence[bytes], *, key: str, silence_seconds: float) -> Iterator[bytes]:
    """The lines to type that tell the helper its command: its words, each followed by a NUL, in base64.

    Two words go before it: the key, and the seconds of silence after which the session counts as forsaken. A
    helper that knows of no key (an empty one) is told the command alone.
    """
    first = (key.encode(), b"%d" % silence_seconds) if key else ()
    yield from data_lines(b"".join(word + b"\0" for word in (*first, *command)))
    yield END


def shell_document(command: Sequence[bytes], *, key: str, tty: bool) -> Iterator[bytes]:
    """The lines to type that tell the shell its program; only plain characters, the others by `printf %b`."""
    words = b" ".join(_quoted(word) for word in command)
    program = (_IN_TERMINAL if tty else _IN_PIPES).replace("KEY", key).encode()
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
