"""Restarts in place, with kubelet's back-off."""

import signal
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.helper.fakes import Stage, b64, ended, eventually


def counted(folder: Path, text: str) -> list[str]:
    """A command that knows in $n how often it has run."""
    return ["sh", "-c", f"echo >> {folder}/runs; n=$(wc -l < {folder}/runs); {text}"]


def delays(ends: list[dict[str, Any]]) -> list[int]:
    """Milliseconds from each run's end to when the next was due."""
    return [
        round(
            (datetime.fromisoformat(end["again"]) - datetime.fromisoformat(end["finished"])).total_seconds()
            * 1000
        )
        for end in ends
        if "again" in end
    ]


@pytest.mark.parametrize(
    ("policy", "text", "codes"),
    [
        pytest.param("Never", "exit 3", [3], id="never"),
        pytest.param("OnFailure", "exit 0", [0], id="on failure, success"),
        pytest.param("OnFailure", "exit $((3 - n))", [2, 1, 0], id="on failure"),
        pytest.param("OnFailure", "[ $n -gt 1 ] || kill -KILL $$", [137, 0], id="on failure, by a signal"),
        pytest.param("OnFailure", "[ $n -gt 1 ] || exec no-such-command", [127, 0], id="on failure to start"),
    ],
)
def test_runs_again_as_the_policy_says(
    policy: str, text: str, codes: list[int], stage: Stage, tmp_path: Path
) -> None:
    result = stage.run(f"restart {policy}", command=counted(tmp_path, text), SPILLWAY_RUN_SECOND="1")
    assert result.returncode == codes[-1]
    assert [end["code"] for end in stage.ends()] == codes
    assert [end["run"] for end in stage.ends()] == list(range(1, len(codes) + 1))
    assert stage.records()[-1] == {"container": "main", "done": True, "code": codes[-1]}


def test_backs_off_with_kubelet_s_numbers(stage: Stage, tmp_path: Path) -> None:
    stage.run("restart OnFailure", command=counted(tmp_path, "[ $n -gt 8 ]"), SPILLWAY_RUN_SECOND="1")
    assert delays(stage.ends()) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_run_starts_when_it_was_due(stage: Stage, tmp_path: Path) -> None:
    stage.run("restart OnFailure", command=counted(tmp_path, "[ $n -gt 3 ]"))
    ends = stage.ends()
    late = [
        datetime.fromisoformat(later["started"]) - datetime.fromisoformat(end["again"])
        for end, later in pairwise(ends)
    ]
    assert all(0 <= each.total_seconds() < 5 for each in late)


def test_a_good_run_begins_the_back_off_anew(stage: Stage, tmp_path: Path) -> None:
    command = counted(tmp_path, "[ $n -eq 3 ] && sleep 0.65; [ $n -gt 5 ]")
    stage.run("restart OnFailure", command=command, SPILLWAY_RUN_SECOND="1")
    assert delays(stage.ends()) == [0, 10, 0, 10, 20]


@pytest.mark.parametrize(
    ("lines", "by"), [([], signal.SIGTERM), (["signal 3"], signal.SIGQUIT), (["signal 3"], signal.SIGTERM)]
)
def test_asked_to_end_while_it_waits_it_ends_with_the_last_code(
    lines: list[str], by: signal.Signals, stage: Stage, tmp_path: Path
) -> None:
    command = counted(tmp_path, "exit $((n + 3))")
    process = stage.start("restart Always", *lines, command=command, SPILLWAY_RUN_SECOND="1000")
    eventually(lambda: len(stage.ends()) == 2, what="it waits for the third run")
    assert ended(process, by=by) == 5
    assert stage.records()[-1] == {"container": "main", "done": True, "code": 5}


def test_other_signals_do_not_shorten_the_wait(stage: Stage, tmp_path: Path) -> None:
    process = stage.start(
        "restart Always", command=counted(tmp_path, "exit $((n + 3))"), SPILLWAY_RUN_SECOND="1000"
    )
    eventually(lambda: len(stage.ends()) == 2, what="it waits for the third run")
    process.send_signal(signal.SIGHUP)
    assert ended(process, by=signal.SIGTERM) == 5
    assert len(stage.ends()) == 2


def test_asked_to_end_while_it_runs_it_does_not_run_again(stage: Stage) -> None:
    command = ["sh", "-c", "trap 'exit 6' TERM; echo ready; while :; do sleep 0.01; done"]
    process = stage.start("restart Always", command=command)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert ended(process, by=signal.SIGTERM) == 6
    assert "again" not in stage.ends()[0]


def test_what_one_run_left_is_gone_before_the_next(stage: Stage, tmp_path: Path) -> None:
    left = tmp_path / "left"
    text = f"[ $n -gt 1 ] && exec test ! -e /proc/$(cat {left}); setsid sleep 60 & echo $! > {left}; exit 1"
    stage.run("restart OnFailure", command=counted(tmp_path, f"[ $n -gt 2 ] || {{ {text}; }}"))
    assert [end["code"] for end in stage.ends()] == [1, 0]


def test_a_post_start_that_failed_is_followed_by_the_policy(stage: Stage, tmp_path: Path) -> None:
    runs, second = tmp_path / "runs", tmp_path / "second"
    fails_once = (
        f"while [ ! -s {runs} ]; do sleep 0.01; done; [ -e {second} ] || {{ touch {second}; exit 1; }}"
    )
    plan = ["restart OnFailure", " ".join(["start", "exec", *map(b64, ["sh", "-c", fails_once])])]
    command = counted(tmp_path, "[ $n -gt 1 ] || exec sleep 60")
    assert stage.run(*plan, command=command).returncode == 0
    assert [end["code"] for end in stage.ends()] == [143, 0]
