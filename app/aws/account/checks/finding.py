"""What a check says. Pure."""

import enum

import msgspec


class Level(enum.Enum):
    """How bad it is: pods overflow; some of what they can do is missing or unknown; pods do not overflow."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        level: how bad.
        subject: what was looked at.
        said: how it is.
        mend: what to do about it; empty where all is well.
    """

    level: Level
    subject: str
    said: str
    mend: str = ""


class Unknown(msgspec.Struct, frozen=True):
    """A fact that could not be gathered, and why."""

    reason: str


def fine(subject: str, said: str) -> Finding:
    """All is well."""
    return Finding(level=Level.OK, subject=subject, said=said)


def warn(subject: str, said: str, mend: str) -> Finding:
    """It works, and not as well as it could."""
    return Finding(level=Level.WARN, subject=subject, said=said, mend=mend)


def fail(subject: str, said: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(level=Level.FAIL, subject=subject, said=said, mend=mend)


def unexamined(subject: str, unknown: Unknown) -> Finding:
    """Nobody could look."""
    return warn(subject, f"not examined: {unknown.reason}", "run check with an identity that may look")
