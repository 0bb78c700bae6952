"""Data channels over a socket: whose they are, how they break, and how they are taken up again."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.local.fargate.faults.orders import Fault
from tests.local.fargate.enclosed import sh
from tests.local.fargate.fakes import until
from tests.local.fargate.session_manager.far_side import packed, response
from tests.local.fargate.session_manager.shell import Host, Shell

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are processes of this host")


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """An embedded Fargate on a socket."""
    host = Host()
    await host.start()
    yield host
    await host.stop()


async def closing(shell: Shell) -> tuple[int, str]:
    """The code and the reason that the connection is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        await shell.ends()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_a_session_names_its_channel(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh")
    assert session["sessionId"].startswith("ecs-execute-command-")
    base = host.url.replace("http:", "ws:")
    url = f"{base}/v1/data-channel/{session['sessionId']}?role=publish_subscribe"
    assert session["streamUrl"] == url
    assert session["tokenValue"]


async def test_a_wrong_token_opens_nothing(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.connected(await host.session(arn, "sh"), "guessed")
    code, reason = await closing(shell)
    assert (code, reason[:10]) == (1008, "TokenValue")


async def test_a_token_is_good_for_one_connection(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh")
    await (await host.connected(session)).shake()
    assert (await closing(await host.connected(session)))[0] == 1008


async def test_a_first_message_that_is_no_opening_is_refused(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh")
    async with connect(session["streamUrl"]) as socket:
        await socket.send(b"binary")
        assert await closing(Shell(socket)) == (1008, "the first message is not text")


async def test_an_unknown_session_is_refused(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh")
    shell = await host.connected(
        {**session, "streamUrl": session["streamUrl"].replace("command-", "command-x")}
    )
    assert await closing(shell) == (1008, "there is no such session")


async def test_a_channel_in_another_role_is_refused(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh")
    with pytest.raises(InvalidStatus):
        await connect(session["streamUrl"].partition("?")[0])


async def test_a_violation_closes_the_channel_with_its_reason(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh")
    await shell._socket.send(packed("input_stream_data", b"a", sequence=1, payload_type=1, length=120))
    assert await closing(shell) == (1008, "violation: HeaderLength is 120, not 116")


async def test_text_after_the_first_message_is_a_violation(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh")
    await shell._socket.send("text")
    assert (await closing(shell))[0] == 1008


async def test_a_broken_connection_is_resumed_where_it_broke(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh -c 'read a; echo got $a; read b; echo got $b'")
    first = await host.connected(session)
    await first.shake()
    host.fargate.faults.add(Fault(operation="output_stream_data", kind="break"))
    await first.send(b"one\r")
    with pytest.raises(ConnectionClosed):
        await first.sees(b"got one")
    again = await resumed(host, session, first)
    await again.sees(b"got one\r\n")
    await again.send(b"two\r")
    assert b"got two\r\n" in await again.ends()
    assert [status for status, _ in host.sessions()].count("CONNECTED") == 2


async def resumed(host: Host, session: Any, before: Shell) -> Shell:
    """Another connection to the same session, which goes on where the one before ended."""
    answer = await host.ask("ssm", "resume_session", SessionId=session["sessionId"])
    assert answer["StreamUrl"] == session["streamUrl"]
    again = await host.connected(session, answer["TokenValue"])
    again.next, again.expected, again.shown = before.next, before.expected, before.shown
    return again


async def test_a_client_that_breaks_off_can_come_back_for_the_end(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "sh -c 'echo bye'")
    first = await host.connected(session)
    await first.take()
    await first._socket.send(response())
    first.next, first.expected = 1, 1
    first.close()
    await until(lambda: "STARTED" in {status for status, _ in host.sessions()})
    assert await (await resumed(host, session, first)).ends() == b"bye\r\n"


async def test_a_session_that_is_over_cannot_be_resumed(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    session = await host.session(arn, "true")
    shell = await host.connected(session)
    await shell.shake()
    await shell.ends()
    with pytest.raises(ClientError, match="DoesNotExistException"):
        await host.ask("ssm", "resume_session", SessionId=session["sessionId"])


async def test_termination_of_what_is_over_is_no_error(host: Host) -> None:
    answer = await host.ask("ssm", "terminate_session", SessionId="ecs-execute-command-0")
    assert answer["SessionId"] == "ecs-execute-command-0"


async def test_input_and_output_arrive_whole_over_a_bad_connection(host: Host) -> None:
    arn = await host.enter(sh("sleep 600"))
    shell = await host.shell(arn, "sh -c 'stty -echo; echo ready; head -c 300 | tr a-z A-Z; seq 1 300'")
    await shell.sees(b"ready\r\n")
    host.fargate.faults.add(Fault(operation="output_stream_data", kind="duplicate", probability=0.3))
    host.fargate.faults.add(Fault(operation="input_stream_data", kind="duplicate", probability=0.3, seed=1))
    host.fargate.faults.add(Fault(operation="input_stream_data", kind="reorder", count=3, probability=0.2))
    for _ in range(100):
        await shell.send(b"ab\r")
    assert await shell.ends() == b"AB\r\n" * 100 + b"".join(b"%d\r\n" % each for each in range(1, 301))
