"""Runs inside one task, as the helper records them: none forgotten, none counted twice."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.status.observed import HookFailure, Told
from app.bridge.status.pod_status import View, status_of
from app.model.pod import Pod
from app.model.task import TaskContainer
from tests.bridge.situations import began, lines_of_runs, over, told
from tests.builders import NOON, a_pod, a_task

POD = a_pod("web-1", uid="u1")
KEEPER = TaskContainer(name="spillway-keeper", last_status="RUNNING")
MAIN = TaskContainer(name="main", last_status="RUNNING")
TASK = a_task(POD, started_at=NOON, ip="10.1.0.7", containers=(MAIN, KEEPER))


def status(pod: Pod, records: Told, main: TaskContainer = MAIN) -> dict[str, Any]:
    task = msgspec.structs.replace(TASK, containers=(main, KEEPER))
    found = status_of(pod, View(task=task, now=NOON, node_ip="10.0.0.9", told=records))
    only: dict[str, Any] = found["containerStatuses"][0]
    return only


def after(pod: Pod, records: Told) -> Pod:
    view = View(task=TASK, now=NOON, node_ip="10.0.0.9", told=records)
    kept = {key: value for key, value in status_of(pod, view).items() if value is not None}
    return msgspec.structs.replace(pod, status=msgspec.convert(kept, type(pod.status)))


def read(*lines: str) -> Told:
    return told(lines)


THREE: Sequence[str] = lines_of_runs(3)


def test_the_newest_run_is_told_with_the_end_of_the_one_before() -> None:
    found = status(POD, read(*THREE))
    assert (found["restartCount"], found["containerID"]) == (0, f"fargate://{TASK.task_id}/main@3")
    assert found["lastState"]["terminated"]["exitCode"] == 3
    assert list(found["state"]) == ["running"]


def test_runs_are_counted_from_one_status_to_the_next() -> None:
    first = after(POD, read(*lines_of_runs(1)))
    assert status(first, read(*THREE))["restartCount"] == 2


def test_a_run_that_ended_waits_in_a_crash_loop_for_as_long_as_the_helper_says() -> None:
    waiting = status(POD, read(began(1), over(1, again=NOON + timedelta(seconds=40))))["state"]["waiting"]
    assert waiting == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 10s restarting failed container=main pod=web-1_shop(u1)",
    }


def test_a_run_that_ended_for_good_is_terminated_with_its_message() -> None:
    found = status(POD, read(began(1), over(1, message="b25lIHdvcmQ=")))
    assert found["state"]["terminated"]["message"] == "one word"
    assert found["ready"] is False


@pytest.mark.parametrize(
    "known", [pytest.param((), id="nothing-read-yet"), pytest.param(THREE[:3], id="read-halfway")]
)
def test_a_bridge_that_reads_the_records_again_goes_back_on_nothing(known: tuple[str, ...]) -> None:
    before = after(after(POD, read(*lines_of_runs(1))), read(*THREE))
    again = after(before, read(*known))
    assert again.status.container_statuses == before.status.container_statuses
    assert status(again, read(*THREE))["restartCount"] == 2


def test_a_crash_loop_is_not_told_as_running_before_the_records_are_read_again() -> None:
    before = after(POD, read(began(1), over(1, again=NOON + timedelta(seconds=40))))
    assert "waiting" in status(before, Told())["state"]


def test_out_of_memory_is_told_of_the_last_run() -> None:
    killed = TaskContainer(
        name="main", last_status="STOPPED", exit_code=137, reason="OutOfMemoryError: Container killed"
    )
    ended = status(POD, read(began(1), over(1, code=137)), killed)["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_the_end_of_the_log_stands_for_a_message_that_was_not_written() -> None:
    records = msgspec.structs.replace(read(began(1), over(1)), messages={"main": "the last words"})
    assert status(POD, records)["state"]["terminated"]["message"] == "the last words"


def test_a_written_message_wins_over_the_log() -> None:
    ended = over(1, message="b25lIHdvcmQ=")
    records = msgspec.structs.replace(read(began(1), ended), messages={"main": "the last words"})
    assert status(POD, records)["state"]["terminated"]["message"] == "one word"


def test_a_restart_in_another_task_counts_on_from_the_runs_of_the_one_before() -> None:
    first = after(POD, read(*lines_of_runs(1)))
    crashed = after(first, read(*THREE))
    second = a_task(POD, attempt=2, started_at=NOON, containers=(MAIN, KEEPER))
    found = status_of(crashed, View(task=second, now=NOON, node_ip="10.0.0.9", told=read(began(1))))
    assert found["containerStatuses"][0]["restartCount"] == 3


def test_what_is_no_record_is_skipped_and_what_comes_twice_changes_nothing() -> None:
    once = read(*THREE)
    assert told(["spillway-helper: cannot read", *THREE], before=once) == once


def test_a_failed_hook_is_known_once() -> None:
    line = '{"container":"main","run":1,"hook":"preStop","error":"exit code 4"}'
    assert told([line, line]).failures == (HookFailure("main", "preStop", "exit code 4", 1),)


def test_records_are_complete_when_every_container_that_ran_is_done() -> None:
    done = '{"container":"main","done":true,"code":3}'
    assert not read(*THREE).complete
    assert read(*THREE, done).complete


def test_out_of_memory_inside_the_task_is_told_as_the_helper_saw_it() -> None:
    killed = json.loads(over(1, code=137)) | {"oom": True}
    ended = status(POD, read(began(1), json.dumps(killed), began(2)))["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
