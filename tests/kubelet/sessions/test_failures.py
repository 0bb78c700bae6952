"""What an exec says where it cannot be, or ends before its command."""

import asyncio
from pathlib import Path

import pytest

from app.kubelet.lifetime import LOOK_SECONDS
from app.kubelet.messages import Answer, Request, Upgrade
from app.kubelet.sessions.limits import SessionConfig
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from tests.kubelet.sessions.fakes import (
    A_PATH,
    PATIENCE_SECONDS,
    FakeRemote,
    Stage,
    Terminals,
    eventually,
)

AN_UPGRADE = Request(
    method="POST",
    target="/exec/shop/web-1/main",
    headers=(
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "v4.channel.k8s.io"),
    ),
)
IN_PIPES = ["sh", "-c", "echo on; while :; do sleep 0.05; done"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param("output=1", "at least one command", id="no command"),
        pytest.param("command=ls", "at least 1 of stdin, stdout, stderr", id="no stream"),
        pytest.param("command=ls&tty=1&error=1", "at least 1 of stdin, stdout, stderr", id="tty's stderr"),
        pytest.param("command=ls&command=a%00b&output=1", "NUL", id="a NUL"),
    ],
)
async def test_bad_options_are_answered_400(query: str, text: str, shell: Stage) -> None:
    answer = await shell.exec.answer(AN_UPGRADE, A_PATH, query)
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert text in answer.text


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        pytest.param(NotFound('container "main" not found in pod "web-1"'), 404, id="no such container"),
        pytest.param(Refused("give the pod a task role that may ssmmessages:*"), 400, id="no ECS Exec"),
    ],
)
async def test_a_container_without_sessions_is_answered_before_the_upgrade(
    failure: PortFailure, status: int, shell: Stage
) -> None:
    shell.containers.failure = failure
    answer = await shell.exec.answer(AN_UPGRADE, A_PATH, "command=ls&output=1")
    assert answer == Answer(status=status, text=str(failure))


async def test_what_is_right_is_upgraded(shell: Stage) -> None:
    assert isinstance(await shell.exec.answer(AN_UPGRADE, A_PATH, "command=ls&output=1"), Upgrade)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(
            Refused("the cluster's KMS key cannot be used: allow kms:GenerateDataKey"), id="refused"
        ),
        pytest.param(Unavailable("ECS does not answer"), id="no answer"),
        pytest.param(NotFound("the task has stopped"), id="gone"),
    ],
)
async def test_a_session_that_does_not_open_is_an_internal_error_with_its_reason(
    failure: PortFailure, shell: Stage
) -> None:
    shell.terminals.failure = failure
    remote = await shell.run("ls")
    assert remote.statuses[0]["reason"] == "InternalError"
    assert remote.message == f"Internal error occurred: error executing command in container: {failure}"


@pytest.mark.parametrize(
    ("without", "tool"),
    [
        pytest.param(("sh", "base64", "dd"), "stty", id="stty"),
        pytest.param(("sh", "stty", "dd"), "base64", id="base64"),
        pytest.param(("sh", "stty", "base64"), "dd", id="dd"),
    ],
    indirect=["without"],
)
async def test_a_tool_that_the_image_lacks_is_named_with_the_mend(without: Terminals, tool: str) -> None:
    remote = await Stage(without).run("sh", "-c", "true")
    assert f'the image has no "{tool}"' in remote.message
    assert "kubectl exec -it" in remote.message


async def test_an_image_without_a_shell_says_so() -> None:
    stage = Stage(Terminals(sh=("/no/such/shell",)))
    remote = await stage.run("ls")
    assert 'needs "sh"' in remote.message
    assert "/no/such/shell" in remote.message


async def test_a_helper_that_is_not_there_says_so() -> None:
    stage = Stage(Terminals(helper="/no/such/helper"))
    remote = await stage.run("ls")
    assert "/no/such/helper" in remote.message


async def test_a_session_that_does_not_begin_in_time_is_given_up() -> None:
    stage = Stage(Terminals(sh=("sh", "-c", "sleep 60")), config=SessionConfig(open_seconds=0.1))
    remote = await stage.run("ls")
    assert "no answer within 0.1 s" in remote.message
    assert stage.all_closed


