"""preStop and postStart, within the grace."""

import signal
from pathlib import Path

import pytest

from tests.helper.fakes import WAITS_FOR_A_SIGNAL, Stage, b64, ended, eventually, hook, said, shell

IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_runs_pre_stop_before_the_command_is_asked_to_end(
    number: signal.Signals, stage: Stage, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = shell(f"trap 'echo asked >> {log}; exit 5' TERM QUIT; echo ready; while :; do sleep 0.01; done")
    lines = [hook("stop", f"sleep 0.05; echo hook >> {log}"), "signal 3", "grace 1000"]
    process = stage.start(*lines, command=command)
    assert said(process) == "ready"
    assert ended(process, by=number) == 5
    assert log.read_text() == "hook\nasked\n"
    assert [record for record in stage.records() if "hook" in record] == []


def test_asked_to_end_twice_it_runs_pre_stop_once(stage: Stage, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = stage.start(
        hook("stop", f"echo hook >> {log}; sleep 0.1"), "grace 1000", command=WAITS_FOR_A_SIGNAL
    )
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    eventually(log.exists, what="the hook runs")
    process.send_signal(signal.SIGTERM)
    assert said(process) == str(int(signal.SIGTERM))
    assert ended(process) == 0
    assert log.read_text() == "hook\n"


def test_pre_stop_sleep_holds_the_signal_back(stage: Stage) -> None:
    process = stage.start("stop sleep 500", "grace 1000", command=WAITS_FOR_A_SIGNAL)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGUSR1)
    assert said(process) == str(int(signal.SIGUSR1))
    assert ended(process) == 0


def test_a_pre_stop_without_end_leaves_the_command_some_of_the_grace(stage: Stage) -> None:
    process = stage.start(
        hook("stop", "sleep 60"), "grace 2", command=WAITS_FOR_A_SIGNAL, SPILLWAY_RUN_SECOND="400"
    )
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert said(process) == str(int(signal.SIGTERM))
    assert ended(process) == 0


def test_the_grace_holds_for_hook_and_command_together(stage: Stage) -> None:
    process = stage.start("stop sleep 60", "grace 8", command=IGNORES_TERM)
    assert said(process) == "ready"
    assert ended(process, by=signal.SIGTERM) == 137


@pytest.mark.parametrize(
    ("text", "error"),
    [("exit 4", "exit code 4"), ("kill -KILL $$", "signal 9"), ("no-such-command-anywhere", "exit code 127")],
)
def test_records_a_pre_stop_that_fails_and_goes_on(text: str, error: str, stage: Stage) -> None:
    process = stage.start(hook("stop", text), command=WAITS_FOR_A_SIGNAL)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert said(process) == str(int(signal.SIGTERM))
    assert ended(process) == 0
    assert stage.records()[1] == {"container": "main", "run": 1, "hook": "preStop", "error": error}


def test_asked_to_end_while_a_failed_post_start_ends_the_command_it_does_not_run_again(
    stage: Stage, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    command = shell(f"trap 'echo asked' TERM; touch {ready}; while :; do sleep 0.01; done")
    fails = hook("start", f"while [ ! -e {ready} ]; do sleep 0.01; done; exit 1")
    process = stage.start(fails, "restart Always", "grace 80", command=command)
    assert said(process) == "asked"
    assert ended(process, by=signal.SIGTERM) == 137
    assert len(stage.ends()) == 1


def test_pre_stop_does_not_run_for_a_command_that_ends_itself(stage: Stage, tmp_path: Path) -> None:
    assert stage.run(hook("stop", f"touch {tmp_path}/ran")).returncode == 0
    assert not (tmp_path / "ran").exists()


def test_post_start_runs_beside_the_command_and_says_nothing(stage: Stage, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    command = shell(f"while [ ! -e {flag} ]; do sleep 0.01; done; echo seen")
    result = stage.run(hook("start", f"echo out; echo err >&2; cat; touch {flag}"), command=command)
    assert (result.stdout, result.stderr, result.returncode) == ("seen\n", "", 0)


def test_a_post_start_that_fails_ends_the_command_with_its_hook_and_grace(
    stage: Stage, tmp_path: Path
) -> None:
    plan = [hook("start", "exit 4"), hook("stop", f"touch {tmp_path}/stopped"), "grace 1000"]
    result = stage.run(*plan, command=["sleep", "60"])
    assert result.returncode == 143
    assert (tmp_path / "stopped").exists()
    assert stage.records()[1] == {"container": "main", "run": 1, "hook": "postStart", "error": "exit code 4"}


def test_hooks_run_in_the_command_s_folder_and_environment(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plan = [
        hook("start", f"echo $(pwd) $A > {out}.new; mv {out}.new {out}"),
        f"workdir {b64(str(tmp_path))}",
        f"env A {b64('a')}",
    ]
    assert stage.run(*plan, command=shell(f"while [ ! -e {out} ]; do sleep 0.01; done")).returncode == 0
    assert out.read_text() == f"{tmp_path} a\n"


@pytest.mark.usefixtures("as_root")
def test_hooks_run_as_the_command_s_user(stage: Stage) -> None:
    stage.run("user 7 7 -", hook("start", "exit $(id -u)"), command=["sleep", "60"])
    assert stage.records()[1]["error"] == "exit code 7"
