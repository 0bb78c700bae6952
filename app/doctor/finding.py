"""One line of the examination: what was looked at, how it is, what was seen, and the mend."""

import enum

import msgspec

from app.doctor.seen import Unread


class Level(enum.StrEnum):
    """How it is."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found.

    Attributes:
        subject: what was looked at, in one word.
        level: FAIL where something does not work; WARN where somebody should look; SKIP where nobody could.
        seen: one sentence.
        mend: what to do, a command where there is one; empty where all is as it should be.
    """

    subject: str
    level: Level
    seen: str
    mend: str = ""


def ok(subject: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(subject=subject, level=Level.OK, seen=seen)


def warn(subject: str, seen: str, mend: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(subject=subject, level=Level.WARN, seen=seen, mend=mend)


def fail(subject: str, seen: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(subject=subject, level=Level.FAIL, seen=seen, mend=mend)


def skip(subject: str, seen: str, mend: str) -> Finding:
    """Nobody could tell."""
    return Finding(subject=subject, level=Level.SKIP, seen=seen, mend=mend)


def unread(subject: str, what: str, found: Unread) -> Finding:
    """Nobody could tell, since this cannot be read."""
    return skip(subject, f"{what} cannot be read: {found.why}", found.mend)