@pytest.mark.parametrize("tty", [pytest.param(False, id="pipes"), pytest.param(True, id="terminal")])
async def test_a_session_that_ends_before_its_command_is_no_success(*, tty: bool, stage: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = stage.begin(*IN_PIPES, tty=tty, remote=remote)
    await remote.until(b"on")
    stage.session.kill()
    await running
    assert remote.code == -1
    assert "the session ended before the command" in remote.message


async def test_a_session_that_ended_with_its_container_says_what_is_known_of_it(shell: Stage) -> None:
    remote = FakeRemote(stays=True)
    running = shell.begin(*IN_PIPES, remote=remote)
    await remote.until(b"on")
    shell.containers.end = 'container "main" in pod "web-1" is terminated'
    shell.session.kill()
    await running
    assert remote.message.endswith('before the command: container "main" in pod "web-1" is terminated')


@pytest.mark.parametrize("tty", [pytest.param(False, id="pipes"), pytest.param(True, id="terminal")])
async def test_a_session_that_stays_open_ends_with_its_container(*, tty: bool) -> None:
    stage = Stage(Terminals(), config=SessionConfig(last_words_seconds=0.1))
    remote = FakeRemote(stays=True)
    running = stage.begin(*IN_PIPES, tty=tty, remote=remote)
    await remote.until(b"on")
    stage.containers.end = 'container "main" in pod "web-1" is terminated: its task has stopped'
    await running
    assert remote.code == -1
    assert remote.message.endswith(
        "error executing command in container: the container ended before the command: "
        'container "main" in pod "web-1" is terminated: its task has stopped'
    )
    assert stage.all_closed


async def test_the_client_is_told_of_the_end_before_a_session_closes_that_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage(Terminals(), config=SessionConfig(last_words_seconds=0.1))
    remote = FakeRemote(stays=True)
    running = stage.begin(*IN_PIPES, remote=remote)
    await remote.until(b"on")
    closing = asyncio.Event()
    close = stage.session.close

    async def slowly() -> None:
        await closing.wait()
        await close()

    monkeypatch.setattr(stage.session, "close", slowly)
    stage.containers.end = "its task has stopped"
    await eventually(lambda: bool(remote.statuses))
    closing.set()
    await running
    assert remote.code == -1


async def test_a_container_that_ends_while_its_session_opens_is_told_at_once() -> None:
    silent = Terminals(sh=("sh", "-c", "sleep 60"))
    stage = Stage(silent, config=SessionConfig(last_words_seconds=0.1))
    stage.containers.end = 'container "main" in pod "web-1" is terminated'
    remote = await stage.run("ls")
    assert remote.message.endswith('before the command: container "main" in pod "web-1" is terminated')


async def test_what_a_container_says_last_is_still_shown() -> None:
    stage = Stage(Terminals(), config=SessionConfig(last_words_seconds=PATIENCE_SECONDS))
    remote = FakeRemote(stays=True)
    running = stage.begin("sh", "-c", "echo on; read _; echo last; exit 3", remote=remote)
    await remote.until(b"on")
    stage.containers.end = "its task has stopped"
    await asyncio.sleep(LOOK_SECONDS + 0.2)
    remote.send(b"\n")
    await running
    assert (remote.out, remote.code) == (b"on\nlast\n", 3)


async def test_a_helper_of_a_version_that_runs_no_commands_is_told_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "helper"
    old.write_text(
        "#!/bin/sh\n"
        "echo 'spillway-helper: usage: spillway-helper install | run NAME -- COMMAND... | keep' >&2\n"
        "exit 1\n"
    )
    old.chmod(0o755)
    remote = await Stage(Terminals(helper=str(old))).run("ls")
    assert remote.message.endswith(
        "the session ended before the command began: Spillway's helper in this pod is of a version that runs "
        "no commands; let --helper-image (bridge.settings.helperImage) be of the bridge's version, and make "
        "the pod anew"
    )


@pytest.mark.parametrize(
    ("tty", "says"),
    [
        pytest.param(False, 'echo ":$words"; echo .3; echo "$"', id="pipes"),
        pytest.param(True, 'printf "$3:0."; echo "$words" | base64 -d; printf "$3:3."', id="terminal"),
    ],
)
async def test_a_helper_that_knows_of_no_key_goes_on_working(*, tty: bool, says: str, tmp_path: Path) -> None:
    old = tmp_path / "helper"
    old.write_text(f'#!/bin/sh\nstty -echo; printf "$3:0."; read words; read end\n{says}\n')
    old.chmod(0o755)
    remote = await Stage(Terminals(helper=str(old))).run("ls", "-l", tty=tty)
    assert (remote.code, remote.out) == (3, b"ls\0-l\0")


async def test_foreign_words_on_the_terminal_are_no_output(shell: Stage) -> None:
    remote = await shell.run("sh", "-c", "echo 'a wall message' > /proc/$PPID/fd/4; sleep 5")
    assert remote.out == b""
    assert "a wall message" in remote.message


async def test_a_client_that_vanishes_while_the_session_opens_leaves_none(shell: Stage) -> None:
    running = shell.begin("cat", remote=FakeRemote(stays=True))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert shell.all_closed
