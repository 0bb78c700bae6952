"""`kubectl exec -it`: the terminal itself, on the helper and on each shell."""

import pytest

from tests.kubelet.sessions.fakes import FakeRemote, Stage, Terminals


@pytest.mark.parametrize("code", [0, 3, 255])
async def test_the_status_tells_the_exit_code(code: int, stage: Stage) -> None:
    assert (await stage.run("sh", "-c", f"exit {code}", tty=True)).code == code


async def test_the_command_has_a_terminal_and_the_client_sees_nothing_of_ours(stage: Stage) -> None:
    remote = await stage.run(
        "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo yes; echo no newline | tr -d '\n'", tty=True
    )
    assert (remote.out, remote.err) == (b"yes\r\nno newline", b"")


async def test_what_is_typed_is_echoed_as_by_any_terminal(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", "-c", "read line; echo got $line", tty=True, remote=remote)
    remote.send(b"hello\r")
    await running
    assert remote.out == b"hello\r\ngot hello\r\n"


async def test_ctrl_c_ends_the_command_and_its_code_is_told(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", "-c", "echo on; while :; do sleep 0.05; done", tty=True, remote=remote)
    await remote.until(b"on")
    remote.send(b"\x03")
    await running
    assert remote.code == 130


async def test_ctrl_c_is_the_commands_to_handle(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    script = "trap 'echo caught; exit 5' INT; echo on; while :; do sleep 0.05; done"
    running = stage.begin("sh", "-c", script, tty=True, remote=remote)
    await remote.until(b"on")
    remote.send(b"\x03")
    await running
    assert remote.code == 5
    assert b"caught" in remote.out


async def test_the_end_of_stdin_ends_what_reads_it(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("cat", tty=True, remote=remote)
    remote.send(b"all\r")
    await remote.until(b"all\r\nall\r\n")
    remote.send(b"")
    await running
    assert remote.code == 0


async def test_the_terminal_gets_the_clients_size_and_every_new_one(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    remote.sizes.put_nowait((132, 43))
    script = "for size in '43 132' '25 80'; do until stty size | grep \"$size\"; do sleep 0.01; done; done"
    running = stage.begin("sh", "-c", script, tty=True, remote=remote)
    await remote.until(b"43 132\r\n")
    remote.sizes.put_nowait((80, 25))
    await running
    assert remote.out == b"43 132\r\n25 80\r\n"


async def test_bytes_that_are_no_text_pass_unchanged(stage: Stage) -> None:
    remote = await stage.run("printf", "\\377\\000\\303(", tty=True)
    assert remote.out == b"\xff\x00\xc3("


async def test_a_shell_in_the_terminal_has_the_exit_code_of_its_end(stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", tty=True, remote=remote)
    remote.send(b"echo $((20 + 2))\r")
    await remote.until(b"22\r\n")
    remote.send(b"exit 9\r")
    await running
    assert remote.code == 9


async def test_long_words_are_typed_whole(stage: Stage) -> None:
    remote = await stage.run("printf", "%s", "x" * 20_000, tty=True)
    assert remote.out == b"x" * 20_000


async def test_a_command_that_is_not_there_ends_with_127(stage: Stage) -> None:
    remote = await stage.run("no-such-command-anywhere", tty=True)
    assert remote.code == 127
    assert b"no-such-command-anywhere" in remote.out


async def test_an_image_without_stty_has_its_terminal_all_the_same(without: Terminals) -> None:
    remote = await Stage(without).run("sh", "-c", "echo fine; exit 2", tty=True)
    assert (remote.code, remote.out) == (2, b"fine\r\n")
