"""Situations of one pod, for tests of decisions."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.bridge.decision.commands import SetStatus
from app.bridge.decision.facts import Facts, Gathered, Memory
from app.bridge.pod_views import key_of
from app.bridge.status import observed
from app.bridge.status.observed import NOTHING_TOLD, Limits, Told
from app.bridge.translation.material import Material
from app.model.pod import Pod
from app.model.task import Task
from tests.bridge.fake_kubernetes import bound
from tests.bridge.fakes import CONFIG
from tests.builders import NOON, a_pod

POD = a_pod("web-1", uid="u1")
MATERIAL = Material()
LONG_AGO = NOON - timedelta(hours=2)
LIMITS = Limits(
    containers=frozenset({"main"}), since=NOON - timedelta(hours=1), until=NOON + timedelta(hours=1)
)


def facts_of(pod: Pod = POD, *tasks: Task, **fields: Any) -> Facts:
    """The facts of a pod whose material is at hand, unless the test says otherwise.

    The pod was bound by a scheduler, unless its status tells of another word of the scheduler, or `scheduled`
    is false.
    """
    pod = bound(pod) if fields.pop("scheduled", True) else pod
    defaults: dict[str, Any] = {
        "key": key_of(pod),
        "pod": pod,
        "namespace": {"spillway.dev/overflow": "enabled"},
        "tasks": tasks,
        "missing": {},
        "looked_at": NOON,
        "memory": Memory(),
        "config": CONFIG,
        "now": NOON + timedelta(seconds=1),
        "witnessed": True,
    }
    facts = Facts(**{**defaults, **fields})
    return facts if facts.memory.gathered_at is not None else with_material(facts)


def with_material(facts: Facts, found: Gathered = MATERIAL) -> Facts:
    """The facts, with this as what was just gathered."""
    memory = msgspec.structs.replace(facts.memory, gathered=found, gathered_at=facts.now)
    return msgspec.structs.replace(facts, memory=memory)


def attempted(
    number: int = 1, *, at: datetime = NOON, arn: str = "", deleted: bool = False, **fields: Any
) -> Pod:
    annotations = {
        "spillway.dev/attempt": str(number),
        "spillway.dev/attempt-of": "u1",
        "spillway.dev/attempted-at": at.isoformat(),
        "spillway.dev/task-arn": arn,
    }
    metadata = {"deletionTimestamp": NOON.isoformat()} if deleted else {}
    metadata |= fields.pop("metadata", {})
    return a_pod("web-1", uid="u1", annotations=annotations, metadata=metadata, **fields)


def deleted(**fields: Any) -> Pod:
    return a_pod("web-1", uid="u1", metadata={"deletionTimestamp": NOON.isoformat()}, **fields)


def kinds(commands: tuple[object, ...]) -> list[type]:
    return [type(command) for command in commands]


def status_in(commands: tuple[object, ...]) -> dict[str, Any]:
    found = [command.status for command in commands if isinstance(command, SetStatus)]
    assert len(found) == 1
    return found[0]


NEVER_STARTED: dict[str, Any] = {
    "last_status": "STOPPED",
    "stop_code": "TaskFailedToStart",
    "stopped_reason": "CannotPullContainerError: x",
    "stopped_at": NOON,
}
CRASHED: dict[str, Any] = {"last_status": "STOPPED", "exit_code": 3, "started_at": NOON, "stopped_at": NOON}


def began(run: int) -> str:
    """The helper's record of a run that has begun."""
    return json.dumps({"container": "main", "run": run, "started": _at(run).isoformat()})


def over(run: int, *, code: int = 3, message: str = "", again: datetime | None = None) -> str:
    """The helper's record of a run that has ended; `message` in base64."""
    record: dict[str, Any] = {
        "container": "main",
        "run": run,
        "started": _at(run).isoformat(),
        "finished": (_at(run) + timedelta(seconds=30)).isoformat(),
        "code": code,
    }
    if message:
        record["message"] = message
    if again is not None:
        record["again"] = again.isoformat()
    return json.dumps(record)


def lines_of_runs(count: int) -> tuple[str, ...]:
    """The records of so many runs, of which the last still runs."""
    before = [line for run in range(1, count) for line in (began(run), over(run))]
    return (*before, began(count))


def _at(run: int) -> datetime:
    return NOON + timedelta(minutes=run - 1)


def told(lines: Iterable[str], *, before: Told = NOTHING_TOLD) -> Told:
    """What these records of the container `main` come to, within limits that hold for NOON."""
    return observed.told(lines, limits=LIMITS, before=before)
