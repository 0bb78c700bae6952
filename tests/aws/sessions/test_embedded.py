"""Real terminals: our side of the data channel against the embedded Fargate's, which knows nothing of it."""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from app.aws.connection import Connection, ConnectionConfig
from app.aws.limiter import Limiter, Quotas
from app.aws.metrics import AwsMetrics
from app.aws.sessions.ecs_sessions import EcsSessions
from app.local.fargate.faults.orders import Fault
from app.local.fargate.journal import Call
from app.model.names import TaskArn
from app.ports.containers import Running
from app.ports.failures import NotFound, Refused
from app.ports.sessions import Session
from tests.conformance.servers import WallClock
from tests.local.fargate.enclosed import sh
from tests.local.fargate.fakes import CLUSTER
from tests.local.fargate.session_manager.shell import Host

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")

RAW = "sh -c 'stty raw -echo; echo ready; head -c 1048576 | md5sum; sleep 600'"


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """An embedded Fargate whose clock goes on."""
    host = Host()
    await host.start()
    ticking = asyncio.ensure_future(_tick(host))
    yield host
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    await host.stop()


async def _tick(host: Host) -> None:
    while True:
        await host.clock.advance(0.05)
        await asyncio.sleep(0.05)


@pytest.fixture
async def sessions(host: Host, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EcsSessions]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", host.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    clock = WallClock()
    connection = await Connection.open(ConnectionConfig(region="us-east-1"))
    limiter = Limiter(Quotas(), clock=clock, metrics=AwsMetrics(CollectorRegistry()))
    yield EcsSessions(connection, limiter=limiter, clock=clock, cluster=CLUSTER)
    connection.close()


@pytest.fixture
async def where(host: Host) -> Running:
    """A container that runs."""
    arn = await host.enter(sh("sleep 600"))
    return Running(task=TaskArn(arn), container="main")


async def shown(session: Session) -> bytes:
    """Everything to the end."""
    async with asyncio.timeout(30):
        parts = [part async for part in _parts(session)]
    return b"".join(parts)


async def sees(session: Session, text: bytes) -> bytes:
    """What is shown until this text has been."""
    seen = b""
    async with asyncio.timeout(60):
        while text not in seen:
            part = await session.read()
            assert part, f"the session ended after {seen!r}"
            seen += part
    return seen


async def _parts(session: Session) -> AsyncIterator[bytes]:
    while part := await session.read():
        yield part


async def test_a_command_is_run_and_its_end_is_the_sessions(sessions: EcsSessions, where: Running) -> None:
    session = await sessions.open(where, """printf '%s|' a "b  c" '$HOME'""")
    assert await shown(session) == b"a|b  c|$HOME|"
    await session.close()


async def test_a_shell_takes_what_is_typed_and_the_terminals_size(
    sessions: EcsSessions, where: Running
) -> None:
    session = await sessions.open(where, "sh")
    await session.resize(columns=132, rows=43)
    await session.write(b"stty size\r")
    await sees(session, b"43 132\r\n")
    await session.write(b"exit\r")
    await shown(session)
    await session.close()


async def test_a_mebibyte_goes_through_a_raw_terminal_unchanged(
    sessions: EcsSessions, where: Running
) -> None:
    data = os.urandom(1 << 20)
    session = await sessions.open(where, RAW)
    await sees(session, b"ready\n")
    await session.write(data)
    await sees(session, hashlib.md5(data, usedforsecurity=False).hexdigest().encode())
    await session.close()


async def test_data_comes_back_unchanged_though_messages_are_lost_doubled_and_reordered(
    host: Host, sessions: EcsSessions, where: Running
) -> None:
    data = os.urandom(1 << 16)
    session = await sessions.open(where, "sh -c 'stty raw -echo; echo ready; head -c 65536; sleep 600'")
    await sees(session, b"ready\n")
    for seed, kind in enumerate(("input_stream_data", "output_stream_data", "acknowledge")):
        host.fargate.faults.add(Fault(operation=kind, kind="loss", probability=0.03, seed=seed))
        host.fargate.faults.add(Fault(operation=kind, kind="duplicate", probability=0.1, seed=seed))
        host.fargate.faults.add(Fault(operation=kind, kind="reorder", probability=0.1, seed=seed))
    await session.write(data[: 1 << 15])
    rest = asyncio.ensure_future(session.write(data[1 << 15 :]))
    assert await sees(session, data[-32:]) == data
    await rest
    host.fargate.faults.clear()
    await session.close()


async def test_a_connection_that_breaks_is_resumed_within_the_same_shell(
    host: Host, sessions: EcsSessions, where: Running
) -> None:
    session = await sessions.open(where, "sh")
    await session.write(b"n=before\r")
    await sees(session, b"n=before")
    host.fargate.faults.add(Fault(operation="output_stream_data", kind="break"))
    await session.write(b"echo $n-and-after | tr a-z A-Z\r")
    await sees(session, b"BEFORE-AND-AFTER")
    calls = [each.operation for each in host.fargate.journal.since() if isinstance(each, Call)]
    assert calls.count("ResumeSession") == 1
    await session.close()


async def test_a_command_that_is_not_there_is_told(sessions: EcsSessions, where: Running) -> None:
    session = await sessions.open(where, "no-such-thing")
    assert b"no-such-thing" in await shown(session)
    await session.close()


async def test_closing_ends_what_runs(host: Host, sessions: EcsSessions, where: Running) -> None:
    session = await sessions.open(where, "sh -c 'trap \"\" HUP; echo ready; sleep 600'")
    await sees(session, b"ready\r\n")
    await session.close()
    async with asyncio.timeout(30):
        while host.sessions()[-1][0] != "ENDED":  # noqa: ASYNC110  (as the journal is read)
            await asyncio.sleep(0.02)


async def test_a_task_that_stops_ends_its_sessions(host: Host, sessions: EcsSessions, where: Running) -> None:
    session = await sessions.open(where, "sh")
    await host.ask("ecs", "stop_task", cluster=CLUSTER, task=where.task)
    await shown(session)
    await session.close()


async def test_a_task_that_is_gone_is_not_found(sessions: EcsSessions, where: Running) -> None:
    gone = Running(task=TaskArn(where.task[:-4] + "ffff"), container="main")
    with pytest.raises(NotFound):
        await sessions.open(gone, "sh")


async def test_a_task_that_was_launched_without_exec_is_refused(host: Host, sessions: EcsSessions) -> None:
    arn = await host.run(sh("sleep 600"))
    await host.reaches(arn, "RUNNING")
    with pytest.raises(Refused, match=r"let --exec \(bridge\.settings\.exec\) be auto or on"):
        await sessions.open(Running(task=TaskArn(arn), container="main"), "sh")
