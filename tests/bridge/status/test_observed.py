"""Records that a container has forged: every line of them is skipped or cut, none harms the bridge."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from app.bridge.status.observed import (
    MOST_FAILURES,
    NOTHING_TOLD,
    TERMINATION_MESSAGE,
    HookFailure,
    Told,
    limits_of,
)
from app.model.task import TaskContainer
from tests.bridge.situations import began, over, told
from tests.builders import NOON, a_pod, a_task

DEEP = '{"container":"main","x":' + "[" * 2000 + "]" * 2000 + "}"


def a_run(**fields: Any) -> str:
    return json.dumps({"container": "main", "run": 1, "started": "2026-01-01T12:00:00Z", **fields})


def hook(error: str, **fields: Any) -> str:
    return json.dumps({"container": "main", "run": 1, "hook": "preStop", "error": error, **fields})


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(DEEP, id="nested-deeply"),
        pytest.param("", id="empty"),
        pytest.param("\ud800", id="no-character"),
        pytest.param(a_run(container="c1"), id="container-that-is-not-there"),
        pytest.param(a_run(container="spillway-keeper"), id="our-own-container"),
        pytest.param(a_run(started="0001-01-01T00:00:00+23:59"), id="before-all-calendars"),
        pytest.param(a_run(started="9999-12-31T23:59:59-23:59"), id="after-all-calendars"),
        pytest.param(a_run(started="2026-01-01T12:00:00"), id="no-time-zone"),
        pytest.param(a_run(finished="2026-01-01T15:00:00Z", code=0), id="ends-in-the-future"),
        pytest.param(a_run(finished="2026-01-01T12:00:01Z", code=1, again="2027-01-01T12:00:00Z"), id="late"),
        pytest.param(a_run(run=2**63 - 1), id="a-run-beyond-counting"),
        pytest.param(a_run(run=-1), id="a-run-before-the-first"),
        pytest.param(a_run(code=2**40), id="no-exit-code"),
        pytest.param(a_run(message="!"), id="no-base64"),
        pytest.param(a_run(x="y" * 140_000), id="too-long"),
        pytest.param(hook("x", hook="postMortem"), id="no-hook"),
    ],
)
def test_a_line_that_no_helper_writes_is_skipped(line: str) -> None:
    assert told([line]) == NOTHING_TOLD


def test_what_follows_a_forged_line_is_read() -> None:
    assert [run.number for run in told([DEEP, began(1)]).runs["main"]] == [1]


def test_failures_of_hooks_are_kept_up_to_a_number() -> None:
    assert len(told(hook(f"e{n}") for n in range(50_000)).failures) == MOST_FAILURES


def test_a_second_reading_adds_no_failures_beyond_that_number() -> None:
    before = told(hook(f"e{n}") for n in range(MOST_FAILURES))
    assert told([hook("one more")], before=before) == before


def test_the_words_of_a_failure_are_cut() -> None:
    assert len(told([hook("x" * 100_000)]).failures[0].error) == 256


def test_a_termination_message_is_cut_where_a_kubelet_cuts_it() -> None:
    message = base64.b64encode(b"a" * 10 + b"b" * 4096).decode()
    assert told([over(1, message=message)]).runs["main"][0].message == "b" * 4096


def test_many_runs_in_one_reading_leave_the_last_two() -> None:
    lines = (a_run(run=number) for number in range(1, 5000))
    assert [run.number for run in told(lines).runs["main"]] == [4998, 4999]


def test_what_runs_out_of_memory_is_known() -> None:
    line = a_run(finished="2026-01-01T12:00:05Z", code=137, signal=9, oom=True)
    assert told([line]).runs["main"][0].oom


def test_a_message_file_that_cannot_be_made_is_a_failure_known_once() -> None:
    first, second = a_run(noMessage="Permission denied"), a_run(run=2, noMessage="Permission denied")
    expected = HookFailure("main", TERMINATION_MESSAGE, "its file cannot be made: Permission denied", 1)
    assert told([first, second]).failures == (expected,)


def test_a_start_without_a_message_file_is_a_start() -> None:
    assert [run.number for run in told([a_run(noMessage="Permission denied")]).runs["main"]] == [1]


def test_records_may_be_about_the_containers_of_the_task_but_ours() -> None:
    names = ("main", "spillway-install", "spillway-keeper")
    containers = tuple(TaskContainer(name=name, last_status="RUNNING") for name in names)
    task = a_task(a_pod(), containers=containers)
    assert limits_of(task, now=NOON).containers == {"main"}


def test_no_run_began_long_before_its_task() -> None:
    task = a_task(a_pod(), created_at=NOON)
    assert NOON - timedelta(hours=1) < limits_of(task, now=NOON).since < NOON


def test_nothing_told_is_not_complete() -> None:
    assert not Told().complete
