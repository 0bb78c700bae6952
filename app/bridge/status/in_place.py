"""Runs of a container inside one task, as the helper records them: its end, its name, its restarts."""

from collections.abc import Sequence
from typing import Final

from app.bridge.status.observed import Run
from app.model.times import rfc3339
from app.model.wire import Json

UNKNOWN_EXIT: Final = 137
"""What a container's exit code is told to be where nobody learned it."""


def numbered(identifier: str, runs: Sequence[Run]) -> str:
    """The identifier of the newest run: `…@N` from the second on."""
    return _name(identifier, runs[-1].number) if runs else identifier


def restarts_between(before: str, identifier: str) -> int:
    """How often the container was started between two identifiers, the latter included."""
    if before.partition("@")[0] == identifier.partition("@")[0]:
        return max(number_of(identifier) - number_of(before), 0)
    return number_of(identifier)


def is_behind(identifier: str, before: str) -> bool:
    """Whether it names an earlier run of the same container than the identifier that was written before."""
    same = before.partition("@")[0] == identifier.partition("@")[0]
    return same and number_of(identifier) < number_of(before)


def end_of(runs: Sequence[Run], identifier: str) -> dict[str, Json] | None:
    """The newest run's end as a `terminated` state; None while it runs, or where nothing is recorded."""
    return _terminated(runs[-1], identifier) if runs and runs[-1].code is not None else None


def last_state(runs: Sequence[Run], identifier: str) -> dict[str, Json] | None:
    """The end of the run before the newest; None where there is none."""
    return {"terminated": _terminated(runs[-2], identifier)} if len(runs) > 1 else None


def back_off(runs: Sequence[Run]) -> int:
    """Seconds from the newest run's end to the next run; 0 where none is due."""
    newest = runs[-1] if runs else None
    if newest is None or newest.again is None or newest.finished is None:
        return 0
    return max(round((newest.again - newest.finished).total_seconds()), 1)


def number_of(identifier: str) -> int:
    """Which run of its container an identifier names, counted from 1."""
    _, _, number = identifier.partition("@")
    return int(number) if number.isascii() and number.isdecimal() else 1


def _terminated(run: Run, identifier: str) -> dict[str, Json]:
    code = UNKNOWN_EXIT if run.code is None else run.code
    ended: dict[str, Json] = {
        "exitCode": code,
        "reason": _reason(run, code),
        "startedAt": rfc3339(run.started),
        "containerID": _name(identifier.partition("@")[0], run.number),
    }
    if run.finished is not None:
        ended["finishedAt"] = rfc3339(run.finished)
    return {**ended, "message": run.message} if run.message else ended


def _reason(run: Run, code: int) -> str:
    if run.oom:
        return "OOMKilled"
    return "Completed" if code == 0 else "Error"


def _name(identifier: str, number: int) -> str:
    return f"{identifier}@{number}" if number > 1 else identifier
