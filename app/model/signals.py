"""Names of Linux signals, as images and pods write them.

https://github.com/opencontainers/image-spec/blob/main/config.md (StopSignal) and
https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

import re
from typing import Final

TERM: Final = 15
"""What ends a process where nobody says otherwise."""

MOST: Final = 64

_NAMES: Final = (
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
    "WINCH", "IO", "PWR", "SYS",
)  # fmt: skip
"""From 1 on, in the order of signal(7) for x86 and ARM."""

_NUMBERS: Final = {
    **{name: number for number, name in enumerate(_NAMES, start=1)},
    "IOT": 6,
    "CLD": 17,
    "POLL": 29,
    "RTMIN": 34,
    "RTMAX": MOST,
}
_FROM_THE_ENDS: Final = re.compile(r"(RTMIN\+|RTMAX-)([0-9]{1,2})", re.ASCII)

_CANNOT_ASK: Final = frozenset({_NUMBERS["KILL"], _NUMBERS["STOP"], _NUMBERS["CHLD"]})


def number_of(word: str) -> int | None:
    """The signal's number; None where there is no such signal.

    Args:
        word: `SIGQUIT`, `QUIT`, `3`, `SIGRTMIN+3` or `RTMAX-1`, in whatever case.
    """
    name = word.strip().upper().removeprefix("SIG")
    if name.isascii() and name.isdecimal():
        number = int(name[:3])
    elif match := _FROM_THE_ENDS.fullmatch(name):
        number = _NUMBERS[match[1][:5]] + int(match[1][5] + match[2])
        return number if _NUMBERS["RTMIN"] <= number <= MOST else None
    else:
        number = _NUMBERS.get(name, 0)
    return number if 1 <= number <= MOST else None


def asks_to_end(number: int) -> bool:
    """Whether a process can be asked to end by the signal: the kernel keeps some for itself."""
    return number not in _CANNOT_ASK
