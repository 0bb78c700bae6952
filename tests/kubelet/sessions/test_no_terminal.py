"""Without `-t` a command has no terminal: ours, beneath it, is neither to be read nor to be written."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.helper.test_run import is_running
from tests.kubelet.sessions.fakes import FakeRemote, Stage, Terminals, eventually

TOOLS = ("stty", "base64", "dd", "cat", "head", "sleep")
HAS_NO_SETSID = pytest.mark.parametrize(
    "without",
    [pytest.param(("sh", *TOOLS), id="sh"), pytest.param(("sh=bash", *TOOLS), id="bash")],
    indirect=True,
)
FORGED = r"printf '.0\n$\n'"


async def test_what_reads_dev_tty_steals_nothing_of_stdin(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    script = "(head -c 5 </dev/tty >/dev/null; echo asked) 2>/dev/null & echo on; cat"
    running = stage.begin("sh", "-c", script, remote=remote)
    await remote.until(b"asked")
    remote.send(b"one\n")
    await remote.until(b"one\n")
    remote.send(b"two\n")
    remote.send(b"")
    await running
    assert (remote.code, remote.out.replace(b"asked\n", b"")) == (0, b"on\none\ntwo\n")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("echo hi > /dev/tty", id="writing"),
        pytest.param("read line < /dev/tty", id="reading"),
        pytest.param("stty sane < /dev/tty", id="setting it"),
    ],
)
async def test_dev_tty_cannot_be_opened(script: str, stage: Stage) -> None:
    remote = await stage.run("sh", "-c", f"({script}) && echo opened; echo out; exit 3")
    assert (remote.code, remote.out) == (3, b"out\n")


async def test_what_is_left_running_outlives_the_session(stage: Stage, tmp_path: Path) -> None:
    left, go_on = tmp_path / "left", tmp_path / "go on"
    loop = f"until test -e '{go_on}'; do sleep 0.05; done; echo > {left}"
    remote = await stage.run("sh", "-c", f"({loop}) >/dev/null 2>&1 </dev/null & echo begun")
    assert (remote.code, remote.out) == (0, b"begun\n")
    go_on.touch()
    await eventually(left.exists)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("/proc/$PPID/fd/1", id="its parent's output"),
        pytest.param("/proc/$PPID/fd/4", id="the shell's terminal"),
    ],
)
async def test_a_command_cannot_tell_its_own_end(where: str, stage: Stage) -> None:
    script = f"({FORGED} > {where}) 2>/dev/null; sleep 0.3; exit 5"
    assert (await stage.run("sh", "-c", script)).code != 0


@pytest.mark.parametrize("tty", [pytest.param(False, id="pipes"), pytest.param(True, id="terminal")])
async def test_a_command_cannot_tell_its_end_by_what_can_be_read_of_the_session(
    *, tty: bool, stage: Stage
) -> None:
    script = 'cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr "\\0" "\\n"; env; set'
    remote = await stage.run("sh", "-c", script, tty=tty)
    assert remote.code == 0
    assert b"c0ffee00" in remote.out
    assert b"c0ffee01" not in remote.out


async def test_the_nonce_that_everybody_sees_ends_no_terminal(stage: Stage) -> None:
    nonce = f"{0xC0FFEE00:032x}"
    remote = await stage.run("sh", "-c", f"printf {nonce}:0.; exit 5", tty=True)
    assert remote.code == 5


@HAS_NO_SETSID
async def test_without_setsid_nothing_can_be_read_of_the_terminal(without: Terminals) -> None:
    script = "head -c 5 </dev/tty && echo read; cat; exit 4"
    remote = await Stage(without).run("sh", "-c", script, stdin=b"all of it\n" * 2000)
    assert (remote.code, remote.out) == (4, b"all of it\n" * 2000)


@HAS_NO_SETSID
async def test_without_setsid_what_is_written_to_the_terminal_is_told_as_such(without: Terminals) -> None:
    remote = await Stage(without).run("sh", "-c", "echo hello > /dev/tty; cat")
    assert remote.code == -1
    assert "hello" in remote.message


@pytest.mark.parametrize(
    ("trap", "stdin"),
    [
        pytest.param("echo > LEFT; exit", b"", id="heeds it"),
        pytest.param("", b"", id="ignores it"),
        pytest.param("echo > LEFT; exit", b"x" * 400_000, id="reads nothing"),
    ],
)
async def test_a_client_that_vanishes_hangs_up(trap: str, stdin: bytes, stage: Stage, tmp_path: Path) -> None:
    await hang_up(stage, trap, stdin, tmp_path)


@HAS_NO_SETSID
@pytest.mark.parametrize(
    "trap", [pytest.param("echo > LEFT; exit", id="heeds it"), pytest.param("", id="ignores it")]
)
async def test_without_setsid_a_client_that_vanishes_hangs_up(
    trap: str, without: Terminals, tmp_path: Path
) -> None:
    await hang_up(Stage(without), trap, b"", tmp_path)


@HAS_NO_SETSID
async def test_without_setsid_a_client_that_vanishes_as_the_command_begins_hangs_up(
    without: Terminals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell gives the terminal back (`set +m`) when there is none any more, and is not killed yet."""
    begun, gone, late = tmp_path / "begun", tmp_path / "gone", tmp_path / "late"
    late.mkdir()
    os.mkfifo(gone)
    hold = os.open(gone, os.O_RDWR)
    slow = late / "sh"
    slow.write_text(
        f"#!{without.sh[0]}\n"
        f"""text=$(echo "$2" | {shutil.which("sed")} '/set +m/s|^|echo > {late}/met; read _ < {gone}; |')\n"""
        f'shift 2; exec {without.sh[0]} -c "$text" "$@"\n'
    )
    slow.chmod(0o755)
    without.variables["PATH"] = f"{late}:{tmp_path}"
    stage = Stage(without)
    running = stage.begin("sh", "-c", f"echo $$ > {begun}; cat", remote=FakeRemote(stays=True))
    await eventually(lambda: (late / "met").exists() and begun.exists() and bool(begun.read_text()))
    monkeypatch.setattr(stage.session, "kill", stage.session.hang_up)
    running.cancel()
    await eventually(lambda: stage.session.is_closed)
    os.write(hold, b"\n")
    os.close(hold)
    await asyncio.gather(running, return_exceptions=True)
    await eventually(lambda: not is_running(int(begun.read_text())))


async def hang_up(stage: Stage, trap: str, stdin: bytes, folder: Path) -> None:
    """Vanish, and wait until the command has ended."""
    begun = folder / "begun"
    trap = trap.replace("LEFT", str(folder / "left"))
    script = f"trap '' PIPE; trap '{trap}' HUP; echo $$ > {begun}; echo on; while :; do sleep 0.05; done"
    remote = FakeRemote(stdin, stays=True)
    running = stage.begin("sh", "-c", script, remote=remote)
    await remote.until(b"on")
    await asyncio.sleep(0.3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    process = int(begun.read_text())
    await eventually(lambda: not is_running(process))
    assert (folder / "left").exists() == bool(trap)
