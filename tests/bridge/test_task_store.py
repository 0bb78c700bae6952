from typing import Any

import msgspec
import pytest

from app.bridge.decision.facts import PodKey
from app.bridge.task_store import TaskStore
from app.model.names import TaskArn
from app.model.task import Task
from tests.builders import NOON, VIRTUAL, a_pod, a_task, identity_of

POD = a_pod("web-1", uid="u1")
KEY = PodKey("shop", "web-1", POD.uid)
TASK = a_task(POD)


def a_store(*tasks: Task) -> TaskStore:
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    for task in tasks:
        store.put(task)
    return store


def changed(**fields: Any) -> Task:
    return msgspec.structs.replace(TASK, **fields)


def test_a_task_is_found_by_its_pod() -> None:
    assert a_store(TASK).of(POD.uid) == (TASK,)


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(changed(identity=None), id="another-program's"),
        pytest.param(changed(identity=identity_of(POD, cluster="other")), id="another-cluster's"),
        pytest.param(changed(identity=identity_of(POD, node="other")), id="another-node's"),
    ],
)
def test_somebody_elses_task_is_not_taken_in(foreign: Task) -> None:
    assert a_store(foreign).all() == ()


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        pytest.param(changed(version=2), changed(version=3, ip="b"), "b", id="newer"),
        pytest.param(changed(version=3, ip="a"), changed(version=2, ip="b"), "a", id="older"),
        pytest.param(changed(ip="a"), changed(ip="b"), "b", id="no-versions"),
        pytest.param(changed(ip="a", last_status="STOPPED"), changed(ip="b"), "a", id="an-end-is-final"),
    ],
)
def test_late_descriptions_do_not_turn_time_back(first: Task, second: Task, kept: str) -> None:
    assert [task.ip for task in a_store(first, second).all()] == [kept]


def test_a_known_task_keeps_its_identity_in_a_bare_answer() -> None:
    store = a_store(TASK, changed(identity=None, attempt=0, ip="10.1.0.7"))
    assert store.of(POD.uid) == (changed(ip="10.1.0.7"),)


def test_changes_are_told_and_repetitions_are_not() -> None:
    store, told = a_store(), list[PodKey]()
    store.on_change(told.append)
    store.put(TASK)
    store.put(TASK)
    assert told == [KEY]


def test_only_live_and_expected_tasks_are_tracked() -> None:
    store = a_store(TASK, a_task(POD, attempt=2, last_status="STOPPED"))
    store.expect(TaskArn("arn:expected"), KEY)
    assert set(store.tracked()) == {TASK.arn, "arn:expected"}


def test_a_missing_task_is_known_to_be_missing_since_the_first_time() -> None:
    store = a_store(TASK)
    store.mark_missing([TASK.arn], now=NOON)
    store.mark_missing([TASK.arn], now=NOON.replace(hour=13))
    assert (store.of(POD.uid), store.missing(POD.uid)) == ((), {TASK.arn: NOON})


def test_a_task_that_shows_up_again_is_not_missing() -> None:
    store = a_store(TASK)
    store.mark_missing([TASK.arn], now=NOON)
    store.put(TASK)
    assert (store.of(POD.uid), store.missing(POD.uid)) == ((TASK,), {})


def test_an_ended_task_that_ecs_forgot_keeps_its_end() -> None:
    ended = changed(last_status="STOPPED")
    store = a_store(ended)
    store.mark_missing([ended.arn], now=NOON)
    assert store.of(POD.uid) == (ended,)


def test_what_nobody_names_any_more_is_forgotten() -> None:
    ended = changed(last_status="STOPPED")
    store = a_store(ended)
    store.prune(listed=(), pods=())
    assert store.all() == ()


def test_an_end_is_kept_while_its_pod_is_there() -> None:
    ended = changed(last_status="STOPPED")
    store = a_store(ended)
    store.prune(listed=(), pods={POD.uid})
    assert store.all() == (ended,)


THIEF = PodKey("shop", "thief", a_pod("thief", uid="u2").uid)


def test_a_task_that_several_pods_name_is_missing_for_each_of_them() -> None:
    store, told = a_store(), list[PodKey]()
    store.on_change(told.append)
    store.expect(TASK.arn, KEY)
    store.expect(TASK.arn, THIEF)
    store.mark_missing([TASK.arn], now=NOON)
    assert (store.missing(KEY.uid), store.missing(THIEF.uid)) == ({TASK.arn: NOON}, {TASK.arn: NOON})
    assert set(told) == {KEY, THIEF}


def test_a_task_that_went_missing_stays_its_own_pods_whoever_else_names_it() -> None:
    store = a_store(TASK)
    store.mark_missing([TASK.arn], now=NOON)
    store.expect(TASK.arn, THIEF)
    store.prune(listed=(), pods={KEY.uid})
    assert (store.missing(KEY.uid), store.missing(THIEF.uid)) == ({TASK.arn: NOON}, {})


def test_who_named_anothers_task_is_told_when_it_shows_up() -> None:
    store, told = a_store(), list[PodKey]()
    store.expect(TASK.arn, THIEF)
    store.on_change(told.append)
    store.put(TASK)
    assert (set(told), store.strange(THIEF.uid, TASK.arn)) == ({KEY, THIEF}, True)


def test_a_strangers_task_is_strange_to_each_pod_that_names_it() -> None:
    store = a_store()
    store.expect(TASK.arn, KEY)
    store.expect(TASK.arn, THIEF)
    store.put(changed(identity=identity_of(POD, cluster="other")))
    assert store.strange(KEY.uid, TASK.arn)
    assert store.strange(THIEF.uid, TASK.arn)
    assert store.tracked() == ()
