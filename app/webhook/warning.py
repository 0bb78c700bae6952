"""Reasons as admission warnings: short lines that survive the HTTP headers they travel in.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
"""

from collections.abc import Iterable
from typing import Final

from app.model.reason import Reason

MOST_EACH: Final = 256
MOST_IN_ALL: Final = 4096
"""Characters; beyond them the API server cuts or drops warnings of its own accord."""

REFUSED: Final = "not for Fargate: "
DIFFERENT: Final = "on Fargate: "
MISSPELT: Final = "not read: "
"""What a warning begins with: the pod does not overflow, runs differently where it does, or says what nobody
reads."""

_RESERVE: Final = 64
_LEAST_PATH: Final = 12
"""Characters of a path that still say something."""

_CUT: Final = "..."
"""In ASCII: terminals and clients may show any other character as a question mark."""


def warnings_of(reasons: Iterable[Reason], *, prefix: str = REFUSED) -> tuple[str, ...]:
    """One line for each reason, and a last one that counts those which no longer fit."""
    lines = [_line(reason, prefix=prefix) for reason in reasons]
    kept: list[str] = []
    left = MOST_IN_ALL - _RESERVE
    for line in lines:
        left -= len(line)
        if left < 0:
            return (*kept, f"{prefix}{len(lines) - len(kept)} more reasons; mend these first")
        kept.append(line)
    return tuple(kept)


def _line(reason: Reason, *, prefix: str) -> str:
    """Printable (the API server drops a header with a control character in it) and of bounded length.

    The mend stands at the end, so a long path gives way first, from its beginning, and then the middle of
    the message.
    """
    field, message = _printable(reason.field), _printable(reason.message)
    room = MOST_EACH - len(prefix) - len(message) - len(": ")
    if len(field) > room >= _LEAST_PATH:
        field = f"{_CUT}{field[len(_CUT) - room :]}"
    text = f"{field}: {message}" if field else message
    return f"{prefix}{_without_middle(text, most=MOST_EACH - len(prefix))}"


def _without_middle(text: str, *, most: int) -> str:
    if len(text) <= most:
        return text
    kept = most - len(_CUT)
    return f"{text[: kept // 2].rstrip()}{_CUT}{text[-(kept - kept // 2) :].lstrip()}"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
