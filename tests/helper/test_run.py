"""`run`: signals, exit codes, orphans, hooks, the termination message and its records."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.helper.fakes import WAITS_FOR_A_SIGNAL, Stage, b64, ended, eventually, said

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


def hook(kind: str, text: str) -> str:
    return " ".join([kind, "exec", *map(b64, shell(text))])


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


@pytest.mark.parametrize(
    ("text", "most", "message"),
    [
        pytest.param("bye", 4096, "bye", id="whole"),
        pytest.param("0123456789", 4, "6789", id="the last bytes"),
        pytest.param("bye", 0, None, id="none asked for"),
        pytest.param("", 4096, None, id="empty"),
    ],
)
def test_records_the_termination_message(
    text: str, most: int, message: str | None, stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "dev/termination-log"
    stage.run(f"message {b64(str(path))} File {most}", command=shell(f"printf %s '{text}' > {path}"))
    assert stage.ends()[0].get("message") == (message and b64(message))


def test_records_why_there_can_be_no_message_and_runs(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.symlink_to("elsewhere")
    result = stage.run(f"message {b64(str(path))} File 4096", command=shell(f"echo bye > {path}"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "ymbolic link" in stage.records()[0]["noMessage"]
    assert "message" not in stage.ends()[0]


def test_the_message_of_one_run_is_not_that_of_the_next(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    command = shell(
        f"[ -e {tmp_path}/second ] && exit 0; touch {tmp_path}/second; echo once > {path}; exit 1"
    )
    lines = [f"message {b64(str(path))} FallbackToLogsOnError 4096", "restart OnFailure"]
    assert stage.run(*lines, command=command).returncode == 0
    assert [end.get("message") for end in stage.ends()] == [b64("once\n"), None]


@pytest.mark.parametrize("make", ["ln -s /etc/passwd", "mkfifo", "mkdir"])
def test_reads_no_message_but_from_a_plain_file(make: str, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    result = stage.run(f"message {b64(str(path))} File 4096", command=shell(f"rm {path}; {make} {path}"))
    assert result.returncode == 0
    assert "message" not in stage.ends()[0]


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
