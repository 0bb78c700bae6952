"""What is known of containers beyond what ECS describes: probes' verdicts and the helper's records."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from app.model.names import INSTALL_CONTAINER, KEEPER_CONTAINER
from app.model.task import Task

MOST_FAILURES: Final = 20
"""Failures of one task that are kept; a hook that fails forever is told of so often, and then no more."""

_MOST_RUNS: Final = 2
"""Runs of a container that are kept: the last one, and the one before it for `lastState`."""

_MOST_NUMBER: Final = 1_000_000
"""Of a run: kubelet's back-off makes years of so many, and a sum of them fits restartCount."""

_MOST_LINE: Final = 131_072
"""Characters of a record; a message of the greatest length makes two thirds of it."""

_MOST_MESSAGE: Final = 4096
"""Bytes of a termination message, kubelet's number.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/#customizing-the-termination-message
"""

_MOST_ERROR: Final = 256
"""Characters of what became of a hook."""

_SKEW: Final = timedelta(minutes=10)
"""How far a task's clock may be off; the longest back-off has room in it, too."""

_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Before any task, where ECS does not say when it was created."""

TERMINATION_MESSAGE: Final = "terminationMessage"
"""Stands where a hook's name does, for a message's file that could not be made."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What a container's probes say. Without probes: started, ready, and nothing against it.

    Attributes:
        started: the startup probe has succeeded, or there is none.
        ready: the readiness probe's last word, or there is none.
        failed: why the container is to be restarted, in kubelet's words; empty where it is not.
    """

    started: bool = True
    ready: bool = True
    failed: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a container inside its task. `number` counts from 1.

    Attributes:
        code: None while it runs; 128 + the signal's number for a signal.
        message: the termination message.
        again: when the helper runs it again; None where it does not.
        oom: the kernel killed for want of memory during the run, and SIGKILL ended it.
    """

    number: int
    started: datetime
    finished: datetime | None = None
    code: int | None = None
    message: str = ""
    again: datetime | None = None
    oom: bool = False


class HookFailure(msgspec.Struct, frozen=True):
    """A preStop or postStart hook that did not work, or a termination message's file that cannot be made."""

    container: str
    hook: str
    error: str
    run: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the helper of one task has recorded so far (helper/README.md).

    Attributes:
        runs: the newest runs of each wrapped container, oldest first.
        failures: of hooks and of termination messages' files, at most `MOST_FAILURES`.
        done: the wrapped containers that will not run again.
        messages: termination messages that were read from the log instead, by container.
    """

    runs: Mapping[str, tuple[Run, ...]] = {}
    failures: tuple[HookFailure, ...] = ()
    done: frozenset[str] = frozenset()
    messages: Mapping[str, str] = {}

    @property
    def complete(self) -> bool:
        """Whether every container that has run is done, and any has."""
        return bool(self.runs) and self.done >= set(self.runs)


def is_kept(task: Task) -> bool:
    """Whether the task has a container that prints what the helper records."""
    return any(each.name == KEEPER_CONTAINER for each in task.containers)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a record may be about. Any container of the task can write one, so nothing else is believed.

    Attributes:
        containers: the task's, without ours.
        since: no run began before.
        until: nothing is due after it.
    """

    containers: frozenset[str]
    since: datetime
    until: datetime


def limits_of(task: Task, *, now: datetime) -> Limits:
    """What the records of this task may be about at this moment."""
    ours = {INSTALL_CONTAINER, KEEPER_CONTAINER}
    return Limits(
        containers=frozenset(each.name for each in task.containers if each.name not in ours),
        since=(task.created_at or _LONG_AGO) - _SKEW,
        until=now + _SKEW,
    )


Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    container: str
    run: Annotated[int, msgspec.Meta(ge=0, le=_MOST_NUMBER)] = 0
    started: Moment | None = None
    finished: Moment | None = None
    code: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    message: bytes = b""
    again: Moment | None = None
    oom: bool = False
    no_message: str = msgspec.field(default="", name="noMessage")
    hook: Literal["", "preStop", "postStart"] = ""
    error: str = ""
    done: bool = False


NOTHING_TOLD: Final = Told()

_LINES: Final = msgspec.json.Decoder(_Line)


def told(lines: Iterable[str], *, limits: Limits, before: Told = NOTHING_TOLD) -> Told:
    """The helper's records, line by line, added to what was known.

    A line that is no record, or is none that the limits allow, is skipped: the helper may also have printed
    an error, and a container may have written anything. A record seen twice changes nothing.
    """
    runs = {name: {run.number: run for run in each} for name, each in before.runs.items()}
    failures = dict.fromkeys(before.failures)
    done = set(before.done)
    for line in lines:
        record = _record(line, limits)
        if record is None:
            continue
        failure = _failure(record)
        if failure is not None and len(failures) < MOST_FAILURES:
            failures[failure] = None
        if record.done:
            done.add(record.container)
        elif not record.hook:
            _add_run(runs.setdefault(record.container, {}), record)
    kept = {name: tuple(each[number] for number in sorted(each)) for name, each in runs.items() if each}
    return msgspec.structs.replace(before, runs=kept, failures=tuple(failures), done=frozenset(done))


def _record(line: str, limits: Limits) -> _Line | None:
    """The record in a line; None where it is none that may be believed."""
    if len(line) > _MOST_LINE:
        return None
    try:
        record = _LINES.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError):
        # Nested too deeply, a time that no calendar has, or simply something else.
        return None
    times = [each for each in (record.started, record.finished, record.again) if each is not None]
    in_time = all(limits.since <= each <= limits.until for each in times)
    return record if in_time and record.container in limits.containers else None


def _failure(record: _Line) -> HookFailure | None:
    if record.hook:
        return HookFailure(record.container, record.hook, record.error[:_MOST_ERROR], record.run)
    if record.no_message:
        error = f"its file cannot be made: {record.no_message[:_MOST_ERROR]}"
        # The first run's number, so that a crash loop tells of it once.
        return HookFailure(record.container, TERMINATION_MESSAGE, error, 1)
    return None


def _add_run(numbered: dict[int, Run], record: _Line) -> None:
    """Take in a run's start or end, and forget the oldest beyond those that are kept."""
    if not record.run or record.started is None:
        return
    known = numbered.get(record.run)
    if known is None or record.finished is not None:
        numbered[record.run] = _run(record, record.started)
    if len(numbered) > _MOST_RUNS:
        del numbered[min(numbered)]


def _run(record: _Line, started: datetime) -> Run:
    return Run(
        number=record.run,
        started=started,
        finished=record.finished,
        code=record.code,
        message=record.message[-_MOST_MESSAGE:].decode(errors="replace"),
        again=record.again,
        oom=record.oom,
    )
