"""Commands without a terminal of their own, framed in real ones, by the helper and by each shell."""

import asyncio
import io
import random
import re
import tarfile
from pathlib import Path

import pytest

from app.kubelet.sessions.limits import SessionConfig
from tests.kubelet.sessions.fakes import FakeRemote, Stage, eventually

RANDOM = random.Random(5).randbytes(1 << 20)  # noqa: S311 - the same bytes in every run
EVERY_BYTE = bytes(range(256)) * 3
ANY_WORD = bytes(range(1, 256))


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("exit 0", 0, id="success"),
        pytest.param("exit 7", 7, id="a code"),
        pytest.param("exit 255", 255, id="the largest code"),
        pytest.param("kill -KILL $$", 137, id="killed"),
        pytest.param("kill -TERM $$", 143, id="terminated"),
    ],
)
async def test_the_status_tells_the_exit_code(script: str, code: int, stage: Stage) -> None:
    assert (await stage.run("sh", "-c", script)).code == code


async def test_a_command_that_is_not_there_ends_with_127_and_says_so_on_stderr(stage: Stage) -> None:
    remote = await stage.run("no-such-command-anywhere")
    assert (remote.code, remote.out) == (127, b"")
    assert b"no-such-command-anywhere" in remote.err


async def test_a_command_that_cannot_be_executed_ends_with_126(stage: Stage) -> None:
    assert (await stage.run("/etc/passwd")).code == 126


async def test_the_shells_own_words_are_no_commands(stage: Stage) -> None:
    assert (await stage.run("exit", "3")).code == 127


async def test_stdout_and_stderr_stay_apart(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "echo out; echo err >&2; echo more")
    assert (remote.out, remote.err) == (b"out\nmore\n", b"err\n")


async def test_a_mebibyte_of_random_bytes_comes_back_as_it_went(stage: Stage) -> None:
    remote = await stage.run("cat", stdin=RANDOM)
    assert remote.code == 0
    assert remote.out == RANDOM


async def test_both_outputs_at_once_do_not_mix(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "tee /dev/stderr", stdin=RANDOM[:300_000])
    assert remote.out == RANDOM[:300_000]
    assert remote.err == RANDOM[:300_000]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no newline", id="no newline at the end"),
        pytest.param(b"\n", id="one newline"),
        pytest.param(b"\r\n\r\r\n", id="carriage returns"),
        pytest.param(b"\x03\x04\x11\x13\x15\x16\x1a\x1c\x7f", id="what terminals act on"),
        pytest.param(b"\xff\xfe\xc3(\x80", id="invalid UTF-8"),
        pytest.param(EVERY_BYTE, id="every byte"),
        pytest.param(b".\n-\n$\n", id="what we type ourselves"),
        pytest.param(b"x" * 10_000, id="a line longer than a terminal's"),
    ],
)
async def test_bytes_pass_unchanged(content: bytes, stage: Stage) -> None:
    remote = await stage.run("cat", stdin=content)
    assert (remote.code, remote.out) == (0, content)


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a  b", id="spaces"),
        pytest.param(b'it\'s "so" `x` $(y) $HOME \\n * ~ !', id="what shells act on"),
        pytest.param(b"one\ntwo\n", id="newlines"),
        pytest.param(ANY_WORD, id="every byte but NUL"),
        pytest.param("käse".encode(), id="UTF-8"),
        pytest.param(b"%s%d%%", id="what printf acts on"),
        pytest.param(b".", id="what ends a document"),
    ],
)
async def test_words_reach_the_command_unchanged(word: bytes, stage: Stage) -> None:
    remote = await stage.run("printf", "%s|", "first", word, "last")
    assert remote.out == b"first|" + word + b"|last|"


async def test_a_long_list_of_words_is_typed_whole(stage: Stage) -> None:
    words = [f"word number {number}" for number in range(5000)]
    remote = await stage.run("printf", "%s\n", *words)
    assert remote.out.decode().splitlines() == words


async def test_a_command_that_reads_nothing_ends_by_itself(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "echo done", stdin=RANDOM)
    assert (remote.code, remote.out) == (0, b"done\n")


async def test_a_command_that_closes_its_stdin_goes_on(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "exec <&-; sleep 0.2; echo later", stdin=RANDOM)
    assert (remote.code, remote.out) == (0, b"later\n")


async def test_a_command_that_reads_slowly_holds_up_no_output(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "sleep 0.2; head -c 200000 /dev/zero; wc -c", stdin=RANDOM)
    assert remote.out[:200_000] == bytes(200_000)
    assert remote.out[200_000:].strip() == b"1048576"


async def test_stdins_end_reaches_the_command_while_it_goes_on(stage: Stage) -> None:
    remote = await stage.run("sh", "-c", "cat; echo after", stdin=b"all")
    assert remote.out == b"allafter\n"


