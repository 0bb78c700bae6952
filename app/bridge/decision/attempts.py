"""Beginning an attempt: the one patch that records it, and how long to wait before the next."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec

from app.bridge.config import BridgeConfig
from app.bridge.decision.commands import RecordAttempt
from app.bridge.decision.facts import Outcome
from app.model.names import (
    ATTEMPT,
    ATTEMPT_OF,
    ATTEMPTED_AT,
    ATTEMPTED_ON,
    DELETION_COST,
    LOG_GROUP,
    TASK_ARN,
)
from app.model.pod import Pod, Toleration, tolerates
from app.model.task import Task
from app.model.times import rfc3339
from app.model.wire import Json

Capacity = Literal["on-demand", "spot"]
"""What an attempt runs on."""

FIRST_BACKOFF: Final = timedelta(seconds=10)
MOST_BACKOFF: Final = timedelta(minutes=5)
GOOD_RUN: Final = timedelta(minutes=10)
"""kubelet's CrashLoopBackOff: doubling from 10 s to 5 min, forgotten after a run of ten minutes."""

DEFAULTED_SECONDS: Final = 300
"""What the admission plugin DefaultTolerationSeconds writes; any other value is the user's own."""

_NODE_TROUBLES: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def record(
    pod: Pod, *, number: int, capacity: Capacity, config: BridgeConfig, now: datetime
) -> RecordAttempt:
    """The patch that begins an attempt, with whatever else our annotations and tolerations need."""
    annotations = {
        ATTEMPT: str(number),
        ATTEMPT_OF: pod.uid,
        ATTEMPTED_AT: rfc3339(now),
        ATTEMPTED_ON: capacity,
        LOG_GROUP: config.task.log_group,
    }
    if pod.metadata.annotations.get(TASK_ARN):
        annotations[TASK_ARN] = ""
    if DELETION_COST not in pod.metadata.annotations:
        annotations[DELETION_COST] = str(config.deletion_cost)
    return RecordAttempt(
        number=number,
        annotations=annotations,
        tolerations=patient_tolerations(pod, seconds=config.toleration_seconds),
    )


def patient_tolerations(pod: Pod, *, seconds: int) -> tuple[Json, ...] | None:
    """The pod's tolerations such that a silent node does not cost it its life; None where they are already.

    Only `tolerationSeconds` of a bound pod's tolerations may change, and tolerations may be added.
    """
    raised = [_raised(each, seconds=seconds) for each in pod.spec.tolerations]
    absent = [
        Toleration(key=key, operator="Exists", effect="NoExecute", toleration_seconds=seconds)
        for key in _NODE_TROUBLES
        if not tolerates(pod, key=key, value="", effect="NoExecute")
    ]
    wanted = (*raised, *absent)
    return None if wanted == pod.spec.tolerations else tuple(_wire(each) for each in wanted)


def _raised(toleration: Toleration, *, seconds: int) -> Toleration:
    if toleration.key in _NODE_TROUBLES and toleration.toleration_seconds == DEFAULTED_SECONDS:
        return msgspec.structs.replace(toleration, toleration_seconds=seconds)
    return toleration


def _wire(toleration: Toleration) -> Json:
    """Without unset fields, so that the API server sees the same toleration as before."""
    fields = msgspec.to_builtins(toleration)
    return {key: value for key, value in fields.items() if value not in ("", None)}


def restart_due(tasks: Sequence[Task]) -> datetime:
    """When the newest task may be followed by another.

    The crashes in a row are counted from the tasks that ECS still shows, so a restart of the bridge forgets
    none of them.

    Args:
        tasks: the pod's stopped tasks, at least one.
    """
    newest = max(tasks, key=lambda task: task.attempt)
    return _over_at(newest) + backoff(failures_in_a_row(tasks))


def failures_in_a_row(tasks: Sequence[Task]) -> int:
    """How many of the newest tasks ended early."""
    ordered = sorted(tasks, key=lambda task: task.attempt, reverse=True)
    return next((row for row, task in enumerate(ordered) if _ran_well(task)), len(ordered))


def refusal_due(outcome: Outcome) -> datetime:
    """When ECS may be asked again after a definite no: soon for capacity, seldom for a mistake."""
    if outcome.kind == "refused":
        return outcome.at + MOST_BACKOFF
    return outcome.at + backoff(outcome.row)


def backoff(row: int) -> timedelta:
    """The wait after so many failures in a row; after none, the first."""
    doublings = min(max(row - 1, 0), 10)
    return min(FIRST_BACKOFF * (1 << doublings), MOST_BACKOFF)


def _ran_well(task: Task) -> bool:
    return task.started_at is not None and _over_at(task) - task.started_at >= GOOD_RUN


_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _over_at(task: Task) -> datetime:
    moment = task.stopped_at or task.stopping_at or task.started_at or task.created_at
    return moment if moment is not None else _EARLIEST
