"""The journal: every call and every transition, in order, for whoever wants the truth afterwards."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from app.model.task import Identity
from app.ports.clock import Clock

LOST: Final = "lost"
"""The outcome of a request that never arrived."""

OVER: Final = frozenset({"STOPPED", "DELETED"})
"""The statuses of tasks that no longer run."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request was about.

    Attributes:
        pod, attempt: from the override variables of RunTask, where they are present.
        tasks: ARNs of the tasks that it launched or named.
    """

    detail: str = ""
    pod: Identity | None = None
    attempt: int = 0
    tasks: tuple[str, ...] = ()


class Call(Mark, frozen=True, kw_only=True, tag="call", tag_field="entry", omit_defaults=True):
    """One request, once its outcome is known.

    Attributes:
        at: wall-clock time; `steady`: seconds of a clock that never jumps.
        outcome: `ok`, `failures` (HTTP 200 with failures and no task), or the error's code.
        answered: False where the answer was withheld on request; the outcome took place all the same.
    """

    seq: int
    at: datetime
    steady: float
    operation: str
    outcome: str
    answered: bool = True


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One new version of a task. Version 1 is the launch; `status` STOPPED is the end.

    DELETED is the end of a task that vanished: ECS knows nothing of it from then on.
    """

    task: str
    version: int
    status: str
    desired: str
    pod: Identity | None = None
    attempt: int = 0
    started_by: str = ""
    definition: str = ""
    capacity: str = ""
    stop_code: str = ""
    reason: str = ""


class Transition(Change, frozen=True, kw_only=True, tag="transition", tag_field="entry", omit_defaults=True):
    """A change with its number and its time."""

    seq: int
    at: datetime
    steady: float


class ContainerState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one container of a task. It may change without a new version of the task.

    Attributes:
        status: PENDING, RUNNING or STOPPED; STOPPED without `started` is one that never ran.
        exit_code: None while it runs, and where ECS never learned it.
        reason: ECS's own words, as `OutOfMemoryError: …`.
        health: UNKNOWN, HEALTHY or UNHEALTHY.
        restarts: how often ECS itself restarted it, by its restart policy.
    """

    task: str
    container: str
    status: str
    started: bool = False
    exit_code: int | None = None
    reason: str = ""
    health: str = "UNKNOWN"
    restarts: int = 0
    essential: bool = True


class ContainerChange(
    ContainerState, frozen=True, kw_only=True, tag="container", tag_field="entry", omit_defaults=True
):
    """A container's new state with its number and its time."""

    seq: int
    at: datetime
    steady: float


class SessionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a session in a container (ECS Exec).

    Attributes:
        session: its id.
        status: OPENED, CONNECTED (each time), STARTED (its command) or ENDED.
        reason: why it ended; `violation: …` where the client broke the protocol.
    """

    session: str
    task: str
    container: str
    status: str
    reason: str = ""


class SessionChange(
    SessionState, frozen=True, kw_only=True, tag="session", tag_field="entry", omit_defaults=True
):
    """A session's new state with its number and its time."""

    seq: int
    at: datetime
    steady: float


Entry = Call | Transition | ContainerChange | SessionChange


class Journal:
    """Append-only. Entries are numbered from 0 by `seq`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._file: IO[bytes] | None = None

    def open(self, path: Path) -> None:
        """Write every later entry to a file too, one JSON object per line, each at once."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def call(self, operation: str, outcome: str, *, about: Mark, answered: bool = True) -> None:
        """Note a request and what came of it."""
        self._append(
            Call(
                **self._stamp(),
                **msgspec.structs.asdict(about),
                operation=operation,
                outcome=outcome,
                answered=answered,
            )
        )

    def transition(self, change: Change) -> None:
        """Note a task's new version."""
        self._append(Transition(**self._stamp(), **msgspec.structs.asdict(change)))

    def container(self, state: ContainerState) -> None:
        """Note what became of a container."""
        self._append(ContainerChange(**self._stamp(), **msgspec.structs.asdict(state)))

    def session(self, state: SessionState) -> None:
        """Note what became of a session."""
        self._append(SessionChange(**self._stamp(), **msgspec.structs.asdict(state)))

    def since(self, seq: int = 0) -> Sequence[Entry]:
        """The entries from number `seq` on."""
        return self._entries[max(seq, 0) :]

    def _stamp(self) -> dict[str, Any]:
        return {"seq": len(self._entries), "at": self._clock.now(), "steady": self._clock.steady()}

    def _append(self, entry: Entry) -> None:
        self._entries.append(entry)
        if self._file is not None:
            self._file.write(msgspec.json.encode(entry) + b"\n")