async def test_output_comes_before_the_command_ends(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", "-c", "echo early; echo hidden >&2; read line; echo $line", remote=remote)
    await remote.until(b"early")
    await remote.until(b"hidden")
    remote.send(b"late\n")
    await running
    assert (remote.code, remote.out) == (0, b"early\nlate\n")


async def test_a_client_that_keeps_stdin_open_does_not_keep_the_session(stage: Stage) -> None:
    remote = await stage.run("true", remote=FakeRemote(b"", stays=True))
    assert remote.code == 0


async def test_a_shell_that_gets_its_commands_one_by_one_as_from_jenkins(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", remote=remote)
    remote.send(b'cd "/"\n')
    remote.send(b"pwd; printf 'JENKINS %s\\n' ready\n")
    await remote.until(b"JENKINS ready\n")
    remote.send(b"export BUILD_TAG='it''s'\nsh -c 'echo $BUILD_TAG; echo EXITCODE 3' ; (exit 3)\n")
    await remote.until(b"EXITCODE 3\n")
    remote.send(b"exit\n")
    await running
    assert remote.code == 3
    assert remote.out == b"/\nJENKINS ready\nits\nEXITCODE 3\n"


async def test_what_is_left_running_with_the_output_open_does_not_hold_the_end_up(
    stage: Stage,
) -> None:
    quick = Stage(stage.terminals, config=SessionConfig(drain_seconds=0.1))
    remote = await quick.run("sh", "-c", "sleep 5 & echo begun; exit 4")
    assert (remote.code, remote.out) == (4, b"begun\n")


async def test_a_folder_is_copied_out_as_kubectl_cp_does(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "some folder").mkdir()
    (tmp_path / "some folder" / "data").write_bytes(RANDOM[:100_000])
    remote = await stage.run("sh", "-c", f"cd {tmp_path} && tar cf - 'some folder'")
    with tarfile.open(fileobj=io.BytesIO(remote.out)) as archive:
        found = archive.extractfile("some folder/data")
        assert found is not None
        assert found.read() == RANDOM[:100_000]
    assert remote.code == 0


async def test_a_file_is_copied_in_as_kubectl_cp_does(stage: Stage, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("in it")
        entry.size = 100_000
        tar.addfile(entry, io.BytesIO(RANDOM[:100_000]))
    remote = await stage.run("tar", "-xmf", "-", "-C", str(tmp_path), stdin=archive.getvalue())
    assert remote.code == 0
    assert (tmp_path / "in it").read_bytes() == RANDOM[:100_000]


async def test_only_plain_characters_are_typed_and_shown(stage: Stage) -> None:
    await stage.run("sh", "-c", "cat; cat /dev/fd/0 >&2", stdin=EVERY_BYTE)
    assert re.fullmatch(rb"[\r\n -~]*", stage.session.typed)
    assert re.fullmatch(rb"[\r\n -~]*", stage.session.shown)


async def test_no_line_is_longer_than_a_terminal_takes(stage: Stage) -> None:
    await stage.run("cat", "-", "/dev/null", *["x" * 9000], stdin=RANDOM[:50_000])
    assert max(len(line) for line in re.split(rb"[\r\n]", stage.session.typed)) < 4095


async def test_the_command_line_is_short_and_has_one_pair_of_quotes_at_most(stage: Stage) -> None:
    await stage.run("printf", *["it's"] * 2000)
    (command,) = stage.terminals.commands
    assert len(command) < 400
    assert command.count("'") in {0, 2}
    assert not set(command) & set('"\\`')


async def test_the_environment_has_nothing_of_ours(stage: Stage) -> None:
    stage.terminals.variables |= {"GREETING": "hello", "SPW": "x"}
    remote = await stage.run("env")
    assert b"GREETING=hello" in remote.out.splitlines()
    assert b"set --" not in remote.out


async def test_a_client_that_vanishes_takes_its_command_with_it(stage: Stage, tmp_path: Path) -> None:
    left = tmp_path / "left"
    # The shell complains about its child's end into a pipe that may be gone by then.
    script = f"trap '' PIPE; trap 'echo hung up > {left}; exit' HUP; echo on; while :; do sleep 0.05; done"
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", "-c", script, remote=remote)
    await remote.until(b"on")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert stage.all_closed
    await eventually(left.exists)


async def test_a_session_is_kept_awake_without_a_word_to_the_command(stage: Stage) -> None:
    watched = Stage(stage.terminals, config=SessionConfig(awake_seconds=0.02))
    remote = FakeRemote(stays=True)
    running = watched.begin("cat", remote=remote)
    await eventually(lambda: bool(watched.terminals.opened) and watched.session.typed.count(b"\n-\n") > 2)
    remote.send(b"only this")
    remote.send(b"")
    await running
    assert (remote.code, remote.out) == (0, b"only this")
