"""What is read before an end is told, and the hooks that people are told of."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import Later, ReadRecords, RemovePod, SetStatus, TellOfHook
from app.bridge.decision.facts import Facts, Memory
from app.bridge.decision.reconcile import decide
from app.bridge.status.observed import HookFailure, Told
from app.model.task import Task, TaskContainer
from tests.bridge.situations import attempted, began, facts_of, kinds, over, status_in, told
from tests.builders import NOON, a_container, a_pod, a_task

DONE = '{"container":"main","done":true,"code":3}'
LOGGED = [a_container(terminationMessagePolicy="FallbackToLogsOnError")]
FAILURE = HookFailure("main", "preStop", "exit code 4", 1)


def an_ended_task(*, kept: bool = False, code: int = 3) -> Task:
    keeper = TaskContainer(name="spillway-keeper", last_status="STOPPED", exit_code=0)
    words = ("run", "main", "--") if kept else ("python3",)
    main = TaskContainer(name="main", last_status="STOPPED", exit_code=code, words=words)
    return a_task(
        a_pod(uid="u1"),
        last_status="STOPPED",
        started_at=NOON,
        stopped_at=NOON,
        containers=(main, keeper) if kept else (main,),
    )


def facts(task: Task, *lines: str, after: int = 1, **fields: Any) -> Facts:
    pod = attempted(restartPolicy="Never", **fields.pop("pod", {}))
    known = {task.arn: told(lines)} if lines else {}
    return facts_of(pod, task, told=known, now=NOON + timedelta(seconds=after), **fields)


def test_an_end_waits_for_the_helpers_records() -> None:
    assert kinds(decide(facts(an_ended_task(kept=True)))) == [ReadRecords, Later]


def a_task_that_ended_of(*containers: TaskContainer) -> Task:
    """With a keeper, which may be there for the task's end alone."""
    keeper = TaskContainer(name="spillway-keeper", last_status="STOPPED", exit_code=0)
    return a_task(
        a_pod(uid="u1"),
        last_status="STOPPED",
        started_at=NOON,
        stopped_at=NOON,
        containers=(*containers, keeper),
    )


TWO = {"containers": [a_container("one", command=["true"]), a_container("two")]}
HOOKED = {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}


@pytest.mark.parametrize("words", [pytest.param(("true",), id="its own"), pytest.param((), id="the image's")])
def test_an_end_does_not_wait_for_records_where_the_helper_goes_before_nothing(
    words: tuple[str, ...],
) -> None:
    one = TaskContainer(name="one", last_status="STOPPED", exit_code=0, words=words)
    two = TaskContainer(name="two", last_status="STOPPED", exit_code=0)
    commands = decide(facts(a_task_that_ended_of(one, two), pod=TWO))
    assert status_in(commands)["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("words", "pod"),
    [
        pytest.param(("run", "one", "--", "true"), TWO, id="by the launch's words"),
        pytest.param((), {"containers": [a_container("one", **HOOKED), a_container("two")]}, id="by the pod"),
    ],
)
def test_an_end_waits_where_the_helper_goes_before_one_of_several(
    words: tuple[str, ...], pod: dict[str, Any]
) -> None:
    one = TaskContainer(name="one", last_status="STOPPED", exit_code=0, words=words)
    two = TaskContainer(name="two", last_status="STOPPED", exit_code=0)
    assert kinds(decide(facts(a_task_that_ended_of(one, two), pod=pod))) == [ReadRecords, Later]


def test_an_end_is_told_when_the_records_are_complete() -> None:
    commands = decide(facts(an_ended_task(kept=True), began(1), over(1), DONE))
    assert status_in(commands)["phase"] == "Failed"


@pytest.mark.parametrize("kept", [True, False])
def test_an_end_does_not_wait_for_ever(kept: bool) -> None:
    late = facts(an_ended_task(kept=kept), after=20, pod={"containers": LOGGED})
    assert status_in(decide(late))["phase"] == "Failed"


def test_the_log_of_a_container_that_failed_is_read_for_its_message() -> None:
    commands = decide(facts(an_ended_task(), pod={"containers": LOGGED}))
    assert [each.logs for each in commands if isinstance(each, ReadRecords)] == [("main",)]


def test_the_log_of_a_container_that_did_not_fail_is_not_read() -> None:
    commands = decide(facts(an_ended_task(code=0), pod={"containers": LOGGED}))
    assert status_in(commands)["phase"] == "Succeeded"


def test_the_end_of_the_log_becomes_the_termination_message() -> None:
    task = an_ended_task()
    known = {task.arn: Told(messages={"main": "the last words\n"})}
    pod = attempted(restartPolicy="Never", containers=LOGGED)
    ended = status_in(decide(facts_of(pod, task, told=known)))["containerStatuses"][0]["state"]["terminated"]
    assert ended["message"] == "the last words\n"


def test_a_deleted_pod_goes_only_after_what_its_task_recorded_was_read() -> None:
    pod = attempted(deleted=True)
    commands = decide(facts_of(pod, an_ended_task(kept=True)))
    assert kinds(commands) == [ReadRecords, Later]


def test_an_expired_pod_fails_only_after_what_its_task_recorded_was_read() -> None:
    status = {"startTime": (NOON - timedelta(hours=1)).isoformat()}
    pod = attempted(activeDeadlineSeconds=60, status=status)
    assert kinds(decide(facts_of(pod, an_ended_task(kept=True)))) == [ReadRecords, Later]


@pytest.mark.parametrize(
    ("hook", "reason", "message"),
    [
        pytest.param(
            "preStop", "FailedPreStopHook", "PreStopHook failed: exit code 4 (container main)", id="pre-stop"
        ),
        pytest.param(
            "postStart",
            "FailedPostStartHook",
            "PostStartHook failed: exit code 4 (container main)",
            id="post-start",
        ),
    ],
)
def test_a_hook_that_failed_is_told_in_kubelets_words(hook: str, reason: str, message: str) -> None:
    task = a_task(a_pod(uid="u1"), started_at=NOON)
    known = {task.arn: Told(failures=(HookFailure("main", hook, "exit code 4", 1),))}
    found = [each for each in decide(facts_of(attempted(), task, told=known)) if isinstance(each, TellOfHook)]
    assert [(each.reason, each.message) for each in found] == [(reason, message)]


def test_a_hook_that_failed_is_told_once() -> None:
    task = a_task(a_pod(uid="u1"), started_at=NOON)
    known = {task.arn: Told(failures=(FAILURE,))}
    memory = Memory(hooks=frozenset({(task.arn, FAILURE)}))
    assert TellOfHook not in kinds(decide(facts_of(attempted(), task, told=known, memory=memory)))


def test_a_pre_stop_hook_that_failed_is_told_before_the_deleted_pod_goes() -> None:
    task = an_ended_task(kept=True)
    failed = msgspec.structs.replace(told([began(1), over(1), DONE]), failures=(FAILURE,))
    commands = decide(facts_of(attempted(deleted=True), task, told={task.arn: failed}))
    assert kinds(commands) == [TellOfHook, SetStatus, RemovePod]
