"""`exec`: its words on the wire, in a real terminal; tests/kubelet/sessions has what they are good for."""

import base64
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.helper.fakes import Stage, b64, eventually
from tests.helper.terminals import BEGUN, KEY, NONCE, READY, Terminal, document, said
from tests.helper.test_run import is_running


def test_says_everything_in_lines(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "cat; echo err >&2; exit 7")
        terminal.type(b"b3V0", b".")
        lines = terminal.lines()
        assert (said(lines, b":"), said(lines, b"!")) == (b"out", b"err\n")
        assert b".7" in lines
        assert lines[-1] == b"$"
        assert terminal.ended() == 7


def test_says_that_the_command_took_a_line_of_stdin(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "read line; read line")
        terminal.type(b"b25lCg==")
        terminal.until(b"^" + KEY.encode() + b"\n")
        terminal.type(b"dHdvCg==")
        assert terminal.lines().count(b"^") == 2


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n\n"])
def test_takes_whatever_a_line_end_became_on_the_way(end: bytes, stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("cat")
        os.write(terminal.file, b"b3V0" + end + b"-" + end + b"." + end)
        assert said(terminal.lines(), b":") == b"out"


def test_words_may_be_cut_into_lines_anywhere(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.until(READY)
        terminal.type(
            b64(f"{KEY}\x00600\0prin").encode(), b64("tf\0%s|\0a").encode(), b64(" b\0\0").encode(), b"."
        )
        assert said(terminal.lines(), b":") == b"a b||"


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        pytest.param(b"no base64!", b"not base64", id="no base64"),
        pytest.param(b".", b"no command was typed", id="no command"),
        pytest.param(b"bHM=\n.", b"no command was typed", id="no NUL at the end"),
        pytest.param(document(KEY, "600") + b"\n.", b"no command was typed", id="no word"),
        pytest.param(document("ls", "-l", "/") + b"\n.", b"no number of seconds", id="no key"),
        pytest.param(document(KEY, "0", "ls") + b"\n.", b"no number of seconds", id="no time at all"),
    ],
)
def test_what_is_typed_wrong_ends_it(typed: bytes, complaint: bytes, stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.until(READY)
        terminal.type(typed)
        assert complaint in terminal.rest()
        assert terminal.ended() == 78


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["exec"], id="no kind"),
        pytest.param(["exec", "pipe"], id="no nonce"),
        pytest.param(["exec", "pope", NONCE], id="no such kind"),
        pytest.param(["exec", "pipe", NONCE, "more"], id="too many"),
    ],
)
def test_bad_words_are_refused(words: list[str], stage: Stage) -> None:
    result = stage.call(*words)
    assert result.returncode == 78
    assert "usage: exec pipe NONCE | exec tty NONCE" in result.stderr


def test_needs_a_terminal(stage: Stage) -> None:
    result = stage.call("exec", "pipe", NONCE)
    assert result.returncode == 74
    assert "no terminal" in result.stderr


def test_a_terminal_is_as_it_was_before_while_the_command_has_it(stage: Stage) -> None:
    with Terminal(stage, "tty") as terminal:
        terminal.type_command("sh", "-c", "stty -a; exit 3")
        shown = terminal.rest()
        assert shown.startswith(READY)
        assert shown.count(BEGUN) == 1
        assert b" icanon " in shown
        assert b" echo " in shown
        assert shown.endswith(KEY.encode() + b":3.")
        assert terminal.ended() == 3


def test_a_command_that_takes_the_terminal_for_itself_gives_it_back(stage: Stage) -> None:
    with Terminal(stage, "tty") as terminal:
        terminal.type_command("sh", "-c", "stty tostop; kill -KILL $$")
        assert terminal.rest().endswith(KEY.encode() + b":137.")


@pytest.mark.parametrize("kind", ["pipe", "tty"])
def test_the_terminals_end_is_a_hang_up_for_the_command(kind: str, stage: Stage, tmp_path: Path) -> None:
    left = tmp_path / "left"
    with Terminal(stage, kind) as terminal:
        terminal.type_command(
            "sh", "-c", f"trap 'echo $$ > {left}; exit' HUP; echo on; while :; do sleep 0.01; done"
        )
        terminal.until(b"b24K" if kind == "pipe" else b"on")
        terminal.hang_up()
        terminal.ended()
    eventually(left.exists, what="the trap")


@pytest.mark.parametrize("kind", ["pipe", "tty"])
def test_a_command_that_does_not_heed_the_hang_up_is_killed_with_its_group(
    kind: str, stage: Stage, tmp_path: Path
) -> None:
    left, child = tmp_path / "left", tmp_path / "child"
    stays = "trap '' HUP; echo $$ > {}; while :; do sleep 0.01; done".format
    with Terminal(stage, kind) as terminal:
        terminal.type_command("sh", "-c", f'sh -c "$0" & {stays(left)}', stays(child))
        eventually(lambda: is_written(left) and is_written(child), what="the command")
        terminal.hang_up()
        terminal.ended()
    processes = [int(each.read_text()) for each in (left, child)]
    eventually(lambda: not any(map(is_running, processes)), what="the end of both")


