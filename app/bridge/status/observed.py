"""What is known of containers beyond what ECS describes: probes' verdicts and the helper's records."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.model.names import KEEPER_CONTAINER
from app.model.task import Task

_MOST_RUNS: Final = 2
"""Runs of a container that are kept: the last one, and the one before it for `lastState`."""


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
    """

    number: int
    started: datetime
    finished: datetime | None = None
    code: int | None = None
    message: str = ""
    again: datetime | None = None


class HookFailure(msgspec.Struct, frozen=True):
    """A preStop or postStart hook that did not work."""

    container: str
    hook: str
    error: str
    run: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the helper of one task has recorded so far (helper/README.md).

    Attributes:
        runs: the newest runs of each wrapped container, oldest first.
        failures: of hooks.
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


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    container: str
    run: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    code: int | None = None
    message: bytes = b""
    again: datetime | None = None
    hook: str = ""
    error: str = ""
    done: bool = False


NOTHING_TOLD: Final = Told()


def told(lines: Iterable[str], *, before: Told = NOTHING_TOLD) -> Told:
    """The helper's records, line by line, added to what was known.

    A line that is no record is skipped: the helper may also have printed an error. A record seen twice
    changes nothing.
    """
    runs = {name: {run.number: run for run in each} for name, each in before.runs.items()}
    failures = dict.fromkeys(before.failures)
    done = set(before.done)
    for line in lines:
        try:
            record = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError:
            continue
        if record.done:
            done.add(record.container)
        elif record.hook:
            failures[HookFailure(record.container, record.hook, record.error, record.run)] = None
        elif record.run and record.started is not None:
            numbered = runs.setdefault(record.container, {})
            known = numbered.get(record.run)
            if known is None or record.finished is not None:
                numbered[record.run] = _run(record, record.started)
    kept = {name: tuple(each[number] for number in sorted(each)[-_MOST_RUNS:]) for name, each in runs.items()}
    return msgspec.structs.replace(before, runs=kept, failures=tuple(failures), done=frozenset(done))


def _run(record: _Line, started: datetime) -> Run:
    return Run(
        number=record.run,
        started=started,
        finished=record.finished,
        code=record.code,
        message=record.message.decode(errors="replace"),
        again=record.again,
    )
