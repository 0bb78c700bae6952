from typing import Any

import msgspec
import pytest

from app.bridge.adoption import Adoption, adopt, current, duplicates, is_ours
from app.model.names import TaskArn
from app.model.task import Task
from tests.builders import NOON, VIRTUAL, a_pod, a_task, identity_of

POD = a_pod("web-1", uid="u1")
FIRST = a_task(POD, attempt=1, last_status="STOPPED")
SECOND = a_task(POD, attempt=2)


def adoption_of(*tasks: Task, pods: tuple[str, ...] = ("u1",)) -> Adoption:
    return adopt(tasks, pods={a_pod(uid=uid).uid for uid in pods}, cluster="cluster-1", node=VIRTUAL)


def test_the_newest_attempt_carries_the_pod() -> None:
    assert adoption_of(FIRST, SECOND).carried == (SECOND,)


def test_a_stopped_task_is_adopted_for_its_exit_code() -> None:
    assert adoption_of(FIRST).carried == (FIRST,)


def test_an_older_attempt_that_still_lives_is_a_duplicate() -> None:
    older = a_task(POD, attempt=1)
    assert adoption_of(older, SECOND).duplicates == (older,)


def test_a_live_task_without_its_pod_is_an_orphan() -> None:
    assert adoption_of(FIRST, SECOND, pods=()).orphans == (SECOND,)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"identity": None}, id="another-program's"),
        pytest.param({"identity": identity_of(POD, cluster="cluster-2")}, id="another-cluster's"),
        pytest.param({"identity": identity_of(POD, node="fargate-1b")}, id="another-node's"),
    ],
)
def test_foreign_tasks_are_counted_and_left_alone(fields: dict[str, Any]) -> None:
    task = a_task(POD, **fields)
    assert adoption_of(task, pods=()) == Adoption(carried=(), duplicates=(), orphans=(), foreign=1)
    assert not is_ours(task, cluster="cluster-1", node=VIRTUAL)


def test_a_pod_of_the_same_name_does_not_inherit_a_task() -> None:
    assert adoption_of(SECOND, pods=("u2",)).carried == ()


def test_a_task_of_an_older_versions_definition_is_kept() -> None:
    task = a_task(POD, definition="arn:aws:ecs:us-east-1:1:task-definition/spillway-of-long-ago:1")
    assert adoption_of(task) == Adoption(carried=(task,), duplicates=(), orphans=(), foreign=0)


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
