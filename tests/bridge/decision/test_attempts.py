from datetime import timedelta
from typing import Any

import pytest

from app.bridge.decision.attempts import backoff, failures_in_a_row, patient_tolerations, record, restart_due
from app.model.task import Task
from tests.bridge.fakes import CONFIG
from tests.builders import NOON, a_pod, a_task

NOT_READY = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
OTHER = {"key": "a", "operator": "Exists", "tolerationSeconds": 300}


def lasting(seconds: int, toleration: dict[str, str]) -> dict[str, Any]:
    return {**toleration, "tolerationSeconds": seconds}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            [lasting(300, NOT_READY), lasting(300, UNREACHABLE)],
            (lasting(900, NOT_READY), lasting(900, UNREACHABLE)),
            id="the-defaulted-ones-are-raised",
        ),
        pytest.param([], (lasting(900, NOT_READY), lasting(900, UNREACHABLE)), id="absent-ones-are-added"),
        pytest.param([lasting(30, NOT_READY), lasting(60, UNREACHABLE)], None, id="the-user's-own-stay"),
        pytest.param([NOT_READY, UNREACHABLE], None, id="those-for-ever-stay"),
        pytest.param([{"operator": "Exists"}], None, id="one-for-everything-is-enough"),
        pytest.param(
            [
                OTHER,
                NOT_READY,
                lasting(300, UNREACHABLE),
            ],
            (
                OTHER,
                NOT_READY,
                lasting(900, UNREACHABLE),
            ),
            id="others-are-sent-back-unchanged",
        ),
    ],
)
def test_a_silent_node_does_not_cost_the_pod_its_life(
    before: list[dict[str, Any]], after: tuple[dict[str, Any], ...] | None
) -> None:
    assert patient_tolerations(a_pod(tolerations=before), seconds=900) == after


def test_the_first_attempt_takes_one_patch_for_everything() -> None:
    command = record(a_pod(uid="uid-web-1"), number=1, capacity="on-demand", config=CONFIG, now=NOON)
    assert command.annotations == {
        "spillway.dev/attempt": "1",
        "spillway.dev/attempt-of": "uid-web-1",
        "spillway.dev/attempted-at": "2026-01-01T12:00:00Z",
        "spillway.dev/attempted-on": "on-demand",
        "spillway.dev/log-group": CONFIG.task.log_group,
        "controller.kubernetes.io/pod-deletion-cost": "-100",
    }
    assert command.tolerations is not None


def test_a_users_deletion_cost_is_kept() -> None:
    pod = a_pod(annotations={"controller.kubernetes.io/pod-deletion-cost": "5"})
    assert (
        "controller.kubernetes.io/pod-deletion-cost"
        not in record(pod, number=1, capacity="on-demand", config=CONFIG, now=NOON).annotations
    )


def test_a_new_attempt_takes_the_old_task_off_the_pod() -> None:
    pod = a_pod(annotations={"spillway.dev/task-arn": "arn:old"})
    assert (
        record(pod, number=2, capacity="on-demand", config=CONFIG, now=NOON).annotations[
            "spillway.dev/task-arn"
        ]
        == ""
    )


@pytest.mark.parametrize(
    ("row", "seconds"),
    [(0, 10), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300), (1000, 300)],
)
def test_the_wait_doubles_from_ten_seconds_to_five_minutes(row: int, seconds: int) -> None:
    assert backoff(row) == timedelta(seconds=seconds)


def ran(attempt: int, minutes: int) -> Task:
    over = NOON + timedelta(minutes=minutes)
    return a_task(a_pod(uid="u"), attempt=attempt, last_status="STOPPED", started_at=NOON, stopped_at=over)


@pytest.mark.parametrize(
    ("tasks", "row"),
    [
        pytest.param([ran(1, 1)], 1, id="one"),
        pytest.param([ran(1, 1), ran(2, 1), ran(3, 1)], 3, id="three"),
        pytest.param([ran(1, 1), ran(2, 10), ran(3, 1)], 1, id="a-good-run-forgives"),
        pytest.param([ran(1, 1), ran(2, 10)], 0, id="after-a-good-run"),
    ],
)
def test_crashes_in_a_row_are_counted_from_the_tasks(tasks: list[Task], row: int) -> None:
    assert failures_in_a_row(tasks) == row


def test_the_wait_begins_with_the_end_of_the_newest_task() -> None:
    assert restart_due([ran(2, 2), ran(1, 1)]) == NOON + timedelta(minutes=2, seconds=20)