@pytest.mark.parametrize("kind", ["pipe", "tty"])
def test_a_session_that_is_killed_is_a_hang_up_for_the_command(
    kind: str, stage: Stage, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    with Terminal(stage, kind) as terminal:
        terminal.type_command(
            "sh", "-c", f"trap 'echo $$ > {left}; exit' HUP; echo on; while :; do sleep 0.01; done"
        )
        terminal.until(b"b24K" if kind == "pipe" else b"on")
        terminal.process.kill()
        eventually(lambda: is_written(left), what="the trap")


def test_a_session_that_is_killed_before_there_is_a_command_leaves_nothing(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        worker = child_of(terminal.process.pid)
        terminal.process.kill()
        eventually(lambda: not is_running(worker), what="the worker's end")


def is_written(file: Path) -> bool:
    return file.exists() and file.read_text().endswith("\n")


def child_of(process: int) -> int:
    """The one child of a process, once there is one."""
    children = Path(f"/proc/{process}/task/{process}/children")
    eventually(lambda: bool(children.read_text()), what="a child")
    return int(children.read_text())


def test_the_command_has_the_containers_variables_and_folder(stage: Stage, tmp_path: Path) -> None:
    plan = f"known IMAGE\nenv GREETING {b64('hello $(IMAGE)')}\nworkdir {b64(str(tmp_path))}"
    with Terminal(stage, "pipe", SPILLWAY_RUN=plan, IMAGE="there") as terminal:
        terminal.type_command("sh", "-c", "echo $GREETING; pwd; env | grep -c SPILLWAY_RUN=")
        assert said(terminal.lines(), b":").decode().split("\n") == ["hello there", str(tmp_path), "0", ""]


def test_the_command_is_the_containers_user(stage: Stage, as_root: None) -> None:
    nobody = pwd.getpwnam("nobody")
    plan = f"user {nobody.pw_uid} {nobody.pw_gid} -"
    with Terminal(stage, "pipe", SPILLWAY_RUN=plan) as terminal:
        terminal.type_command("sh", "-c", "id -u; id -g")
        assert said(terminal.lines(), b":").decode().split() == [str(nobody.pw_uid), str(nobody.pw_gid)]


def test_nothing_is_done_again_that_was_done_once(stage: Stage, tmp_path: Path) -> None:
    (stage.etc / "hosts").write_text("")
    plan = f"host 10.0.0.1 db\nplace {b64('/etc/hostname')} {b64(str(tmp_path / 'placed'))} -\nrestart Always"
    with Terminal(stage, "pipe", SPILLWAY_RUN=plan) as terminal:
        terminal.type_command("true")
        terminal.rest()
    assert (stage.etc / "hosts").read_text() == ""
    assert not (tmp_path / "placed").exists()
    assert stage.records() == []


def test_a_stopped_reader_of_its_output_does_not_stop_its_input(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", f"cat /dev/zero | head -c 1000000 & cat > {done}; wait")
        terminal.type(b"b3V0", b".")
        eventually(lambda: done.exists() and done.read_text() == "out", what="the input")
        assert len(said(terminal.lines(), b":")) == 1_000_000


def test_a_command_with_pipes_has_no_terminal_to_ask_at(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "read line < /dev/tty; echo asked $?")
        assert said(terminal.lines(), b":").startswith(b"asked ")


def test_it_ends_as_asked(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "echo on; sleep 60")
        terminal.until(b"b24K")
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(terminal.process.pid)], check=True)
        assert b".143" in terminal.lines()


def test_every_line_has_the_key_behind_its_mark(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "cat; echo err >&2")
        terminal.type(b"b3V0", b".")
        lines = terminal.rest().split(READY, 1)[1].split()
        assert {line[:1] for line in lines} == {b":", b"!", b"^", b".", b"$"}
        assert all(line[1:].startswith(KEY.encode()) for line in lines)


def test_nobody_else_in_the_container_finds_the_key(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "cat /proc/$PPID/cmdline /proc/$PPID/environ /proc/*/cmdline; env")
        assert KEY.encode() not in said(terminal.lines(), b":")


def test_the_command_cannot_write_where_its_end_is_told(stage: Stage, as_root: None) -> None:
    with Terminal(stage, "pipe", SPILLWAY_RUN="drop SYS_PTRACE") as terminal:
        terminal.type_command("sh", "-c", "echo forged > /proc/$PPID/fd/1; echo tried $?")
        assert said(terminal.lines(), b":").startswith(b"tried ")
        assert b"forged" not in terminal.shown


def test_a_command_whose_client_is_silent_for_too_long_is_ended(stage: Stage, tmp_path: Path) -> None:
    left = tmp_path / "left"
    with Terminal(stage, "pipe") as terminal:
        script = f"trap 'echo $$ > {left}; exit' HUP; echo on; while :; do sleep 0.01; done"
        terminal.type_command("sh", "-c", script, silence=1)
        terminal.rest()
    eventually(left.exists, what="the trap")


def test_signs_of_life_keep_a_command_that_reads_nothing(stage: Stage) -> None:
    with Terminal(stage, "pipe") as terminal:
        terminal.type_command("sh", "-c", "sleep 4; cat", silence=3)
        terminal.type(base64.b64encode(bytes(45)) * 50)
        for _ in range(40):
            os.write(terminal.file, b"-\n" * 2000)
            time.sleep(0.1)
        terminal.type(b".")
        assert said(terminal.lines(), b":") == bytes(45 * 50)
