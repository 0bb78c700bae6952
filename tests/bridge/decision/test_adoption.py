from typing import Any

import msgspec
import pytest

from app.bridge.decision.adoption import current, duplicates, is_ours
from app.model.names import TaskArn
from app.model.task import Task
from tests.builders import NOON, VIRTUAL, a_pod, a_task, identity_of

POD = a_pod("web-1", uid="u1")
FIRST = a_task(POD, attempt=1, last_status="STOPPED")
SECOND = a_task(POD, attempt=2)


def test_the_newest_attempt_carries_the_pod() -> None:
    assert current((FIRST, SECOND)) == SECOND


def test_an_older_attempt_that_still_lives_is_a_duplicate() -> None:
    older = a_task(POD, attempt=1)
    assert duplicates((older, SECOND)) == (older,)


def test_a_task_is_ours_by_its_identity_whatever_its_definition() -> None:
    task = a_task(POD, definition="arn:aws:ecs:us-east-1:1:task-definition/spillway-of-long-ago:1")
    assert is_ours(task, cluster="cluster-1", node=VIRTUAL)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"identity": None}, id="another-program's"),
        pytest.param({"identity": identity_of(POD, cluster="cluster-2")}, id="another-cluster's"),
        pytest.param({"identity": identity_of(POD, node="fargate-1b")}, id="another-node's"),
    ],
)
def test_foreign_tasks_are_not_ours(fields: dict[str, Any]) -> None:
    assert not is_ours(a_task(POD, **fields), cluster="cluster-1", node=VIRTUAL)


EARLY = a_task(POD, arn=TaskArn("b"), created_at=NOON)
LATE = msgspec.structs.replace(EARLY, arn=TaskArn("a"), created_at=NOON.replace(hour=13))
OVER = msgspec.structs.replace(EARLY, arn=TaskArn("c"), last_status="STOPPED")


@pytest.mark.parametrize(
    ("tasks", "recorded", "kept"),
    [
        pytest.param((LATE, EARLY), None, EARLY, id="the-older"),
        pytest.param((OVER, LATE), None, LATE, id="the-live-one"),
        pytest.param((EARLY, LATE), "a", LATE, id="the-recorded-one"),
        pytest.param((), None, None, id="none"),
    ],
)
def test_of_two_tasks_of_one_attempt_one_is_kept(
    tasks: tuple[Task, ...], recorded: TaskArn | None, kept: Task | None
) -> None:
    assert current(tasks, recorded=recorded) == kept


def test_the_other_task_of_one_attempt_is_a_duplicate() -> None:
    assert duplicates((EARLY, LATE)) == (LATE,)
