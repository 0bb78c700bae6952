"""`run`: exit codes, signals, orphans and what is left, and its records."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.helper.fakes import WAITS_FOR_A_SIGNAL, Stage, ended, eventually, hook, said, shell

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]


def is_running(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(["true"], 0, id="success"),
        pytest.param(shell("exit 3"), 3, id="a code"),
        pytest.param(shell("exit 255"), 255, id="the largest code"),
        pytest.param(shell("kill -KILL $$"), 137, id="killed"),
        pytest.param(shell("kill -TERM $$"), 143, id="terminated"),
        pytest.param(["/nowhere/command"], 127, id="no such path"),
        pytest.param(["no-such-command-anywhere"], 127, id="nowhere on the path"),
        pytest.param([""], 127, id="an empty word"),
        pytest.param(["/etc/passwd"], 126, id="not executable"),
        pytest.param(["/"], 126, id="a folder"),
    ],
)
def test_ends_as_the_command_did(command: list[str], code: int, stage: Stage) -> None:
    assert stage.run(command=command).returncode == code
    assert stage.records()[-1] == {"container": "main", "done": True, "code": code}


def test_records_a_run_from_its_start_to_its_end(stage: Stage) -> None:
    stage.run(command=shell("exit 3"))
    start, end, _ = stage.records()
    assert start == {"container": "main", "run": 1, "started": end["started"]}
    assert end == {**start, "finished": end["finished"], "code": 3, "signal": 0}
    assert TIME.fullmatch(end["started"])
    assert TIME.fullmatch(end["finished"])
    assert end["started"] <= end["finished"]


def test_records_the_signal_that_ended_a_run(stage: Stage) -> None:
    stage.run(command=shell("kill -SEGV $$"))
    assert (stage.ends()[0]["code"], stage.ends()[0]["signal"]) == (139, 11)


@pytest.mark.parametrize(
    ("events", "command", "marked"),
    [
        pytest.param("oom_kill 1", "kill -KILL $$", True, id="killed while the kernel killed"),
        pytest.param("oom_kill 0", "kill -KILL $$", False, id="killed by another"),
        pytest.param("oom_kill 1", "exit 137", False, id="not killed"),
    ],
)
def test_records_that_memory_ran_out(
    events: str, command: str, marked: bool, stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "memory.events"
    file.write_text("low 0\noom 9\noom_kill 0\noom_group_kill 9\n")
    stage.run(command=shell(f"echo {events} > {file}; {command}"), SPILLWAY_RUN_CGROUP=str(tmp_path))
    assert stage.ends()[0].get("oom", False) is marked


def test_runs_without_records_where_they_cannot_be_written(stage: Stage) -> None:
    os.mkfifo(stage.root / "records" / "main")
    result = stage.run(command=shell("exit 3"))
    assert result.returncode == 3
    assert "nothing is recorded" in result.stderr


@pytest.mark.parametrize(
    "number",
    [
        *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM),
        *(signal.SIGWINCH, signal.SIGALRM, signal.SIGCONT, signal.SIGTSTP, signal.SIGRTMIN, signal.SIGRTMAX),
    ],
)
def test_forwards_the_signal(number: signal.Signals, stage: Stage) -> None:
    process = stage.start(command=WAITS_FOR_A_SIGNAL)
    assert said(process) == "ready"
    process.send_signal(number)
    assert said(process) == str(int(number))
    assert ended(process) == 0


def test_the_command_starts_with_the_signals_as_we_got_them(stage: Stage) -> None:
    status = stage.run(command=["cat", "/proc/self/status"]).stdout
    here = Path("/proc/self/status").read_text()
    pattern = re.compile(r"^SigBlk:.*$", re.MULTILINE)
    assert pattern.findall(status) == pattern.findall(here)


def test_sees_the_end_of_its_command_although_it_was_started_with_sigchld_ignored(stage: Stage) -> None:
    ignores = (
        "import os, signal as s, sys; s.signal(s.SIGCHLD, s.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = stage.start(command=shell("exit 3"), before=(sys.executable, "-ISc", ignores))
    assert ended(process) == 3


def test_reaps_orphans_while_the_command_runs(stage: Stage) -> None:
    process = stage.start(command=shell("(sleep 0.01 & exec true); echo ready; read line; exec sleep 60"))
    process_children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    assert said(process) == "ready"
    eventually(lambda: len(process_children.read_text().split()) == 1, what="only the command is left")
    assert ended(process, by=signal.SIGTERM) == 143


def test_leaves_no_process_behind(stage: Stage, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    left = f"trap '' TERM; sleep 60 & echo \\$\\$ > {pid_file}; wait"
    assert (
        stage.run(command=shell(f'setsid sh -c "{left}" & while [ ! -s {pid_file} ]; do :; done')).returncode
        == 0
    )
    pid = int(pid_file.read_text())
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("lines", [[], ["stop sleep 1"]])
def test_the_command_dies_with_a_wrapper_that_is_killed(lines: list[str], stage: Stage) -> None:
    process = stage.start(*lines, command=shell("echo $$; exec sleep 60"))
    pid = int(said(process))
    assert ended(process, by=signal.SIGKILL) == -9
    eventually(lambda: not is_running(pid), what="the command is gone")


@pytest.mark.usefixtures("as_root")
def test_another_user_s_command_dies_with_a_wrapper_that_is_killed(stage: Stage) -> None:
    process = stage.start("user 7 7 -", command=shell("echo $$; exec sleep 60"))
    pid = int(said(process))
    assert ended(process, by=signal.SIGKILL) == -9
    eventually(lambda: not is_running(pid), what="the command is gone")


def test_kills_after_the_grace_what_does_not_end(stage: Stage) -> None:
    process = stage.start("grace 5", command=IGNORES_TERM)
    assert said(process) == "ready"
    assert ended(process, by=signal.SIGTERM) == 137
    assert (stage.ends()[0]["code"], stage.ends()[0]["signal"]) == (137, 9)


def test_asks_the_command_to_end_with_the_image_s_stop_signal(stage: Stage) -> None:
    process = stage.start(f"signal {int(signal.SIGQUIT)}", command=WAITS_FOR_A_SIGNAL)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert said(process) == str(int(signal.SIGQUIT))
    assert ended(process) == 0


@pytest.mark.parametrize("lines", [["restart Always"], ["stop sleep 1"], []])
def test_as_process_one_it_ends_when_asked_to(
    lines: list[str], stage: Stage, as_process_one: tuple[str, ...]
) -> None:
    command = shell("echo $$ $PPID; exec sleep 60")
    process = stage.start(*lines, command=command, before=as_process_one)
    assert said(process) == "2 1"
    outside = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(outside), signal.SIGTERM)
    assert ended(process) == 143


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT, signal.SIGWINCH])
def test_any_signal_from_outside_of_the_container_asks_it_to_end(
    number: signal.Signals, stage: Stage, as_process_one: tuple[str, ...], tmp_path: Path
) -> None:
    plan = ["restart Always", hook("stop", f"echo hook > {tmp_path}/log")]
    process = stage.start(*plan, command=WAITS_FOR_A_SIGNAL, before=as_process_one)
    assert said(process) == "ready"
    helper = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(helper), number)
    assert said(process) == str(int(number))
    assert ended(process) == 0
    assert (tmp_path / "log").read_text() == "hook\n"
    assert len(stage.ends()) == 1


def test_the_signal_of_the_plan_takes_the_place_of_the_one_from_outside(
    stage: Stage, as_process_one: tuple[str, ...]
) -> None:
    plan = f"signal {int(signal.SIGUSR1)}"
    process = stage.start(plan, command=WAITS_FOR_A_SIGNAL, before=as_process_one)
    assert said(process) == "ready"
    helper = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(helper), signal.SIGQUIT)
    assert said(process) == str(int(signal.SIGUSR1))
    assert ended(process) == 0


@pytest.mark.usefixtures("as_root")
def test_signals_another_user_s_command_without_the_capability_for_it(stage: Stage) -> None:
    outer = ["env", "SPILLWAY_RUN=user 7 7 -\ndrop SETGID,SETPCAP,SETUID\ngrace 100", str(stage.binary)]
    command = ["sh", "-c", "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.01; done"]
    process = stage.start("drop KILL", "grace 200", command=[*outer, "run", "inner", "--", *command])
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert said(process) == "asked"
    assert ended(process) == 5


def test_as_process_one_it_reaps_and_leaves_nothing(stage: Stage, as_process_one: tuple[str, ...]) -> None:
    command = shell("(setsid sleep 60 & exec true); (sleep 0.01 & exec true); exit 7")
    process = stage.start(
        "restart OnFailure", command=command, before=as_process_one, SPILLWAY_RUN_SECOND="1000"
    )
    eventually(lambda: len(stage.ends()) == 2, what="the second run ended")
    helper = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().strip()
    assert Path(f"/proc/{helper}/task/{helper}/children").read_text() == ""
    os.kill(int(helper), signal.SIGTERM)
    assert ended(process) == 7


def test_the_command_may_read_the_terminal_and_gets_its_signals(stage: Stage) -> None:
    script = (
        "import os, pty, sys; pid, terminal = pty.fork();"
        "pid or os.execve(sys.argv[1], sys.argv[1:], dict(os.environ));"
        "os.write(terminal, b'typed\\n'); seen = b'';\n"
        "while b'<typed>' not in seen: seen += os.read(terminal, 100)\n"
        "os.write(terminal, b'\\x03'); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    reads = shell("trap 'exit 9' INT; read line; echo \"<$line>\"; while :; do sleep 0.01; done")
    process = stage.start(command=reads, before=(sys.executable, "-c", script))
    assert said(process) == "9"
    assert ended(process) == 0
