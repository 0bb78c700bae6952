"""What a session is for, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.faults.orders import Faults
from app.local.fargate.journal import Journal
from app.local.fargate.running.terminals import Terminal, Watcher
from app.local.fargate.running.workload import Workload
from app.ports.clock import Clock


class Host(Protocol):
    """Where containers run."""

    def terminal(self, workload: Workload, argv: tuple[str, ...], watcher: Watcher) -> Terminal | None:
        """Execute a command in a running container; None where none runs. Raises OSError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Means:
    """What every session needs."""

    clock: Clock
    agenda: Agenda
    pace: Pace
    ids: Callable[[], str]
    host: Host
    faults: Faults
    journal: Journal


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What one session is for: `task` is the task's ARN."""

    session: str
    task: str
    workload: Workload
    argv: tuple[str, ...]
