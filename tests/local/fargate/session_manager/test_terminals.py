"""Sessions in containers that are processes of this host, over a socket."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.local.fargate.enclosed import mounted, sh
from tests.local.fargate.fakes import CLUSTER, a_container, until
from tests.local.fargate.session_manager.shell import Host

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """An embedded Fargate on a socket."""
    host = Host()
    await host.start()
    yield host
    await host.stop()


async def test_a_command_is_split_into_words_without_a_shell(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, """printf '%s|' a "b  c" '$HOME' 'it"s'""")
    assert await shell.ends() == b'a|b  c|$HOME|it"s|'


async def test_a_command_has_the_containers_environment_and_a_terminal(host: Host) -> None:
    variable = [{"name": "COLOUR", "value": "blue"}]
    arn = await host.enter(sh("sleep 600", environment=variable))
    shell = await host.shell(arn, "sh -c 'echo $COLOUR $TERM; tty; echo to stderr >&2'")
    shown = await shell.ends()
    assert re.fullmatch(rb"blue xterm-256color\r\n/dev/pts/\d+\r\nto stderr\r\n", shown)


async def test_a_shell_echoes_and_tells_no_exit_code(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh")
    await shell.send(b"echo $((6*7))\r")
    assert b"echo $((6*7))\r\n" in await shell.sees(b"42\r\n")
    await shell.send(b"exit 7\r")
    await shell.ends()
    assert shell.farewell == ""
    assert host.sessions()[-1] == ("ENDED", "its command is over")


async def test_ctrl_c_interrupts_what_runs(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(
        arn, "sh -c 'trap \"echo caught; exit\" INT; echo ready; while :; do sleep 0.1; done'"
    )
    await shell.sees(b"ready\r\n")
    await shell.send(b"\x03")
    assert b"caught" in await shell.ends()


async def test_a_new_size_reaches_the_command(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done'
    shell = await host.shell(arn, f"sh -c '{script}'")
    await shell.sees(b"ready\r\n")
    await shell.send(b'{"cols":132,"rows":43}', payload_type=3)
    assert await shell.ends() == b"43 132\r\n"


async def test_binary_data_passes_a_terminal_that_was_made_raw(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(
        arn, "sh -c 'stty raw -echo; echo ready; head -c 65536 | od -An -v -tx1 | cksum'"
    )
    await shell.sees(b"ready\n")
    data = bytes(range(256)) * 256
    for start in range(0, len(data), 1024):
        await shell.send(data[start : start + 1024])
    assert await shell.ends() == await _sum_of(data)


async def _sum_of(data: bytes) -> bytes:
    process = await asyncio.create_subprocess_shell(
        "od -An -v -tx1 | cksum", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(data)
    return out


async def test_a_lot_of_output_arrives_whole(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "seq 1 20000")
    assert await shell.ends() == b"".join(b"%d\r\n" % number for number in range(1, 20001))


async def test_a_reader_that_stops_stops_the_command(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "yes prolix")
    await shell.sees(b"prolix\r\n")
    [pid] = await _processes("yes prolix")
    written = await _settled(pid)
    assert written < 1 << 20
    await shell.sees(b"prolix\r\n" * (written // 7))


async def test_what_cannot_be_executed_is_told_at_the_end(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "/no/such/program")
    assert await shell.ends() == b""
    assert shell.farewell is not None
    assert "/no/such/program" in shell.farewell


async def test_a_session_and_all_that_it_started_die_with_the_container(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh -c 'sleep 6543 & setsid sleep 6543 & echo ready; wait'")
    await shell.sees(b"ready\r\n")
    await host.ask("ecs", "stop_task", cluster=CLUSTER, task=arn)
    await host.clock.advance(60)
    await shell.ends()
    assert await _processes("sleep 6543") == []


async def test_termination_kills_what_runs(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sleep 6544")
    shell = await host.connected(session)
    await shell.shake()
    await host.ask("ssm", "terminate_session", SessionId=session["sessionId"])
    await shell.ends()
    await until(lambda: "ENDED" in {status for status, _ in host.sessions()})
    async with asyncio.timeout(20):
        while await _processes("sleep 6544"):  # noqa: ASYNC110  (the kernel sets no event of ours)
            await asyncio.sleep(0.02)


async def test_stopping_leaves_no_process_behind(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh -c 'echo ready; sleep 6545'")
    await shell.sees(b"ready\r\n")
    await host.stop()
    assert await _processes("sleep 6545") == []


async def test_a_session_sees_the_containers_files_as_root(host: Host) -> None:
    script = "echo inside > /data/file; sleep 600"
    container = a_container(entryPoint=["sh", "-c", script], mountPoints=[mounted("data", "/data")])
    arn = await host.enter(container, volumes=[{"name": "data"}])
    shell = await host.shell(arn, "sh -c 'cat /data/file; echo $(id -u) > /data/who; cat /data/who; tty'")
    assert re.fullmatch(rb"inside\r\n0\r\n/dev/pts/\d+\r\n", await shell.ends())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be anybody")
async def test_a_session_is_root_with_no_more_rights_than_the_container(host: Host) -> None:
    limits = {"capabilities": {"drop": ["ALL"]}}
    arn = await host.enter(sh("sleep 600", user="1234", linuxParameters=limits))
    shell = await host.shell(arn, "sh -c 'id -u; grep CapEff /proc/self/status; echo $HOME'")
    assert await shell.ends() == b"0\r\nCapEff:\t0000000000000000\r\n/root\r\n"


async def _processes(command: str) -> list[int]:
    return await asyncio.to_thread(
        lambda: [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if _command(path) == command
        ]
    )


def _command(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


async def _settled(pid: int) -> int:
    """How much a process has written, once it writes no more."""
    before = -1
    async with asyncio.timeout(20):
        while (now := _written(pid)) != before:
            before = now
            await asyncio.sleep(0.5)
    return now


def _written(pid: int) -> int:
    [line] = [each for each in Path(f"/proc/{pid}/io").read_text().splitlines() if each.startswith("wchar")]
    return int(line.split()[1])
